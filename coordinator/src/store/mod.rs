//! The metadata database, SQLite or PostgreSQL: the one room that holds SQL. One file per resource.
//!
//! Both databases take the same migrations and the same statements, through sqlx's `Any` driver.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::any::{AnyPoolOptions, AnyRow};
use sqlx::migrate::Migrator;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Any, AnyPool, Connection, Executor, Row, Transaction};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::lead::Tenure;
use crate::{Error, Result};

mod alert;
mod attempt;
mod boundary;
mod dashboard;
mod directory;
mod event;
mod firing;
mod history;
mod idempotency;
mod leadership;
mod loaded;
mod news;
mod origin;
mod pipeline;
mod position;
mod record;
mod run;
mod schedule;
mod segment;
mod serial;
mod sink_commit;
mod source_schema;
#[cfg(test)]
pub(crate) mod tests;
mod whole;
mod written;

pub(crate) use alert::Told;
pub(crate) use attempt::AttemptRow;
pub(crate) use dashboard::{HOUR_MS, Health, Hourly, Trouble};
pub(crate) use directory::{Directory, Edge, PipelineQuery};
pub(crate) use history::{RunPage, RunQuery, Waiting, id_at};
pub(crate) use idempotency::Earlier;
pub(crate) use loaded::Loaded;
pub(crate) use news::{News, NewsRow};
pub(crate) use origin::{Cause, Origin, Tick, Trigger};
pub(crate) use pipeline::Version;
pub use position::PositionRow;
pub(crate) use record::{Record, Stored};
pub(crate) use run::{OwnedRun, RunRow, Totals};
pub(crate) use schedule::{Scheduled, TransformationTick};
pub(crate) use segment::SegmentRow;
pub(crate) use sink_commit::{CommitState, SinkCommit};
pub(crate) use whole::{TableRow, schema};
pub(crate) use written::Written;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// How long a statement may wait for a connection, and SQLite for another process's write.
const BUSY_LIMIT: Duration = Duration::from_secs(10);

/// How long PostgreSQL keeps the locks of a transaction that says nothing: shorter than a leader's lease, so that one which
/// was stopped half way does not keep the next from writing.
const IDLE_LIMIT: Duration = Duration::from_secs(5);

/// How long a failed opening of SQLite is tried again, and the pause between.
const FIRST_OPEN_LIMIT: Duration = Duration::from_millis(500);
const FIRST_OPEN_PAUSE: Duration = Duration::from_millis(50);

/// Connections: a few readers at once, so that nobody waits behind who searches a million runs. Those to PostgreSQL write, too.
const CONNECTIONS: u32 = 4;

/// After how long without a word it is asked whether a connection to PostgreSQL still stands before it is used.
const UNASKED_LIMIT: Duration = Duration::from_secs(1);

/// What each connection to SQLite keeps of the file at most: the indexes' upper pages, which every list goes through.
const SQLITE_CACHE_KIB: u32 = 8 * 1024;

/// An open metadata database. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    /// For all that only reads.
    pool: AnyPool,
    /// For all that writes. One writer is all that SQLite has: its only connection also means that it never waits for itself.
    writers: AnyPool,
    /// SQLite takes its write lock at once, so that no transaction fails half way.
    begin: &'static str,
    /// How a leader asks whether it still leads, in a way that holds for the whole transaction.
    who_leads: &'static str,
    /// Under which it writes, where there may be other coordinators.
    tenure: Option<Tenure>,
    /// Told when news may have been added.
    grown: Arc<Notify>,
    /// Told when this process has made or ended an organization.
    founded: Arc<Notify>,
}

