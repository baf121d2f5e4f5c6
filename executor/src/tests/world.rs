//! A shop in SQLite, files beside it, and attempts over them, for the engine's tests.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use flowetl_proto::control::{AttemptId, AttemptSpec, Output, Segment};
use flowetl_proto::id::{BlockId, SegmentId, Token};
use flowetl_proto::pipeline::{Block, BoundaryPolicy, Connection, ConnectionSpec, Input, PortType, Secrets};
use indexmap::IndexMap;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::NodeConfig;
use crate::connectors::OpenContext;
use crate::connectors::systems::Systems;
use crate::memory::Budget;
use crate::plan::{self, Compiled, Ingredients, Thrift};
use crate::storage::Storage;

/// Rows of the table `orders`.
pub(crate) const ORDERS: i64 = 20_000;

pub(crate) struct NoSecrets;

impl Secrets for NoSecrets {
    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

/// A folder with `shop.db`, `lake/events.parquet`, `odd`, `storage` and `spill`; `out.db` is there once it was loaded to.
pub(crate) struct World {
    pub(crate) folder: TempDir,
    pub(crate) config: NodeConfig,
    pub(crate) connections: IndexMap<String, ConnectionSpec>,
}

impl World {
    /// The folder as object storage.
    pub(crate) fn storage_in(folder: &std::path::Path) -> Storage {
        let spec = ConnectionSpec {
            scheme: "file".into(),
            host: None,
            port: None,
            user: None,
            password: None,
            path: folder.display().to_string(),
            options: IndexMap::new(),
        };
        Storage::open(&spec.resolve("storage", &NoSecrets).unwrap()).unwrap()
    }

    pub(crate) async fn new(parallelism: usize) -> Self {
        let folder = TempDir::new().unwrap();
        let root = folder.path().to_owned();
        let path = |name: &str| root.join(name).display().to_string();
        for name in ["lake", "odd", "spill", "storage"] {
            std::fs::create_dir(path(name)).unwrap();
        }
        let spec = |scheme: &str, path: String| ConnectionSpec {
            scheme: scheme.into(),
            host: None,
            port: None,
            user: None,
            password: None,
            path,
            options: IndexMap::new(),
        };
        let connections = IndexMap::from([
            ("shop".to_owned(), spec("sqlite", path("shop.db"))),
            ("lake".to_owned(), spec("file", path("lake"))),
            ("odd".to_owned(), spec("odd", path("odd"))),
            ("out".to_owned(), spec("sqlite", path("out.db"))),
        ]);
        let storage = Storage::open(&Connection {
            name: "storage".into(),
            scheme: "file".into(),
            host: None,
            port: None,
            user: None,
            password: None,
            path: path("storage"),
            options: IndexMap::new(),
        });
        let spill_folder = folder.path().join("spill");
        let config = NodeConfig {
            parallelism,
            storage: storage.unwrap(),
            spill_folder,
            secrets: Arc::new(NoSecrets),
            stall_limit: NodeConfig::STALL_LIMIT,
            deadlock_limit: NodeConfig::DEADLOCK_LIMIT,
            share_bytes: NodeConfig::SHARE_BYTES,
            freed: Arc::default(),
        };
        let world = Self { folder, config, connections };
        world.shop(&format!(
            "pragma journal_mode = wal;
             create table customers (id integer primary key, name text not null, city text);
             create table orders (id integer primary key, customer_id integer not null, total integer not null,
                                  day date not null, note text);
             with recursive n(i) as (select 0 union all select i + 1 from n where i < 999)
             insert into customers select i, 'name ' || i, 'city ' || (i % 7) from n;
             with recursive n(i) as (select 0 union all select i + 1 from n where i < {ORDERS} - 1)
             insert into orders select i, i % 1000, i % 50, date('2025-01-01', '+' || (i % 300) || ' days'),
                                       'a note of some length ' || i from n;"
        ));
        let session = datafusion::prelude::SessionContext::new();
        let sql = format!(
            "copy (select v as id, v % 1000 as customer_id, cast(v as varchar) as what, v * 2 as size
                   from generate_series(0, 9999) as t(v)) to '{}' stored as parquet",
            path("lake/events.parquet")
        );
        session.sql(&sql).await.unwrap().collect().await.unwrap();
        world
    }

