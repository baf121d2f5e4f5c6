//! Whole runs through the real actor and the real store, on both databases, with an executor made for the purpose.

pub(crate) mod access;
mod locked;
mod params;
pub(crate) mod pipelines;
pub(crate) mod schedules;
pub(crate) mod service;
pub(crate) mod simulate;
mod triggers;
mod turns;
pub(crate) mod world;

use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Block, BoundaryPolicy, ConnectionSpec, Input, Pipeline, PortType, Retries, Secrets};
use indexmap::IndexMap;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, Row};
use std::path::Path;
use std::time::Duration;

use crate::Space;

/// A block of a kind, reading `inputs`, with settings as validation leaves them.
pub(crate) fn block(id: &str, kind: &str, inputs: &[&str], settings: Value) -> Block {
    let port = if kind == "in_database" { PortType::DbTable } else { PortType::S3File };
    Block {
        id: BlockId::new(id),
        kind: kind.into(),
        settings,
        inputs: inputs.iter().map(|i| Input { block: BlockId::new(*i), port }).collect(),
        after: vec![],
        boundary: BoundaryPolicy::Auto,
        output: (!matches!(kind, "load" | "test")).then_some(port),
    }
}

pub(crate) fn extract(id: &str) -> Block {
    block(id, "extract", &[], json!({ "extract": {}, "sync": null }))
}

pub(crate) fn incremental(id: &str) -> Block {
    block(id, "extract", &[], json!({ "extract": {}, "sync": { "cursor": "n" } }))
}

pub(crate) fn sql(id: &str, inputs: &[&str]) -> Block {
    block(id, "sql", inputs, json!({ "sql": "select 1" }))
}

pub(crate) fn load(id: &str, input: &str, write: &str) -> Block {
    block(id, "load", &[input], json!({ "load": input, "write": write }))
}

pub(crate) fn test(id: &str, input: &str) -> Block {
    block(id, "test", &[input], json!({ "test": input }))
}

pub(crate) fn after(mut block: Block, ids: &[&str]) -> Block {
    block.after = ids.iter().map(|i| BlockId::new(*i)).collect();
    block
}

pub(crate) fn pipeline(name: &str, blocks: Vec<Block>) -> Pipeline {
    Pipeline {
        name: name.into(),
        connections: Default::default(),
        blocks: blocks.into_iter().map(|b| (b.id.clone(), b)).collect(),
        retries: Retries { max: 2, backoff_min: Duration::from_millis(2), backoff_max: Duration::from_millis(10) },
        memory: Some(1 << 27),
        params: Default::default(),
        service: Value::Null,
    }
}

/// A metadata database of a test's own.
pub(crate) struct Database {
    pub url: String,
    /// The server and schema to drop in the end.
    schema: Option<(String, String)>,
    pub home: tempfile::TempDir,
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { url: crate::store::sqlite_url(&home.path().join("flowetl.db")), schema: None, home }
    }

    /// A new schema on the server that `FLOWETL_TEST_POSTGRES` names.
    pub(crate) async fn postgres() -> Self {
        let server = std::env::var("FLOWETL_TEST_POSTGRES")
            .expect("this test needs a PostgreSQL server: set FLOWETL_TEST_POSTGRES to its URL");
        let schema = format!("coordinator_{}", uuid::Uuid::now_v7().simple());
        sql_on(&server, &format!("create schema {schema}")).await;
        let joint = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{joint}options[search_path]={schema}");
        Self { url, schema: Some((server, schema)), home: tempfile::tempdir().unwrap() }
    }

    /// All that is in it, as text.
    pub(crate) async fn dump(&self) -> String {
        sqlx::any::install_default_drivers();
        let mut connection = sqlx::AnyConnection::connect(&self.url).await.unwrap();
        let (tables, row) = match self.schema {
            None => ("select name from sqlite_schema where type = 'table'", None),
            Some(_) => {
                ("select cast(tablename as text) as name from pg_tables where schemaname = current_schema()", Some(()))
            }
        };
        let tables = sqlx::query(tables).fetch_all(&mut connection).await.unwrap();
        let mut dump = String::new();
        for table in tables {
            let name: String = table.get("name");
            let select = match row {
                Some(()) => format!("select cast(t as text) as row from {name} t"),
                None => {
                    let columns =
                        sqlx::query(sqlx::AssertSqlSafe(format!("select name from pragma_table_info('{name}')")));
                    let columns = columns.fetch_all(&mut connection).await.unwrap();
                    let columns = columns.iter().map(|c| format!("quote({})", c.get::<String, _>("name")));
                    format!("select {} as row from {name}", columns.collect::<Vec<_>>().join(" || ' ' || "))
                }
            };
            for row in sqlx::query(sqlx::AssertSqlSafe(select)).fetch_all(&mut connection).await.unwrap() {
                dump.push_str(&format!("{name}: {}\n", row.get::<String, _>("row")));
            }
        }
        connection.close().await.unwrap();
        dump
    }

    pub(crate) async fn drop(self) {
        if let Some((server, schema)) = self.schema {
            sql_on(&server, &format!("drop schema {schema} cascade")).await;
        }
    }
}

/// Of a process without any.
pub(crate) struct NoSecrets;

impl Secrets for NoSecrets {
    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

/// A folder, as settings name it.
pub(crate) fn folder_spec(path: &Path) -> ConnectionSpec {
    ConnectionSpec {
        scheme: "file".into(),
        host: None,
        port: None,
        user: None,
        password: None,
        path: path.display().to_string(),
        options: IndexMap::new(),
    }
}

/// A storage in a folder.
pub(crate) fn storage(path: &Path) -> Space {
    let spec = folder_spec(path);
    let connection = spec.resolve("storage", &NoSecrets).unwrap();
    Space::open(spec, &connection).unwrap()
}

async fn sql_on(server: &str, sql: &str) {
    sqlx::any::install_default_drivers();
    let mut connection = sqlx::AnyConnection::connect(server).await.expect("the test server answers");
    connection.execute(sqlx::AssertSqlSafe(sql.to_owned())).await.unwrap();
    connection.close().await.unwrap();
}

/// The same test on both databases.
macro_rules! on_both {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let database = $crate::tests::Database::sqlite();
                super::$name(&database).await;
                database.drop().await;
            })*
        }
        mod on_postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                let database = $crate::tests::Database::postgres().await;
                super::$name(&database).await;
                database.drop().await;
            })*
        }
    };
}
pub(crate) use on_both;
