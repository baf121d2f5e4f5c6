//! Rows that could not be read or written, kept aside as NDJSON with their reasons, within a limit.

mod read;

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use flowetl_proto::code::Class;
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::{BlockId, RunId};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::connectors::Quarantine;
use crate::storage::{Storage, write_error};
use crate::{Error, Result};

pub(crate) use self::read::page as read_quarantine;

/// Where the bad rows of all runs lie in object storage.
pub(crate) const FOLDER: &str = "quarantine";
const SUFFIX: &str = ".ndjson";
/// A share is judged on the way only after so many rows: a bad start says little.
const ROWS_BEFORE_JUDGING: u64 = 10_000;
/// Lines are written in pieces of this size, and so many may wait: 64 MB, more than any disk or network is behind.
const PIECE_BYTES: usize = 1 << 20;
const PIECES_WAITING_MAX: usize = 64;
/// Reasons that the error repeats.
const REASONS_SHOWN: usize = 3;

/// Above how many bad rows a run fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Rows(u64),
    /// Of all rows, bad ones included: `0.001` is 0.1%.
    Share(f64),
}

impl Limit {
    /// From a setting: `0.1%`, or a number of rows.
    pub fn from_json(value: &Value) -> Result<Self> {
        let wrong = || {
            Error::user(format!("a quarantine's limit is a share such as `0.1%` or a number of rows, not `{value}`"))
        };
        if let Some(rows) = value.as_u64() {
            return Ok(Self::Rows(rows));
        }
        let text = value.as_str().ok_or_else(wrong)?.trim();
        match text.strip_suffix('%') {
            Some(percent) => match percent.trim().parse::<f64>() {
                Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(Self::Share(percent / 100.0)),
                _ => Err(wrong()),
            },
            None => text.parse().map(Self::Rows).map_err(|_| wrong()),
        }
    }

    fn is_exceeded(self, bad: u64, all: u64) -> bool {
        match self {
            Self::Rows(rows) => bad > rows,
            Self::Share(share) => bad as f64 > share * all as f64,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rows(rows) => write!(f, "{rows} rows"),
            Self::Share(share) => write!(f, "{}%", share * 100.0),
        }
    }
}

/// The bad rows of one block in one attempt: `quarantine/RUN/BLOCK/tTOKEN.ndjson`, made with the first of them. They
/// outlive the run's boundaries.
#[derive(Debug)]
pub struct QuarantineFile {
    block: BlockId,
    limit: Limit,
    good: AtomicU64,
    rows: Mutex<Rows>,
    /// Waited for by [`QuarantineFile::finish`].
    writing: tokio::sync::Mutex<Option<JoinHandle<Result<()>>>>,
}

#[derive(Debug)]
struct Rows {
    bad: u64,
    reasons: Vec<String>,
    lines: Vec<u8>,
    /// Gone once finished.
    pieces: Option<mpsc::Sender<Vec<u8>>>,
}

impl QuarantineFile {
    /// Must be called where tasks can be spawned.
    pub fn new(storage: Storage, attempt: &AttemptId, block: &BlockId, limit: Limit) -> Self {
        let name = format!("{}/{block}/t{}{SUFFIX}", folder(&attempt.run), attempt.token);
        let (sender, pieces) = mpsc::channel(PIECES_WAITING_MAX);
        let writing = tokio::spawn(write(storage, name, pieces));
        let rows = Rows { bad: 0, reasons: Vec::new(), lines: Vec::new(), pieces: Some(sender) };
        let (good, writing) = (AtomicU64::new(0), tokio::sync::Mutex::new(Some(writing)));
        Self { block: block.clone(), limit, good, rows: Mutex::new(rows), writing }
    }

    /// How many bad rows came so far.
    pub fn rows(&self) -> u64 {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner).bad
    }

    /// Makes the file durable and judges the limit for the last time; gives the number of bad rows.
    pub async fn finish(&self) -> Result<u64> {
        let bad = {
            let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
            rows.hand_over()?;
            rows.pieces = None;
            rows.bad
        };
        if let Some(writing) = self.writing.lock().await.take() {
            let done = writing.await.map_err(|e| Error::internal("writing the quarantine broke off").because(e))?;
            done.map_err(|e| e.in_block(&self.block))?;
        }
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        self.judge(&rows, self.good.load(Ordering::Relaxed))?;
        Ok(bad)
    }

    fn judge(&self, rows: &Rows, good: u64) -> Result<()> {
        if !self.limit.is_exceeded(rows.bad, rows.bad + good) {
            return Ok(());
        }
        let (bad, all, limit) = (rows.bad, rows.bad + good, self.limit);
        let reasons = rows.reasons.join("; ");
        let what =
            format!("{bad} of {all} rows could not be read, more than the quarantine's limit of {limit} ({reasons})");
        Err(Error::user(what).in_block(&self.block))
    }
}

