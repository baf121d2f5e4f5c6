//! The coordinator's one error: what could not be done, and why.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use flowetl_proto::code::Failure;
use flowetl_proto::id::{BlockId, RunId};

use crate::vault::Fault;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// SQLSTATEs of a PostgreSQL that is away or not back yet: broken connections, too many of them, shutting down or starting.
const OUTAGES: [&str; 3] = ["08", "53300", "57P"];

/// What a library said.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot {doing} in the metadata database")]
    Database {
        doing: &'static str,
        #[source]
        source: Cause,
    },
    #[error("cannot migrate the metadata database")]
    Migrate(#[source] Cause),
    #[error("the metadata database holds {what} that cannot be read")]
    Stored {
        what: &'static str,
        #[source]
        source: serde_json::Error,
    },
    #[error("cannot {doing} `{}`", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    /// The line's text may be a secret that was put there by mistake.
    #[error("line {line} of `{}` is not a name and the SHA-256 of its token, 64 hexadecimal digits", path.display())]
    Tokens { path: PathBuf, line: usize },
    /// Another process, or this one, is running the pipeline now.
    #[error("pipeline `{pipeline}` is already running{}", run.as_ref().map(|r| format!(" as run `{r}`")).unwrap_or_default())]
    Busy { pipeline: String, run: Option<RunId> },
    #[error("there is no run `{0}`")]
    NoRun(RunId),
    /// What happened is kept for a while only.
    #[error(
        "not all that happened after {after} is kept, or {after} is no number of this log, whose newest is {newest}"
    )]
    Forgotten { after: i64, newest: i64 },
    #[error("there is no block `{0}` in the pipeline")]
    NoBlock(BlockId),
    /// What the run is told does not fit the pipeline's parameters.
    #[error("{0}")]
    Params(String),
    #[error("run `{run}` cannot be resumed: {reason}")]
    NotResumable { run: RunId, reason: String },
    /// Another process has claimed the run since; nothing was written.
    #[error("run `{0}` was taken over by another process")]
    Fenced(RunId),
    /// The run's owner went away before the run ended; it can be resumed.
    #[error("run `{run}` was interrupted: {reason}")]
    Interrupted { run: RunId, reason: String },
    #[error("run `{0}` is not running in this process")]
    NotHere(RunId),
    /// A target has not answered whether it published, and must before anything else is written to it.
    #[error("it is not known whether run `{0}` was published, and its target does not answer")]
    Unsettled(RunId),
    /// Nothing was written: a run has begun for this time of a schedule, or this event of a trigger, before.
    #[error("a run has begun already for what {by} asked for")]
    Ticked { by: String },
    /// Without it no executor can be found.
    #[error("cannot find executors")]
    Etcd(#[source] Cause),
    /// Nothing was written, and nothing can be any more.
    #[error("another coordinator leads by now")]
    Deposed,
    /// Nothing was written; it can be once etcd answers.
    #[error("this coordinator cannot know whether it still leads: etcd does not answer")]
    Unsure,
    #[error("cannot start the control thread")]
    Thread(#[source] io::Error),
    #[error("this machine gives no random numbers")]
    Random,
    #[error("a password cannot be hashed: {0}")]
    Hash(String),
    #[error("the key that access tokens are signed with is damaged in the metadata database")]
    SigningKey,
    #[error(transparent)]
    Vault(#[from] Fault),
    /// Nothing that is secret: where it lay.
    #[error("the secret at `{0}` is gone: its connection was changed or deleted since, run the pipeline again")]
    NoSecret(String),
    /// What is asked of executors could not be done.
    #[error("an executor cannot do this: {0}")]
    Executor(Box<Failure>),
    /// Of the installation's object storage.
    #[error("the storage does not do what it is asked")]
    Storage(#[source] Cause),
    /// Of the built-in warehouse.
    #[error("the warehouse does not do what it is asked")]
    Warehouse(#[source] Cause),
    /// Of a copy of the metadata database; nothing was changed.
    #[error("the backup cannot be used: {0}")]
    Backup(String),
    #[error("cannot go on serving")]
    Serve(#[source] Cause),
    #[error("cannot send over HTTP: {0}")]
    Post(String),
}

impl Error {
    /// Whether another process decides by now about what was to be written.
    pub(crate) fn is_takeover(&self) -> bool {
        matches!(self, Self::Fenced(_) | Self::Deposed)
    }

    /// The metadata database has not answered for so long.
    pub(crate) fn silent(limit: Duration) -> Self {
        let source = io::Error::new(io::ErrorKind::TimedOut, format!("no answer within {} s", limit.as_secs()));
        Self::Database { doing: "write", source: source.into() }
    }

    /// Whether the metadata database is away, rather than unwilling: it may be back any moment.
    pub(crate) fn is_outage(&self) -> bool {
        let Self::Database { source, .. } = self else { return false };
        match source.downcast_ref::<sqlx::Error>() {
            Some(sqlx::Error::Database(said)) => {
                said.code().is_some_and(|code| OUTAGES.iter().any(|o| code.starts_with(o)))
            }
            Some(error) => matches!(
                error,
                sqlx::Error::Io(_) | sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::WorkerCrashed
            ),
            None => source.is::<io::Error>(),
        }
    }

    /// The whole chain in one line, outermost first.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
