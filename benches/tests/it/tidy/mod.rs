//! The house's rules, held by tests: shape of files, who may name what, and which crate may reach which.

mod crates;
mod deploy;
mod features;
mod files;
mod names;

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository.
struct SourceFile {
    /// From the root, with `/`: `executor/src/lib.rs`.
    path: String,
    text: String,
}

impl SourceFile {
    /// Whether the file holds tests only, which may reach further than what they test.
    fn is_test(&self) -> bool {
        self.path.split('/').any(|part| part == "tests" || part == "tests.rs") || self.path.starts_with("benches/")
    }

    /// The lines of production code with their numbers: no comments, nothing below an inline test module.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate();
        lines
            .take_while(|(_, line)| line.trim() != "mod tests {")
            .map(|(at, line)| (at + 1, line.split("//").next().unwrap_or_default()))
    }
}

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The crates' folders.
const CRATES: [&str; 6] = ["proto", "executor", "coordinator", "sdk/rust", "sdk/cli", "benches"];

/// Every Rust file of the workspace.
fn rust_files() -> Vec<SourceFile> {
    let mut found = Vec::new();
    for folder in CRATES {
        collect(&root().join(folder), &mut found);
    }
    assert!(found.len() > 20, "the tidy test sees too little: {} files", found.len());
    found
}

/// Every test of the console in a browser.
fn browser_tests() -> Vec<SourceFile> {
    let entries = fs::read_dir(root().join("console/e2e")).unwrap().map(|entry| entry.unwrap().path());
    let tests = entries.filter(|path| path.to_str().unwrap().ends_with(".e2e.ts"));
    tests
        .map(|path| SourceFile { path: path.display().to_string(), text: fs::read_to_string(&path).unwrap() })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<SourceFile>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
            found.push(SourceFile { path: name, text: fs::read_to_string(&path).unwrap() });
        }
    }
}

/// Fails with one line for each breach.
fn report(rule: &str, breaches: Vec<String>) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}