impl Quarantine for QuarantineFile {
    fn put(&self, location: String, row: String, reason: String) -> Result<()> {
        let line = json!({"location": location, "reason": reason, "row": row}).to_string();
        let mut rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.bad += 1;
        if rows.reasons.len() < REASONS_SHOWN {
            rows.reasons.push(format!("{location}: {reason}"));
        }
        rows.lines.extend_from_slice(line.as_bytes());
        rows.lines.push(b'\n');
        if rows.lines.len() >= PIECE_BYTES {
            rows.hand_over().map_err(|e| e.in_block(&self.block))?;
        }
        let good = self.good.load(Ordering::Relaxed);
        let may_judge = matches!(self.limit, Limit::Rows(_)) || rows.bad + good > ROWS_BEFORE_JUDGING;
        if may_judge { self.judge(&rows, good) } else { Ok(()) }
    }

    fn read(&self, rows: u64) {
        self.good.fetch_add(rows, Ordering::Relaxed);
    }
}

impl Rows {
    fn hand_over(&mut self) -> Result<()> {
        let lines = std::mem::take(&mut self.lines);
        let Some(pieces) = self.pieces.as_ref().filter(|_| !lines.is_empty()) else { return Ok(()) };
        pieces
            .try_send(lines)
            .map_err(|_| Error::new(Class::Resource, "bad rows come faster than the quarantine can be written"))
    }
}

/// Where the bad rows of a run lie.
fn folder(run: &RunId) -> String {
    format!("{FOLDER}/{run}")
}

async fn write(storage: Storage, name: String, mut pieces: mpsc::Receiver<Vec<u8>>) -> Result<()> {
    let mut output = None;
    while let Some(lines) = pieces.recv().await {
        let mut open = match output.take() {
            Some(open) => open,
            None => storage.create(&name, &format!("{name}.private")).await?,
        };
        Write::write_all(&mut open, &lines).map_err(write_error)?;
        open.settle().await?;
        output = Some(open);
    }
    let Some(output) = output else { return Ok(()) };
    let staged = output.finish(0).await?;
    storage.publish(&staged).await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use flowetl_proto::id::Token;
    use flowetl_proto::pipeline::Connection;
    use indexmap::IndexMap;
    use tempfile::TempDir;

    use super::*;
    use crate::storage::Side;

    pub(super) fn open(dir: &TempDir, block: &str, token: i64, limit: Value) -> (Storage, QuarantineFile) {
        let path = dir.path().display().to_string();
        let (name, scheme, options) = ("storage".into(), "file".into(), IndexMap::new());
        let connection = Connection { name, scheme, host: None, port: None, user: None, password: None, path, options };
        let storage = Storage::open(&connection).unwrap();
        let attempt =
            AttemptId { pipeline: "p".into(), run: RunId::new("r1"), segment: "s".into(), token: Token(token) };
        let file = QuarantineFile::new(storage.clone(), &attempt, &block.into(), Limit::from_json(&limit).unwrap());
        (storage, file)
    }

    pub(super) fn put(file: &QuarantineFile, line: u64) -> Result<()> {
        file.put(format!("a.csv line {line}"), "1,\"x\ny".into(), "broken".into())
    }

    #[tokio::test]
    async fn keeps_rows_with_their_reasons() {
        let dir = TempDir::new().unwrap();
        let (storage, file) = open(&dir, "orders", 3, json!("1%"));
        file.read(9_000);
        (0..50).for_each(|line| put(&file, line).unwrap());
        assert_eq!(file.finish().await.unwrap(), 50);
        let files = storage.list("", Side::Read).await.unwrap();
        let names: Vec<_> = files.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["quarantine/r1/orders/t3.ndjson"]);
        let text = storage.read(names[0], Side::Read).await.unwrap().unwrap();
        let lines: Vec<Value> =
            text.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        assert_eq!(lines.len(), 50);
        assert_eq!(lines[7], json!({"location": "a.csv line 7", "reason": "broken", "row": "1,\"x\ny"}));
    }

    #[tokio::test]
    async fn judges_shares_late_and_counts_at_once() {
        let dir = TempDir::new().unwrap();
        let (_, file) = open(&dir, "orders", 3, json!("0.1%"));
        file.read(100);
        put(&file, 1).unwrap();
        let error = file.finish().await.unwrap_err();
        assert_eq!(
            error.message,
            "1 of 101 rows could not be read, more than the quarantine's limit of 0.1% (a.csv line 1: broken)"
        );
        assert_eq!((error.class, error.block.unwrap().as_str()), (Class::User, "orders"));
        let (_, file) = open(&dir, "orders", 3, json!("0.1%"));
        file.read(20_000);
        (0..20).for_each(|line| put(&file, line).unwrap());
        assert!(put(&file, 20).is_err());
        let (_, file) = open(&dir, "orders", 3, json!(2));
        (0..2).for_each(|line| put(&file, line).unwrap());
        assert!(put(&file, 2).is_err());
        let (storage, file) = open(&dir, "orders", 3, json!("0%"));
        file.read(5);
        assert_eq!(file.finish().await.unwrap(), 0);
        drop(storage);
        for wrong in [json!("x"), json!("200%"), json!(-1), json!(null)] {
            assert!(Limit::from_json(&wrong).is_err(), "{wrong}");
        }
    }
}
