//! Reading threads that all see the database at one moment.
//!
//! Each thread owns a connection with an open read transaction and steps any number of statements on it, one batch at a
//! time and only when asked. So a reader never waits for another one's consumer, whatever order a plan reads its tables
//! in.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use arrow::array::RecordBatch;
use flowetl_proto::code::Class;
use rusqlite::{Connection, Statement};
use tokio::sync::oneshot;

use super::connect::{Side, failure, open_to_read};
use super::decode::{Decoder, Layout};
use crate::{Error, Result};

/// How often a moment is looked for in which no writer commits, before one connection alone is used.
const TRIES_MAX: usize = 5;
/// Steps of SQLite's virtual machine between two looks at whether the reader is still wanted: well below a millisecond.
const STEPS_BETWEEN_LOOKS: i32 = 10_000;

/// One state of a database. The transactions end when it is dropped.
pub(super) struct Snapshot {
    threads: Vec<mpsc::Sender<Command>>,
    scans: AtomicU64,
}

/// Every scan has at most [`super::scan::REQUESTS_MAX`] `Next` under way, which bounds a thread's queue.
enum Command {
    Open { scan: u64, sql: String, layout: Arc<Layout>, dropped: Arc<AtomicBool> },
    Next { scan: u64, answer: oneshot::Sender<Result<Option<RecordBatch>>> },
    Close { scan: u64 },
    Call(Box<dyn FnOnce(&Connection) + Send>),
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("threads", &self.threads.len()).finish()
    }
}

impl Snapshot {
    /// Blocks. Uses one connection where writers are so busy that several cannot be brought to one state.
    pub(super) fn take(path: &Path, connections_max: usize) -> Result<Self> {
        let mut connections = vec![open_to_read(path)?];
        begin(&connections[0], path)?;
        if connections_max > 1 {
            connections = at_one_moment(path, connections, connections_max)?;
        }
        let mut threads = Vec::with_capacity(connections.len());
        for connection in connections {
            let (commands, queue) = mpsc::channel();
            thread::Builder::new()
                .name("sqlite-reader".into())
                .spawn(move || serve(&connection, &queue))
                .map_err(|e| Error::new(Class::Resource, "cannot start a thread that reads").because(e))?;
            threads.push(commands);
        }
        Ok(Self { threads, scans: AtomicU64::new(0) })
    }

    pub(super) fn threads(&self) -> usize {
        self.threads.len()
    }

    /// Runs `ask` inside the snapshot.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Connection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let call = move |connection: &Connection| {
            // Nobody may be waiting any more.
            let _ = answer.send(ask(connection));
        };
        self.send(0, Command::Call(Box::new(call)));
        answered.await.map_err(|_| ended())?
    }

    /// Starts a scan on one of the threads.
    pub(super) fn open(self: &Arc<Self>, partition: usize, sql: String, layout: Arc<Layout>) -> Scan {
        let scan = self.scans.fetch_add(1, Ordering::Relaxed);
        let thread = partition % self.threads.len();
        let dropped = Arc::new(AtomicBool::new(false));
        self.send(thread, Command::Open { scan, sql, layout, dropped: Arc::clone(&dropped) });
        Scan { snapshot: Arc::clone(self), thread, scan, dropped }
    }

    /// A thread that is gone shows in the answer that never comes.
    fn send(&self, thread: usize, command: Command) {
        let _ = self.threads[thread].send(command);
    }
}

/// A running scan. Dropping it ends the statement, also in the middle of a long step.
pub(super) struct Scan {
    snapshot: Arc<Snapshot>,
    thread: usize,
    scan: u64,
    dropped: Arc<AtomicBool>,
}

impl Scan {
    /// Asks for the next batch; the answer is `None` at the end.
    pub(super) fn next(&self) -> oneshot::Receiver<Result<Option<RecordBatch>>> {
        let (answer, answered) = oneshot::channel();
        self.snapshot.send(self.thread, Command::Next { scan: self.scan, answer });
        answered
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.dropped.store(true, Ordering::Relaxed);
        self.snapshot.send(self.thread, Command::Close { scan: self.scan });
    }
}

/// What a scan tells when its thread does not answer.
pub(super) fn ended() -> Error {
    Error::new(Class::Panic, "a thread that reads SQLite ended without an answer")
}

