//! A place of its own for each test: a folder, the program as a child process in it, and databases to look into.

mod child;
mod database;
mod served;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

pub use child::{Ended, Running};
pub use database::Database;
pub use served::Served;

/// A temporary folder in which the program runs; its home is `home` below it.
pub struct World {
    folder: TempDir,
}

impl World {
    pub fn new() -> Self {
        Self { folder: TempDir::with_prefix("flowetl-it-").unwrap() }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The program with arguments, not started: settings may still be added.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments);
        self.place(&mut command);
        command
    }

    /// The program with arguments under a shell that prepares its surroundings first (`ulimit ...`).
    pub fn command_after(&self, preparation: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{preparation}; exec \"$0\" \"$@\"")).arg(program()).args(arguments);
        self.place(&mut command);
        command
    }

    /// In our folder, with our home, and without settings of whoever runs the tests.
    fn place(&self, command: &mut Command) {
        let places = ["AUTH", "CORS_ORIGINS", "ETCD", "ETCD_PREFIX", "FLIGHT", "GRPC", "SERVER"];
        let data = ["DATABASE_URL", "STORAGE_URL", "WAREHOUSE_URL"];
        let etcd = ["ETCD_CA", "ETCD_CERT", "ETCD_KEY", "ETCD_PASSWORD", "ETCD_USER"];
        let sign_in = [
            "OIDC_CLIENT_ID",
            "OIDC_CLIENT_SECRET",
            "OIDC_ISSUER",
            "PUBLIC_URL",
            "RATE_LIMIT",
            "API",
            "API_KEY",
            "ORGANIZATION",
            "PASSWORD",
        ];
        let secrets = ["CLUSTER_KEY", "CLUSTER_KEY_FILE", "TLS_CA", "TLS_CERT", "TLS_KEY", "TOKEN", "TOKENS"];
        let mail = ["SMTP_FROM", "SMTP_URL"];
        for name in places.into_iter().chain(etcd).chain(secrets).chain(sign_in).chain(mail).chain(data) {
            command.env_remove(format!("FLOWETL_{name}"));
        }
        command.env_remove("RUST_LOG").env_remove("ENCRYPTION_KEY").env_remove("FLOWETL_CONNECTION_CHECKS");
        command.current_dir(self.folder()).env("FLOWETL_HOME", self.path("home"));
        // Any free port: many coordinators are tested at once.
        command.env("FLOWETL_HTTP", "127.0.0.1:0");
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.command(arguments))
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).wait()
    }

    /// Every file below the folder `name`, from there, sorted; none where there is no such folder.
    pub fn files(&self, name: &str) -> Vec<String> {
        let root = self.path(name);
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    true => folders.push(path),
                    false => found.push(path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned()),
                }
            }
        }
        found.sort();
        found
    }
}

/// The program, which cargo builds beside the tests.
fn program() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let program = tests.parent().and_then(Path::parent).unwrap().join("flowetl");
    assert!(program.is_file(), "`{}` is missing: run `cargo build --workspace` before these tests", program.display());
    program
}

/// Numbers that look random and are the same in every run of the tests (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 up to 1.
    pub fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }
}

/// An address that nobody listens at.
pub fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}
