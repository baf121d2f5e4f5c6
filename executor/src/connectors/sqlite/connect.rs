//! Opening a database file, and errors of SQLite as errors of ours.

use std::path::{Path, PathBuf};
use std::time::Duration;

use flowetl_proto::code::Class;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::{Error, Result};

/// How long a read waits for a writer of a database without write-ahead log; its commits are short.
const READ_BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a commit waits for other writers, and, without write-ahead log, for readers to finish.
const WRITE_BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Which end of a pipeline an error belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    Source,
    Sink,
}

/// Opens an existing database for reading. No statement can change it.
pub(super) fn open_to_read(path: &Path) -> Result<Connection> {
    if !path.exists() {
        return Err(Error::user(format!("database file `{}` does not exist", path.display())));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags, READ_BUSY_TIMEOUT, Side::Source)
}

/// Opens a database for writing, creating the file where it is missing.
pub(super) fn open_to_write(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags, WRITE_BUSY_TIMEOUT, Side::Sink)
}

/// Opens a database for writing that must be there.
pub(super) fn open_existing(path: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    open(path, flags, WRITE_BUSY_TIMEOUT, Side::Sink)
}

fn open(path: &Path, flags: OpenFlags, busy_timeout: Duration, side: Side) -> Result<Connection> {
    let failed = |e| failure(e, side, format!("cannot open `{}`", path.display()));
    // An absolute path can never be taken for one of SQLite's `file:` URIs.
    let path = absolute(path)?;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(busy_timeout).map_err(failed)?;
    Ok(connection)
}

pub(super) fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).map_err(|e| Error::user(format!("cannot use the path `{}`", path.display())).because(e))
}

/// `doing` says what was tried, with the names in backticks.
pub(super) fn failure(error: rusqlite::Error, side: Side, doing: impl Into<String>) -> Error {
    Error::new(class_of(&error, side), doing).because(error)
}

fn class_of(error: &rusqlite::Error, side: Side) -> Class {
    let transient = match side {
        Side::Source => Class::SourceTransient,
        Side::Sink => Class::SinkTransient,
    };
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::SystemIoFailure
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::SchemaChanged,
        ) => transient,
        Some(ErrorCode::DiskFull | ErrorCode::OutOfMemory) => Class::Resource,
        Some(ErrorCode::OperationInterrupted) => Class::Cancelled,
        Some(ErrorCode::InternalMalfunction | ErrorCode::ApiMisuse) => Class::Internal,
        _ => Class::User,
    }
}
