//! A database that a test looks into by itself, past the program: PostgreSQL, or a SQLite file.

use std::path::Path;
use std::sync::{Mutex, Once};

use sqlx::any::install_default_drivers;
use sqlx::{AnyConnection, AssertSqlSafe, Connection, Row};
use tokio::runtime::{Builder, Runtime};

/// One connection to a database. One made by [`Database::postgres`] owns its database and drops it at the end.
pub struct Database {
    pub url: String,
    runtime: Runtime,
    connection: Mutex<Option<AnyConnection>>,
    /// The server's own database and the name of ours.
    owned: Option<(String, String)>,
}

impl Database {
    /// A new database on the server that `FLOWETL_TEST_POSTGRES` names.
    pub fn postgres() -> Self {
        let server = std::env::var("FLOWETL_TEST_POSTGRES")
            .expect("`FLOWETL_TEST_POSTGRES` names no PostgreSQL server for this test; `deploy/test.sh` starts one");
        let unique = tempfile::Builder::new().prefix("it_").rand_bytes(12).tempfile().unwrap();
        let name = unique.path().file_name().unwrap().to_str().unwrap().to_lowercase();
        Self::open(&server).run(&format!("create database {name}"));
        let (base, _) = server.rsplit_once('/').expect("`FLOWETL_TEST_POSTGRES` ends with `/database`");
        let mut database = Self::open(&format!("{base}/{name}"));
        database.owned = Some((server, name));
        database
    }

    /// A SQLite file, made if it is not there.
    pub fn sqlite(path: &Path) -> Self {
        Self::open(&format!("sqlite://{}?mode=rwc", path.display()))
    }

    /// Another connection to the same database.
    pub fn again(&self) -> Self {
        Self::open(&self.url)
    }

    pub fn open(url: &str) -> Self {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(install_default_drivers);
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let connection = runtime.block_on(AnyConnection::connect(url)).unwrap_or_else(|e| panic!("`{url}`: {e}"));
        Self { url: url.to_owned(), runtime, connection: Mutex::new(Some(connection)), owned: None }
    }

    /// Runs statements.
    #[track_caller]
    pub fn run(&self, sql: &str) {
        let mut connection = self.connection.lock().unwrap();
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection.as_mut().unwrap());
        self.runtime.block_on(done).unwrap_or_else(|e| panic!("{e}\n{sql}"));
    }

    /// The first column of every row, which must be text.
    pub fn try_texts(&self, sql: &str) -> Result<Vec<String>, sqlx::Error> {
        let mut connection = self.connection.lock().unwrap();
        let rows = sqlx::raw_sql(AssertSqlSafe(sql)).fetch_all(connection.as_mut().unwrap());
        self.runtime.block_on(rows)?.iter().map(|row| row.try_get(0)).collect()
    }

    #[track_caller]
    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.try_texts(sql).unwrap_or_else(|e| panic!("{e}\n{sql}"))
    }

    /// The one value of a query, as text.
    #[track_caller]
    pub fn text(&self, sql: &str) -> String {
        let mut texts = self.texts(sql);
        assert_eq!(texts.len(), 1, "{sql}");
        texts.remove(0)
    }

    #[track_caller]
    pub fn number(&self, sql: &str) -> i64 {
        self.text(&format!("select cast(n as text) from ({sql}) as q(n)")).parse().unwrap()
    }

    /// PostgreSQL: whether a table is there.
    pub fn has(&self, table: &str) -> bool {
        self.number(&format!("select count(*) from pg_class where oid = to_regclass('{table}')")) == 1
    }

    /// PostgreSQL: what is left of staging in any schema. The table of commits is meant to stay.
    pub fn staged(&self) -> Vec<String> {
        self.texts(
            "select relname::text from pg_class where relname like '\\_flowetl\\_%' \
             and relname not like '\\_flowetl\\_commits%' order by 1",
        )
    }

    /// PostgreSQL: the sessions of the program in this database that are in use, with what they do.
    pub fn sessions(&self) -> Vec<String> {
        self.texts(
            "select application_name || ': ' || coalesce(state, '') || ': ' || query from pg_stat_activity \
             where datname = current_database() and application_name like 'flowetl%' and state <> 'idle'",
        )
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let connection = self.connection.get_mut().ok().and_then(Option::take);
        // A server that is gone takes its databases with it.
        let _ = connection.map(|c| self.runtime.block_on(c.close()));
        if let Some((server, name)) = self.owned.take() {
            Self::open(&server).run(&format!("drop database {name} with (force)"));
        }
    }
}