impl Store {
    /// Opens the database of `url` (`sqlite:` or `postgres:`) and brings its schema up to date.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        sqlx::any::install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        let started = Instant::now();
        loop {
            match Self::try_open(url, sqlite).await {
                // Two processes that open a new home together get in each other's way; the second look finds all done.
                Err(_) if sqlite && started.elapsed() < FIRST_OPEN_LIMIT => sleep(FIRST_OPEN_PAUSE).await,
                opened => return opened,
            }
        }
    }

    /// Opens the database to look into it; nothing is made or brought up to date. `None` where there is none, or one of
    /// another schema.
    pub(crate) async fn look(url: &str) -> Result<Option<Self>> {
        sqlx::any::install_default_drivers();
        let sqlite = url.starts_with("sqlite:");
        if sqlite && !SqliteConnectOptions::from_str(url).map_err(doing("connect"))?.get_filename().exists() {
            return Ok(None);
        }
        let store = Self::connect(url, sqlite).await?;
        if store.is_up_to_date().await {
            return Ok(Some(store));
        }
        store.close().await;
        Ok(None)
    }

    async fn try_open(url: &str, sqlite: bool) -> Result<Self> {
        let store = Self::connect(url, sqlite).await?;
        if !store.migrate().await? {
            return Ok(store);
        }
        // A connection that has seen the schema as it was takes `select *` for the columns of then, and fails at those that came.
        store.close().await;
        Self::connect(url, sqlite).await
    }

    async fn connect(url: &str, sqlite: bool) -> Result<Self> {
        let writers = Self::pool(url, sqlite, if sqlite { 1 } else { CONNECTIONS }).await?;
        // SQLite keeps what was committed beside the database, where readers see it without waiting for the writer.
        let pool = if sqlite { Self::pool(url, sqlite, CONNECTIONS).await? } else { writers.clone() };
        let (begin, who_leads) = match sqlite {
            true => ("begin immediate", "select term from leadership where id = 1"),
            false => ("begin", "select term from leadership where id = 1 for share"),
        };
        Ok(Self { pool, writers, begin, who_leads, tenure: None, grown: Arc::default(), founded: Arc::default() })
    }

    async fn pool(url: &str, sqlite: bool, connections: u32) -> Result<AnyPool> {
        let options = AnyPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(BUSY_LIMIT)
            .test_before_acquire(false)
            .before_acquire(move |connection, meta| {
                Box::pin(async move {
                    if !sqlite && meta.idle_for > UNASKED_LIMIT {
                        connection.ping().await?;
                    }
                    // A commit that failed (a full disk) leaves a connection that counts a transaction it no longer has.
                    Ok(!connection.is_in_transaction())
                })
            })
            .idle_timeout(None)
            .max_lifetime(None)
            .after_connect(move |connection, _| {
                Box::pin(async move {
                    if sqlite {
                        let busy_ms = BUSY_LIMIT.as_millis();
                        let pragmas = format!(
                            "pragma busy_timeout = {busy_ms}; pragma journal_mode = wal; pragma synchronous = full; \
                             pragma cache_size = -{SQLITE_CACHE_KIB};"
                        );
                        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(pragmas))).await?;
                    } else {
                        let idle_ms = IDLE_LIMIT.as_millis();
                        let setting = format!("set idle_in_transaction_session_timeout = {idle_ms}");
                        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(setting))).await?;
                    }
                    Ok(())
                })
            });
        options.connect(url).await.map_err(doing("connect"))
    }

    /// Whether no migration is missing: one cheap statement, because it is asked at every start.
    async fn is_up_to_date(&self) -> bool {
        let newest = MIGRATIONS.iter().map(|m| m.version).max();
        let applied = sqlx::query("select max(version) as version from _sqlx_migrations where success")
            .fetch_one(&self.pool)
            .await
            .ok()
            .and_then(|row| row.try_get::<Option<i64>, _>("version").ok().flatten());
        applied >= newest
    }

    /// Runs the migrations that are missing. False where none was.
    async fn migrate(&self) -> Result<bool> {
        if self.is_up_to_date().await {
            return Ok(false);
        }
        let mut connection = self.writers.acquire().await.map_err(doing("connect"))?;
        let sqlite = connection.backend_name() == "SQLite";
        if sqlite {
            // A migration that a power cut takes back is simply done again: no need to wait for the disk at each step.
            connection.execute("pragma synchronous = normal").await.map_err(doing("migrate"))?;
        }
        MIGRATIONS.run(&mut *connection).await.map_err(|e| Error::Migrate(e.into()))?;
        if sqlite {
            connection.execute("pragma synchronous = full").await.map_err(doing("migrate"))?;
        }
        Ok(true)
    }

    /// Writes from now on as the leader of `tenure`, and as nobody once another leads.
    pub(crate) fn led(self, tenure: Option<Tenure>) -> Self {
        Self { tenure, ..self }
    }

    /// Begins a transaction that writes. Where there may be other coordinators: fails with [`Error::Unsure`] while this
    /// one cannot know whether it leads, and with [`Error::Deposed`] once it does not.
    async fn begin(&self) -> Result<Transaction<'static, Any>> {
        let Some(tenure) = &self.tenure else { return self.begin_unled().await };
        tenure.check()?;
        let mut tx = self.begin_unled().await?;
        let checked = leadership::check(&mut tx, self.who_leads, tenure).await;
        if matches!(checked, Err(Error::Deposed)) {
            tenure.end("another coordinator has taken the lead in the metadata database");
        }
        checked.map(|()| tx)
    }

    /// Waits until something may be written, or never again.
    pub(crate) async fn sure(&self) -> Result<()> {
        match &self.tenure {
            Some(tenure) => tenure.sure().await,
            None => Ok(()),
        }
    }

    /// Whether it writes as a leader among others.
    pub(crate) fn is_led(&self) -> bool {
        self.tenure.is_some()
    }

    /// Whether nothing may be written any more.
    pub(crate) fn is_deposed(&self) -> bool {
        self.tenure.as_ref().is_some_and(Tenure::is_over)
    }

    /// Told when this process may have added news.
    pub(crate) fn grown(&self) -> Arc<Notify> {
        Arc::clone(&self.grown)
    }

    /// Told when this process has made or ended an organization.
    pub(crate) fn founded(&self) -> Arc<Notify> {
        Arc::clone(&self.founded)
    }

    async fn begin_unled(&self) -> Result<Transaction<'static, Any>> {
        self.writers.begin_with(self.begin).await.map_err(doing("begin a transaction"))
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
        self.writers.close().await;
    }
}

