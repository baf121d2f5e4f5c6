//! What an executor announces of itself in etcd, under a lease that dies with it.

use serde::{Deserialize, Serialize};

use crate::id::ExecutorId;

/// The usual beginning of every key in etcd.
pub const PREFIX: &str = "/flowetl/v1";

/// One executor, as the value of [`key`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    pub id: ExecutorId,
    /// Where the coordinator reaches its service: `http://host:port`.
    pub url: String,
    /// [`crate::VERSION`] of its build.
    pub version: String,
    /// Attempts it works on at once.
    pub slots: u32,
    /// It finishes what it has and takes nothing new.
    pub draining: bool,
}

/// What the keys of all executors begin with.
pub fn folder(prefix: &str) -> String {
    format!("{prefix}/executors/")
}

/// Where an executor's announcement lies.
pub fn key(prefix: &str, id: &ExecutorId) -> String {
    folder(prefix) + id.as_str()
}