    /// Runs statements in the shop's database by SQLite's own means.
    pub(crate) fn shop(&self, sql: &str) {
        rusqlite::Connection::open(self.folder.path().join("shop.db")).unwrap().execute_batch(sql).unwrap();
    }

    pub(crate) fn systems(&self) -> Systems {
        let context = OpenContext {
            parallelism: self.config.parallelism,
            executors: 1,
            batch_rows: 8192,
            batch_bytes: 1 << 20,
            row_group_bytes: 8 << 20,
        };
        Systems::new(self.connections.clone(), Arc::clone(&self.config.secrets), context)
    }

    /// An attempt of the run `run`, whose segment is these blocks.
    pub(crate) fn attempt(&self, run: &str, token: i64, blocks: Vec<Block>, output: Output) -> AttemptSpec {
        let segment = segment(blocks, output);
        let id = AttemptId { pipeline: "p".into(), run: run.into(), segment: segment.id.clone(), token: Token(token) };
        AttemptSpec {
            id,
            segment,
            connections: self.connections.clone(),
            secrets: Default::default(),
            inputs: BTreeMap::new(),
            positions: BTreeMap::new(),
            schemas: BTreeMap::new(),
            carried: BTreeMap::new(),
            memory: None,
            helpers: Vec::new(),
            avoided: BTreeSet::new(),
            thrifty: false,
        }
    }

    /// Every file below one of the folders, from there, sorted.
    pub(crate) fn files(&self, folder: &str) -> Vec<String> {
        let root = self.folder.path().join(folder);
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                match path.is_dir() {
                    // What is said of runs is written whenever it is.
                    true if path.ends_with("logs") => {}
                    true => folders.push(path),
                    false => found.push(path.strip_prefix(&root).unwrap().display().to_string()),
                }
            }
        }
        found.sort();
        found
    }

    /// The blocks as one plan.
    pub(crate) async fn compile(&self, blocks: Vec<Block>) -> crate::Result<Compiled> {
        self.compile_after(blocks, BTreeMap::new()).await
    }

    /// The same where extracts have read these columns before.
    pub(crate) async fn compile_after(
        &self,
        blocks: Vec<Block>,
        schemas: BTreeMap<BlockId, SchemaRef>,
    ) -> crate::Result<Compiled> {
        let budget = Budget::new(None).unwrap();
        let runtime = budget.runtime(&self.config.spill_folder).unwrap();
        let ingredients = Ingredients {
            context: plan::session(self.config.parallelism, budget.pool, Thrift::Usual, runtime),
            systems: &self.systems(),
            inputs: HashMap::new(),
            positions: &BTreeMap::new(),
            schemas,
            quarantines: HashMap::new(),
        };
        plan::compile(&segment(blocks, Output::Boundary), ingredients).await
    }
}

fn segment(blocks: Vec<Block>, output: Output) -> Segment {
    let id = SegmentId::new(blocks.last().unwrap().id.as_str());
    Segment { id, blocks, inputs: Vec::new(), upstream: Vec::new(), rereads: BTreeSet::new(), frozen: false, output }
}

pub(crate) fn block(id: &str, kind: &str, inputs: &[&str], settings: Value) -> Block {
    Block {
        id: BlockId::new(id),
        kind: kind.into(),
        settings,
        inputs: inputs.iter().map(|i| Input { block: BlockId::new(*i), port: PortType::S3File }).collect(),
        after: Vec::new(),
        boundary: BoundaryPolicy::Auto,
        output: (!matches!(kind, "load" | "test")).then_some(PortType::S3File),
    }
}

/// A table of a connection; a path where the connection is `lake`.
pub(crate) fn place(connection: &str, name: &str) -> Value {
    match connection {
        "lake" => json!({"path": {"connection": "lake", "path": name, "format": null}}),
        _ => json!({"table": {"connection": connection, "schema": null, "table": name}}),
    }
}

pub(crate) fn extract(id: &str, connection: &str, name: &str) -> Block {
    block(id, "extract", &[], json!({"extract": place(connection, name)}))
}

pub(crate) fn sql(id: &str, inputs: &[&str], sql: &str) -> Block {
    block(id, "sql", inputs, json!({ "sql": sql }))
}

/// Writes the rows of `from` to a table.
pub(crate) fn load(id: &str, from: &str, connection: &str, name: &str, write: &str) -> Block {
    block(id, "load", &[from], json!({"load": from, "to": place(connection, name), "write": write}))
}
