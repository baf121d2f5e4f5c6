//! What this process says of the runs that it works for: lines for people, kept in object storage for as long as the run is.
//!
//! ```text
//!  attempt ── Scribe::say ──► Book of the run, in memory ── once a second ──► logs/RUN/WRITER.FIRST.ndjson.zst
//! ```
//!
//! Saying something never waits: where storage is away, lines gather up to a limit, and then a line says how many were lost.

mod book;
mod read;
#[cfg(test)]
mod tests;
mod write;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use flowetl_proto::code::Failure;
use flowetl_proto::control::{AttemptId, AttemptSpec};
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::log::{Level, Line, Page, Query};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use self::book::Book;
use crate::Result;
use crate::storage::Storage;

/// Where the lines of all runs lie in object storage.
pub(crate) const FOLDER: &str = "logs";
/// How often lines are written: as late as people who follow a run see them.
const WRITE_EVERY: Duration = Duration::from_secs(1);
/// How long the last lines of a process may take to be written.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// The journal of one process. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    storage: Storage,
    /// How other executors reach this one; `None` where it is alone.
    executor: Option<String>,
    books: Mutex<BTreeMap<RunId, Book>>,
    /// One write at a time, so that a book's chunks appear in their order.
    writing: tokio::sync::Mutex<()>,
    /// Told when a book has much to write.
    full: Notify,
}

/// Says things about one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Scribe {
    journal: Journal,
    attempt: AttemptId,
}

impl Journal {
    /// A journal that `data` writes down, for as long as anybody has it.
    pub(crate) fn open(storage: Storage, executor: Option<String>, data: &Handle) -> Self {
        let inner = Arc::new(Inner {
            storage,
            executor,
            books: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
            full: Notify::new(),
        });
        data.spawn(keep_writing(Arc::downgrade(&inner)));
        Self { inner }
    }

    /// For what is to be said about an attempt.
    pub(crate) fn scribe(&self, attempt: &AttemptSpec) -> Scribe {
        Scribe { journal: self.clone(), attempt: attempt.id.clone() }
    }

    /// Lines of a run that all executors have written; those of this process first of all.
    pub(crate) async fn read(&self, query: &Query) -> Result<Page> {
        self.write_down(Some(&query.run)).await;
        read::page(&self.inner.storage, query).await
    }

    /// Writes down what is left.
    pub(crate) async fn close(&self) {
        if timeout(CLOSE_LIMIT, self.write_down(None)).await.is_err() {
            tracing::warn!("the last lines of runs were not written in time");
        }
    }

    /// Writes down what was said of one run, or of all.
    async fn write_down(&self, run: Option<&RunId>) {
        let _one = self.inner.writing.lock().await;
        let runs: Vec<RunId> = match run {
            Some(run) => vec![run.clone()],
            None => self.inner.books().keys().cloned().collect(),
        };
        for run in runs {
            if let Err(failure) = self.inner.write_book(&run).await {
                tracing::debug!(%run, reason = failure.message, "lines wait until they can be written");
            }
        }
    }
}

impl Inner {
    fn books(&self) -> MutexGuard<'_, BTreeMap<RunId, Book>> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes all that waits of one run, chunk by chunk; what cannot be written waits on.
    async fn write_book(&self, run: &RunId) -> Result<(), Failure> {
        loop {
            let Some(chunk) = self.books().get_mut(run).and_then(Book::take) else { break };
            let written = write::chunk(&self.storage, run, &chunk).await.map_err(|e| e.to_failure());
            let mut books = self.books();
            match (books.get_mut(run), written) {
                (Some(book), Ok(())) => book.wrote(&chunk),
                (Some(book), Err(failure)) => {
                    book.give_back(chunk);
                    return Err(failure);
                }
                (None, written) => return written,
            }
        }
        // The next line of the run begins another book, of another name.
        let mut books = self.books();
        if books.get(run).is_some_and(Book::is_done) {
            books.remove(run);
        }
        Ok(())
    }

    fn say(&self, run: &RunId, line: &Line) {
        let mut books = self.books();
        let book = books.entry(run.clone()).or_insert_with(|| Book::new(Uuid::now_v7().simple().to_string()));
        if book.add(line) {
            self.full.notify_one();
        }
    }
}

/// Writes down what is said, until nobody can say anything any more.
async fn keep_writing(inner: Weak<Inner>) {
    loop {
        let Some(strong) = inner.upgrade() else { return };
        let journal = Journal { inner: strong };
        // A full book is not waited for; it is written within the second that it took to fill another one at most.
        let _ = timeout(WRITE_EVERY, journal.inner.full.notified()).await;
        journal.write_down(None).await;
        drop(journal);
        sleep(Duration::from_millis(10)).await;
    }
}

impl Scribe {
    /// Says something about a block, or about the attempt's segment as a whole. Never a secret.
    pub(crate) fn say(&self, level: Level, block: Option<&BlockId>, message: impl Into<String>) {
        self.say_with(level, block, message, BTreeMap::new());
    }

    /// The same, with figures by their names.
    pub(crate) fn say_with(
        &self,
        level: Level,
        block: Option<&BlockId>,
        message: impl Into<String>,
        fields: BTreeMap<String, String>,
    ) {
        let root = BlockId::new(self.attempt.segment.as_str());
        let line = Line {
            at: now(),
            level,
            segment: Some(self.attempt.segment.clone()),
            block: Some(block.cloned().unwrap_or(root)),
            token: Some(self.attempt.token),
            executor: self.journal.inner.executor.clone(),
            message: message.into(),
            fields,
        };
        self.journal.inner.say(&self.attempt.run, &line);
    }

    pub(crate) fn info(&self, block: Option<&BlockId>, message: impl Into<String>) {
        self.say(Level::Info, block, message);
    }
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