/// The URL of the SQLite file at `path`.
pub(crate) fn sqlite_url(path: &Path) -> String {
    let mut url = String::from("sqlite://");
    for c in path.to_string_lossy().chars() {
        match c {
            '%' => url.push_str("%25"),
            '?' => url.push_str("%3F"),
            '#' => url.push_str("%23"),
            ' ' => url.push_str("%20"),
            other => url.push(other),
        }
    }
    url + "?mode=rwc"
}

/// Says what was being done when the database failed.
fn doing(doing: &'static str) -> impl Fn(sqlx::Error) -> Error {
    move |source| Error::Database { doing, source: source.into() }
}

async fn commit(tx: Transaction<'static, Any>) -> Result<()> {
    tx.commit().await.map_err(doing("commit"))
}

/// A document as it is stored.
fn to_json<T: Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|source| Error::Stored { what, source })
}

fn from_json<T: DeserializeOwned>(what: &'static str, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|source| Error::Stored { what, source })
}

/// A column's value.
fn get<'r, T>(row: &'r AnyRow, column: &'static str) -> Result<T>
where
    T: sqlx::Decode<'r, Any> + sqlx::Type<Any>,
{
    row.try_get(column).map_err(doing("read a row"))
}

/// What one of our words in a column means.
fn get_word<T: FromStr<Err = String>>(row: &AnyRow, column: &'static str) -> Result<T> {
    let meant = get::<String>(row, column)?.parse();
    meant.map_err(|e: String| Error::Stored { what: column, source: serde::de::Error::custom(e) })
}

/// A column's document, where there is one.
fn get_json<T: DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<Option<T>> {
    get::<Option<String>>(row, column)?.map(|text| from_json(column, &text)).transpose()
}

/// The pattern of texts that hold `text`, in small letters, for `like ... escape '\\'`.
fn containing(text: &str) -> String {
    naming(&text.to_lowercase())
}

/// The pattern of texts that hold `text` as it is. SQLite takes letters of both cases for the same there.
fn naming(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern + "%"
}
