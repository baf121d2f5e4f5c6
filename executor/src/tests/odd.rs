//! A system that behaves as its tables are called, for tests of attempts that go wrong.
//!
//! | table | as a source | as a target |
//! |---|---|---|
//! | `panics` | panics after its first batch | panics with its first batch |
//! | `prepare_panics` | | panics when all rows are written |
//! | `endless` | always has another batch | |
//! | `silent` | never gives anything | never takes anything |
//! | `mute` | never says what columns it has | never is done with what it was given |
//! | `stuck` | keeps its thread while there is a file `hold` in the connection's folder | |
//! | any other | three batches | counts its rows |
//!
//! Functions in SQL behave oddly too: [`with_functions`].
//!
//! A target `t` is staged as the file `t.staged.TOKEN` and published as the file `t`, which holds the number of rows.

use std::fmt::Debug;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use arrow::array::{ArrayRef, AsArray, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::execution::{SendableRecordBatchStream, SessionStateBuilder, TaskContext};
use datafusion::logical_expr::async_udf::{AsyncScalarUDF, AsyncScalarUDFImpl};
use datafusion::logical_expr::{ColumnarValue, ScalarFunctionArgs, ScalarUDFImpl, Signature, Volatility, create_udf};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use flowetl_proto::catalogue::{ConnectorDescription, Places};
use flowetl_proto::control::{Part, Position};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Connection, Reference};
use futures::{StreamExt, stream};
use serde_json::{Value, json};

use crate::Result;
use crate::connectors::{Committed, Connector, OpenContext, Sink, SinkRequest, SinkWriter, SourceRequest, System};

/// Rows of one batch.
pub(crate) const BATCH: i64 = 100;
/// Batches of a source that behaves.
pub(crate) const BATCHES: usize = 3;

/// `place(n)` is the name of the thread that it is computed on, `trap(n)` is `n` and panics at 13, `held(file, n)` is `n` and
/// waits while there is such a file; the last two only on threads called `helper...`. `never(n)` is waited for without end.
pub(crate) fn with_functions(mut builder: SessionStateBuilder) -> SessionStateBuilder {
    let functions = builder.scalar_functions().get_or_insert_default();
    let mut function = |name: &str, from: Vec<DataType>, to: DataType, body: fn(&[ArrayRef]) -> ArrayRef| {
        let body = move |arguments: &[ColumnarValue]| {
            Ok(ColumnarValue::Array(body(&ColumnarValue::values_to_arrays(arguments)?)))
        };
        functions.push(Arc::new(create_udf(name, from, to, Volatility::Volatile, Arc::new(body))));
    };
    function("place", vec![DataType::Int64], DataType::Utf8, |numbers| {
        let name = thread::current().name().unwrap_or_default().to_owned();
        Arc::new(StringArray::from_iter_values((0..numbers[0].len()).map(|_| &name)))
    });
    function("trap", vec![DataType::Int64], DataType::Int64, |numbers| {
        assert!(!helps() || !numbers[0].as_primitive::<Int64Type>().values().contains(&13), "13 is too much");
        Arc::clone(&numbers[0])
    });
    function("held", vec![DataType::Utf8, DataType::Int64], DataType::Int64, |arguments| {
        while helps() && PathBuf::from(arguments[0].as_string::<i32>().value(0)).exists() {
            thread::sleep(Duration::from_millis(5));
        }
        Arc::clone(&arguments[1])
    });
    functions.push(Arc::new(
        AsyncScalarUDF::new(Arc::new(Never(Signature::any(1, Volatility::Volatile)))).into_scalar_udf(),
    ));
    builder
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Never(Signature);

impl ScalarUDFImpl for Never {
    fn name(&self) -> &'static str {
        "never"
    }

    fn signature(&self) -> &Signature {
        &self.0
    }

    fn return_type(&self, _: &[DataType]) -> datafusion::error::Result<DataType> {
        Ok(DataType::Int64)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> datafusion::error::Result<ColumnarValue> {
        Err(crate::Error::internal("a function that waits was called as one that does not").into())
    }
}

#[async_trait]
impl AsyncScalarUDFImpl for Never {
    async fn invoke_async_with_args(&self, _: ScalarFunctionArgs) -> datafusion::error::Result<ColumnarValue> {
        std::future::pending().await
    }
}

/// Whether this is a thread of an executor that helps another.
fn helps() -> bool {
    thread::current().name().is_some_and(|name| name.starts_with("helper"))
}

#[derive(Debug)]
pub(crate) struct Odd;

#[async_trait]
impl Connector for Odd {
    fn describe(&self) -> ConnectorDescription {
        ConnectorDescription {
            name: "odd".into(),
            label: "Odd".into(),
            schemes: vec!["odd".into()],
            places: Places::Tables,
            settings: json!({}),
        }
    }

    async fn open(&self, connection: Connection, _: OpenContext) -> Result<Arc<dyn System>> {
        Ok(Arc::new(OddSystem { folder: connection.path.into() }))
    }
}

#[derive(Debug)]
struct OddSystem {
    folder: PathBuf,
}

#[async_trait]
impl System for OddSystem {
    async fn source(&self, request: SourceRequest) -> Result<Arc<dyn TableProvider>> {
        let table = table(&request.from);
        if table == "mute" {
            return std::future::pending().await;
        }
        let schema = Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, false)]));
        let rows = OddRows { schema: Arc::clone(&schema), table, hold: self.folder.join("hold") };
        Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(rows)])?))
    }

    async fn sink(&self, request: SinkRequest) -> Result<Arc<dyn Sink>> {
        let table = table(&request.to);
        let target = self.folder.join(&table);
        let staged = self.folder.join(format!("{table}.staged.{}", request.attempt.token));
        Ok(Arc::new(OddSink { table, target, staged }))
    }

    async fn version(&self) -> Result<String> {
        Ok("0".into())
    }
}

