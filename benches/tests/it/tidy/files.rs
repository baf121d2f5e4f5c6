//! The shape of files: what they open with, how long they are, what must not be left in them.

use std::collections::BTreeMap;
use std::fs;

use super::{CRATES, report, root, rust_files};

/// A longer file is a folder that has not been cut yet.
const LINES_MAX: usize = 500;

/// Files that may be longer, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// A README says what a folder is for; whatever needs more belongs into the code.
const README_LINES_MAX: usize = 60;

#[test]
fn every_file_says_what_it_holds() {
    let breaches = rust_files().into_iter().filter(|file| !file.text.starts_with("//! ")).map(|file| file.path);
    report("the first line of a file is a `//!` sentence that says what the file holds", breaches.collect());
}

#[test]
fn files_are_short() {
    let mut breaches = Vec::new();
    for file in rust_files() {
        let lines = file.text.lines().count();
        let excused = LONG_FILES.iter().any(|(path, _)| *path == file.path);
        if lines > LINES_MAX && !excused {
            breaches
                .push(format!("{}: {lines} lines, at most {LINES_MAX}: cut it by concept into a folder", file.path));
        }
        if lines <= LINES_MAX && excused {
            breaches.push(format!("{}: short enough now, take it off the list of long files", file.path));
        }
    }
    report("files are rooms, not halls", breaches);
}

#[test]
fn nothing_is_left_for_later() {
    let mut breaches = Vec::new();
    // Put together here, so that this file does not break its own rule.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["X", "XX"].concat()];
    for file in rust_files() {
        for (at, line) in file.text.lines().enumerate() {
            if marks.iter().any(|mark| line.split(|c: char| !c.is_alphanumeric()).any(|word| word == mark)) {
                breaches.push(format!("{}:{}: {}", file.path, at + 1, line.trim()));
            }
        }
    }
    report("code is finished when it lands; what is missing is an issue", breaches);
}

#[test]
fn two_places_may_be_unsafe() {
    // Put together here, so that this file does not break its own rule.
    let lint = ["unsafe", "_code"].concat();
    let holders: Vec<_> = rust_files().into_iter().filter(|file| file.text.contains(&lint)).map(|f| f.path).collect();
    let allowed = ["executor/src/remote/texts.rs", "sdk/cli/src/allocator.rs"];
    assert_eq!(holders, allowed, "texts that were checked already, and the allocator's thresholds");
}

#[test]
fn every_schema_of_the_api_has_a_name_of_its_own() {
    // Of two with one name the description would show one, in both places.
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let has_schemas = |path: &str| path.starts_with("coordinator/src") || path.starts_with("proto/src");
    for file in rust_files().into_iter().filter(|file| has_schemas(&file.path)) {
        let (mut is_schema, mut given) = (false, None);
        for line in file.text.lines() {
            is_schema |= line.starts_with("#[derive(") && line.contains("ToSchema");
            if let Some((_, rest)) = line.split_once("#[schema(as = ") {
                given = rest.split(')').next().map(str::to_owned);
            }
            let word = |kind| Some(line.split_once(kind)?.1.split(|c: char| !c.is_alphanumeric()).next()?.to_owned());
            let is_type = line.starts_with("pub") || line.starts_with("struct ") || line.starts_with("enum ");
            if let Some(name) = word("struct ").or_else(|| word("enum ")).filter(|_| is_type) {
                if is_schema {
                    names.entry(given.take().unwrap_or(name)).or_default().push(file.path.clone());
                }
                (is_schema, given) = (false, None);
            }
        }
    }
    assert!(names.len() > 50, "the test sees no schemas: {names:?}");
    let doubled =
        names.into_iter().filter(|(_, files)| files.len() > 1).map(|(name, files)| format!("{name}: {files:?}"));
    report("schemas of one name are told apart by `#[schema(as = ...)]`", doubled.collect());
}

#[test]
fn every_crate_keeps_the_lints() {
    let mut breaches = Vec::new();
    for folder in CRATES {
        let manifest = fs::read_to_string(root().join(folder).join("Cargo.toml")).unwrap();
        if !manifest.contains("[lints]\nworkspace = true") {
            breaches.push(format!("{folder}/Cargo.toml"));
        }
    }
    report("every crate takes the workspace's lints (`[lints]` with `workspace = true`)", breaches);
}

#[test]
fn every_top_folder_has_a_short_readme() {
    let mut breaches = Vec::new();
    for folder in ["proto", "executor", "coordinator", "sdk", "deploy", "benches"] {
        match fs::read_to_string(root().join(folder).join("README.md")) {
            Err(_) => breaches.push(format!("{folder}/README.md is missing")),
            Ok(text) if text.lines().count() > README_LINES_MAX => {
                breaches
                    .push(format!("{folder}/README.md: {} lines, at most {README_LINES_MAX}", text.lines().count()));
            }
            Ok(_) => {}
        }
    }
    report("every top folder says in a short README.md what it is for", breaches);
}