/// Opens more connections until all see the same state: no commit happened between the first and the last `begin`.
fn at_one_moment(path: &Path, mut connections: Vec<Connection>, count: usize) -> Result<Vec<Connection>> {
    let watch = open_to_read(path)?;
    while connections.len() < count {
        connections.push(open_to_read(path)?);
    }
    for _ in 0..TRIES_MAX {
        let before = data_version(&watch, path)?;
        for connection in &connections {
            if !connection.is_autocommit() {
                run(connection, "rollback", path)?;
            }
            begin(connection, path)?;
        }
        if data_version(&watch, path)? == before {
            return Ok(connections);
        }
    }
    connections.truncate(1);
    Ok(connections)
}

/// A read transaction begins with its first read.
fn begin(connection: &Connection, path: &Path) -> Result<()> {
    run(connection, "begin; select 1 from sqlite_schema limit 1", path)
}

fn run(connection: &Connection, sql: &str, path: &Path) -> Result<()> {
    let failed = |e| failure(e, Side::Source, format!("cannot read `{}`", path.display()));
    connection.execute_batch(sql).map_err(failed)
}

/// Changes whenever another connection has committed.
fn data_version(watch: &Connection, path: &Path) -> Result<i64> {
    let failed = |e| failure(e, Side::Source, format!("cannot read `{}`", path.display()));
    watch.query_row("pragma data_version", [], |row| row.get(0)).map_err(failed)
}

/// A thread's life: it ends when the snapshot is dropped.
fn serve(connection: &Connection, queue: &mpsc::Receiver<Command>) {
    let mut running: HashMap<u64, Running<'_>> = HashMap::new();
    while let Ok(command) = queue.recv() {
        match command {
            Command::Open { scan, sql, layout, dropped } => {
                running.insert(scan, Running::new(connection, &sql, layout, dropped));
            }
            Command::Next { scan, answer } => {
                let next = running.get_mut(&scan).map_or(Ok(None), |running| running.next(connection));
                // The scan may have been dropped meanwhile.
                let _ = answer.send(next);
            }
            Command::Close { scan } => {
                running.remove(&scan);
            }
            Command::Call(call) => {
                watch_for_drop(connection, None);
                call(connection);
            }
        }
    }
}

struct Running<'c> {
    /// Gone at the end of the rows, and after an error.
    statement: Result<Option<Statement<'c>>>,
    decoder: Decoder,
    place: String,
    dropped: Arc<AtomicBool>,
}

impl<'c> Running<'c> {
    fn new(connection: &'c Connection, sql: &str, layout: Arc<Layout>, dropped: Arc<AtomicBool>) -> Self {
        let place = layout.place.clone();
        let statement =
            connection.prepare(sql).map(Some).map_err(|e| failure(e, Side::Source, format!("cannot read {place}")));
        Self { statement, decoder: Decoder::new(layout), place, dropped }
    }

    fn next(&mut self, connection: &Connection) -> Result<Option<RecordBatch>> {
        let Some(mut statement) = std::mem::replace(&mut self.statement, Ok(None))? else { return Ok(None) };
        watch_for_drop(connection, Some(Arc::clone(&self.dropped)));
        let mut rows = statement.raw_query();
        let mut ended = false;
        while !self.decoder.is_full() {
            match rows.next().map_err(|e| failure(e, Side::Source, format!("cannot read {}", self.place)))? {
                Some(row) => self.decoder.push(row)?,
                None => {
                    ended = true;
                    break;
                }
            }
        }
        if !ended {
            // Dropping `rows` would begin the statement anew; forgotten, the next call goes on after this row.
            std::mem::forget(rows);
            self.statement = Ok(Some(statement));
        } else if self.decoder.is_empty() {
            return Ok(None);
        }
        self.decoder.finish().map(Some)
    }
}

/// Ends the statement that runs now once its scan is dropped.
fn watch_for_drop(connection: &Connection, dropped: Option<Arc<AtomicBool>>) {
    let look = dropped.map(|dropped| move || dropped.load(Ordering::Relaxed));
    connection.progress_handler(STEPS_BETWEEN_LOOKS, look);
}
