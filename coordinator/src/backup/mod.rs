//! Copies of the metadata database: one file that restores into an empty SQLite or PostgreSQL. Secrets stay sealed in it, and
//! neither the key that opens them nor the one that signs tokens is there. What people uploaded is not in it.
//!
//! [`kept`] has those that lie in the installation's storage.
//!
//! A line for what it is, a line for each row, a line for how many there are and their SHA-256; all of it under zstd.

mod kept;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use flowetl_proto::VERSION;
use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use zstd::stream::{read, write};

pub use self::kept::Backup;
pub(crate) use self::kept::Backups;
use crate::accounts::AuditEntry;
use crate::files::Space;
use crate::handle::Config;
use crate::store::{Store, TableRow, schema};
use crate::{Error, Result, clock};

/// What the first line calls it.
const FORMAT: &str = "flowetl backup";
/// As zstd's own tool compresses.
const LEVEL: i32 = 3;
/// Rows that were read and not taken in yet.
const WAITING_MAX: usize = 256;

#[derive(Serialize, Deserialize)]
struct Head {
    format: String,
    /// The newest migration of the database that it is of.
    schema: i64,
    version: String,
}

#[derive(Serialize, Deserialize)]
struct Line {
    table: String,
    row: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct End {
    rows: u64,
    /// Of all lines before this one.
    sha256: String,
}

/// Writes a copy of the metadata database to a new file, which is there once it is whole. Gives the number of rows.
pub async fn back_up(config: &Config, file: &Path) -> Result<u64> {
    // Nothing is brought up to date for it: another version may be serving.
    let none = || Error::Backup("there is no metadata database here, or one of another version".to_owned());
    let store = config.look().await?.ok_or_else(none)?;
    let kept = write_to(&store, file).await;
    store.close().await;
    kept
}

/// Writes what a store that nobody else uses holds.
async fn write_to(store: &Store, file: &Path) -> Result<u64> {
    if file.exists() {
        return Err(Error::Backup(format!("`{}` is there already", file.display())));
    }
    let part = file.with_extension("part");
    let (rows, reading) = store.all_rows();
    let path = part.clone();
    let writing = tokio::task::spawn_blocking(move || write_rows(&path, rows));
    let (read, written) = tokio::join!(reading, writing);
    let written = written.map_err(|e| Error::Backup(e.to_string()))?;
    let kept = match (read, written) {
        (Ok(()), Ok(rows)) => std::fs::rename(&part, file).map(|()| rows).map_err(|e| failed("write", file, e)),
        (Err(error), _) => Err(error),
        (_, Err(error)) => Err(failed("write", file, error)),
    };
    if kept.is_err() {
        // There may be none.
        let _ = std::fs::remove_file(&part);
    }
    kept
}

fn failed(doing: &'static str, file: &Path, source: io::Error) -> Error {
    Error::File { doing, path: file.to_owned(), source }
}

/// Writes lines, and remembers what they were.
struct Lines<W: Write> {
    out: W,
    hash: Sha256,
}

impl<W: Write> Lines<W> {
    fn put(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.hash.update(&text);
        self.out.write_all(&text)
    }
}

fn write_rows(part: &Path, mut rows: mpsc::Receiver<TableRow>) -> io::Result<u64> {
    // Hashes of passwords are in it.
    let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(part)?;
    let mut lines = Lines { out: write::Encoder::new(file, LEVEL)?, hash: Sha256::new() };
    lines.put(&Head { format: FORMAT.to_owned(), schema: schema(), version: VERSION.to_owned() })?;
    let mut count = 0;
    while let Some((table, row)) = rows.blocking_recv() {
        lines.put(&Line { table, row })?;
        count += 1;
    }
    let sha256 = hex(std::mem::take(&mut lines.hash));
    lines.put(&End { rows: count, sha256 })?;
    lines.out.finish()?.sync_all()?;
    Ok(count)
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The copies in the storage of an installation that need not run.
pub async fn backups(config: &Config) -> Result<Vec<Backup>> {
    kept::list(space(config)?).await
}

/// Brings a copy out of the storage to a new file.
pub async fn fetch_backup(config: &Config, name: &str, file: &Path) -> Result<()> {
    kept::fetch(space(config)?, name, file).await
}

/// Writes a copy into the storage.
pub async fn keep_backup(config: &Config) -> Result<Backup> {
    let space = space(config)?;
    kept::keep(space, &config.home()?, async |file: &Path| back_up(config, file).await).await
}

fn space(config: &Config) -> Result<&Space> {
    config.space.as_ref().ok_or_else(|| Error::Backup("there is no storage: set `FLOWETL_STORAGE_URL`".to_owned()))
}

/// Takes a copy into a metadata database that is empty and of the same schema: all of it, or nothing. Gives the number of rows.
pub async fn restore(config: &Config, file: &Path) -> Result<u64> {
    let path = file.to_owned();
    let checked = tokio::task::spawn_blocking(move || check(&path)).await;
    checked.map_err(|e| Error::Backup(e.to_string()))??;
    let store = config.store().await?;
    let restored = restore_into(&store, file).await;
    store.close().await;
    restored
}

async fn restore_into(store: &Store, file: &Path) -> Result<u64> {
    if let Some(table) = store.holds().await? {
        return Err(Error::Backup(format!(
            "the installation is not empty, `{table}` has rows: restore into a new one"
        )));
    }
    let (rows, taken) = mpsc::channel(WAITING_MAX);
    let path = file.to_owned();
    tokio::task::spawn_blocking(move || {
        if let Err(error) = read_rows(&path, &rows) {
            // Who takes them in then takes none.
            let _ = rows.blocking_send(Err(error));
        }
    });
    let count = store.take_in(taken).await?;
    let mut directory = store.change_directory().await?;
    let entry = AuditEntry {
        id: clock::new_id(),
        organization: None,
        person: None,
        api_key: None,
        address: String::new(),
        action: "backup.restored".to_owned(),
        subject: file.display().to_string(),
        before: None,
        after: Some(json!({ "rows": count })),
        at: Timestamp(clock::now()),
    };
    directory.audit(&entry).await?;
    directory.commit().await?;
    Ok(count)
}

fn read_rows(file: &Path, rows: &mpsc::Sender<Result<TableRow>>) -> Result<()> {
    for line in lines(file)? {
        let line: Value = serde_json::from_str(&line.map_err(|e| failed("read", file, e))?).map_err(damaged)?;
        if line.get("table").is_none() {
            continue;
        }
        let Line { table, row } = serde_json::from_value(line).map_err(damaged)?;
        if rows.blocking_send(Ok((table, row))).is_err() {
            break;
        }
    }
    Ok(())
}

fn lines(file: &Path) -> Result<impl Iterator<Item = io::Result<String>> + use<>> {
    let opened = File::open(file).and_then(read::Decoder::new);
    Ok(BufReader::new(opened.map_err(|e| failed("read", file, e))?).lines())
}

fn damaged(error: serde_json::Error) -> Error {
    Error::Backup(format!("a line of it cannot be read: {error}"))
}

/// Reads a copy from end to end: whether it is one, of this schema, whole and unchanged.
fn check(file: &Path) -> Result<()> {
    let strange = || Error::Backup(format!("`{}` is no backup of FlowETL", file.display()));
    let (mut hash, mut rows, mut end) = (Sha256::new(), 0, None);
    for (number, line) in lines(file)?.enumerate() {
        let line = line.map_err(|_| strange())?;
        if end.is_some() {
            return Err(strange());
        }
        if number == 0 {
            let head: Head = serde_json::from_str(&line).map_err(|_| strange())?;
            if head.format != FORMAT {
                return Err(strange());
            }
            if head.schema != schema() {
                return Err(Error::Backup(format!(
                    "it is of FlowETL {} with schema {}, and this is {VERSION} with schema {}: restore it with that version",
                    head.version,
                    head.schema,
                    schema()
                )));
            }
        } else if let Ok(found) = serde_json::from_str::<End>(&line) {
            end = Some(found);
            continue;
        } else {
            rows += 1;
        }
        hash.update(line.as_bytes());
        hash.update(b"\n");
    }
    let sha256 = hex(hash);
    match end {
        Some(end) if end.rows == rows && end.sha256 == sha256 => Ok(()),
        Some(_) => Err(Error::Backup(format!("`{}` is damaged: its checksum is another", file.display()))),
        None => Err(Error::Backup(format!("`{}` is damaged: its end is missing", file.display()))),
    }
}