fn table(place: &Reference) -> String {
    match place {
        Reference::Table { table, .. } => table.clone(),
        other => panic!("`{other}` is no table"),
    }
}

#[derive(Debug)]
struct OddRows {
    schema: SchemaRef,
    table: String,
    hold: PathBuf,
}

impl PartitionStream for OddRows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let schema = Arc::clone(&self.schema);
        let batch = move |n: usize| {
            let from = n as i64 * BATCH;
            let numbers = Int64Array::from_iter_values(from..from + BATCH);
            Ok(RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(numbers)])?)
        };
        let hold = self.hold.clone();
        let batches = match self.table.as_str() {
            "panics" => stream::iter(0..BATCHES)
                .map(move |n| if n == 1 { panic!("batch {n} is too much") } else { batch(n) })
                .boxed(),
            "endless" => stream::iter(0..).map(batch).boxed(),
            "silent" => stream::pending().boxed(),
            "stuck" => stream::iter(0..1)
                .map(move |n| {
                    while hold.exists() {
                        thread::sleep(Duration::from_millis(5));
                    }
                    batch(n)
                })
                .boxed(),
            _ => stream::iter(0..BATCHES).map(batch).boxed(),
        };
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}

#[derive(Debug)]
struct OddSink {
    table: String,
    target: PathBuf,
    staged: PathBuf,
}

#[async_trait]
impl Sink for OddSink {
    fn writers_max(&self) -> usize {
        1
    }

    async fn exists(&self) -> Result<bool> {
        Ok(self.target.exists())
    }

    async fn begin(&self) -> Result<()> {
        fs::write(&self.staged, "").unwrap();
        Ok(())
    }

    async fn writer(&self, _: usize) -> Result<Box<dyn SinkWriter>> {
        Ok(Box::new(OddWriter { table: self.table.clone(), rows: 0 }))
    }

    async fn prepare(&self, parts: &[Part]) -> Result<Value> {
        match self.table.as_str() {
            "prepare_panics" => panic!("these rows cannot be made durable"),
            "mute" => std::future::pending().await,
            _ => {}
        }
        fs::write(&self.staged, parts.iter().map(|part| part.rows).sum::<u64>().to_string()).unwrap();
        Ok(json!({}))
    }

    async fn commit(&self, _: &Value, _: &[(BlockId, Position)]) -> Result<Committed> {
        let moved = fs::rename(&self.staged, &self.target).is_ok();
        Ok(if moved || self.target.exists() { Committed::Done } else { Committed::Lost })
    }

    async fn discard(&self) -> Result<()> {
        if self.staged.exists() {
            fs::remove_file(&self.staged).unwrap();
        }
        Ok(())
    }

    fn describe(&self) -> String {
        self.table.clone()
    }
}

struct OddWriter {
    table: String,
    rows: u64,
}

#[async_trait]
impl SinkWriter for OddWriter {
    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        match self.table.as_str() {
            "panics" => panic!("these rows are too much"),
            "silent" => std::future::pending().await,
            _ => self.rows += batch.num_rows() as u64,
        }
        Ok(())
    }

    async fn finish(self: Box<Self>) -> Result<Vec<Part>> {
        Ok(vec![Part { uri: self.table, rows: self.rows, bytes: 0, crc: 0, note: Value::Null }])
    }
}
