//! Looking without touching: what a pipeline would do, and the first rows of a block. Nothing here writes anywhere.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use arrow::ipc::writer::StreamWriter;
use arrow::json::WriterBuilder;
use arrow::json::writer::JsonArray;
use arrow::util::display::FormatOptions;
use arrow::util::pretty::pretty_format_batches_with_options;
use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::datasource::empty::EmptyTable;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_plan::collect;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptId, AttemptSpec, Output, Segment};
use flowetl_proto::id::{BlockId, RunId, Token};
use flowetl_proto::look::{FileState, Found, Inspector, NotFound, PREVIEW_BYTES_MAX, RowsForm, SegmentPlan};
use flowetl_proto::pipeline::{ConnectionSpec, Pipeline, Reference, Unsealed};
use flowetl_proto::tables::{Sample, Table};
use indexmap::IndexMap;
use serde_json::Value;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::task::AbortOnDropHandle;

use crate::config::NodeConfig;
use crate::connectors::systems::Systems;
use crate::connectors::{OpenContext, SourceRequest};
use crate::destination::{Destination, root};
use crate::memory::Budget;
use crate::node::Surroundings;
use crate::plan::{self, Ingredients, Thrift};
use crate::segment::work;
use crate::{Error, Result, blocks};

/// How long a connection may take to answer a test.
const TEST_LIMIT: Duration = Duration::from_secs(5);

/// This process, as it looks into the systems that it reaches.
#[derive(Clone)]
pub struct Here {
    config: NodeConfig,
    data: Handle,
}

impl Here {
    /// Looks with the settings of `config`; what takes time runs on `data`.
    pub fn new(config: NodeConfig, data: Handle) -> Self {
        Self { config, data }
    }

    /// The settings for a look that needs these secrets.
    fn with(&self, secrets: &Unsealed) -> NodeConfig {
        NodeConfig { secrets: secrets.over(Arc::clone(&self.config.secrets)), ..self.config.clone() }
    }

    async fn on_data<T: Send + 'static>(
        &self,
        look: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T, Failure> {
        // Nobody looks any more once whoever asked has gone.
        let looked = AbortOnDropHandle::new(self.data.spawn(look)).await;
        let looked = looked.unwrap_or_else(|e| Err(Error::new(Class::Panic, "looking broke off").because(e)));
        looked.map_err(|e| e.to_failure())
    }
}

#[async_trait]
impl Inspector for Here {
    async fn plan(
        &self,
        pipeline: &Pipeline,
        segments: &[Segment],
        remembered: &BTreeMap<BlockId, Value>,
        secrets: &Unsealed,
    ) -> Result<Vec<SegmentPlan>, Failure> {
        let (pipeline, segments, remembered) = (pipeline.clone(), segments.to_vec(), remembered.clone());
        let (config, data) = (self.with(secrets), self.data.clone());
        self.on_data(async move { plan(&pipeline, &segments, &remembered, config, data).await }).await
    }

    async fn preview(
        &self,
        pipeline: &Pipeline,
        block: &BlockId,
        (count, form): (usize, RowsForm),
        secrets: &Unsealed,
    ) -> Result<Vec<u8>, Failure> {
        let (pipeline, block) = (pipeline.clone(), block.clone());
        let (config, data) = (self.with(secrets), self.data.clone());
        self.on_data(async move {
            let rows = preview(&pipeline, &block, count, config, data).await?;
            match form {
                RowsForm::Arrow => rows.to_stream(&block),
                RowsForm::Text => tables::written(&rows),
            }
        })
        .await
    }

    async fn test(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
    ) -> Result<Result<Found, NotFound>, Failure> {
        let (name, connection, config) = (name.to_owned(), connection.clone(), self.with(secrets));
        self.on_data(async move {
            Ok(version(&name, &connection, &config).await.map(|version| Found { version }).map_err(|error| {
                let message = error.to_failure().message;
                NotFound { hint: hint::hint(&message).map(str::to_owned), message }
            }))
        })
        .await
    }

    async fn discover(
        &self,
        name: &str,
        connection: &ConnectionSpec,
        secrets: &Unsealed,
        pages: mpsc::Sender<Vec<Table>>,
    ) -> Result<(), Failure> {
        let (name, connection, config) = (name.to_owned(), connection.clone(), self.with(secrets));
        self.on_data(async move { tables::discover(&name, &connection, &config, &pages).await }).await
    }

    async fn sample(
        &self,
        connection: &ConnectionSpec,
        from: &Reference,
        count: usize,
        secrets: &Unsealed,
    ) -> Result<Sample, Failure> {
        let (connection, from) = (connection.clone(), from.clone());
        let (config, data) = (self.with(secrets), self.data.clone());
        self.on_data(async move { tables::sample(&connection, from, count, config, data).await }).await
    }

    async fn files(
        &self,
        connection: &ConnectionSpec,
        place: &Reference,
        secrets: &Unsealed,
    ) -> Result<Vec<FileState>, Failure> {
        let (connection, place, config) = (connection.clone(), place.clone(), self.with(secrets));
        self.on_data(async move { tables::files(&connection, &place, &config).await }).await
    }
}

/// Plans every segment in order, as a first run would read, and compares each source with what its extract is
/// `remembered` to have read. Connects to sources and targets and reads their catalogues; moves and changes nothing.
pub async fn plan(
    pipeline: &Pipeline,
    segments: &[Segment],
    remembered: &BTreeMap<BlockId, Value>,
    config: NodeConfig,
    data: Handle,
) -> Result<Vec<SegmentPlan>> {
    let surroundings = Surroundings::new(config, data, None);
    let mut schemas: HashMap<BlockId, SchemaRef> = HashMap::new();
    let mut plans = Vec::with_capacity(segments.len());
    for segment in segments {
        let spec = spec(pipeline, segment.clone(), remembered.clone());
        let (plan, schema) = plan_one(&spec, &surroundings, &schemas).await?;
        if let Some(schema) = schema {
            schemas.insert(BlockId::new(segment.id.as_str()), schema);
        }
        plans.push(plan);
    }
    Ok(plans)
}

async fn plan_one(
    spec: &AttemptSpec,
    surroundings: &Surroundings,
    schemas: &HashMap<BlockId, SchemaRef>,
) -> Result<(SegmentPlan, Option<SchemaRef>)> {
    let segment = &spec.segment;
    let root = root(spec)?;
    let budget = Budget::new(spec.memory)?;
    let runtime = surroundings.runtime(&spec.id.run, budget)?;
    let systems = work::systems(spec, surroundings, budget);
    let inputs = segment.inputs.iter().map(|block| {
        let schema = schemas.get(block).ok_or_else(|| Error::internal(format!("`{block}` was not planned before")))?;
        Ok((block.clone(), Arc::new(EmptyTable::new(Arc::clone(schema))) as Arc<dyn TableProvider>))
    });
    let ingredients = Ingredients {
        context: plan::session(surroundings.config.parallelism, budget.pool, Thrift::Usual, runtime),
        systems: &systems,
        inputs: inputs.collect::<Result<_>>()?,
        positions: &spec.positions,
        schemas: work::schemas(spec)?,
        quarantines: HashMap::new(),
    };
    let compiled = plan::compile(segment, ingredients).await?;
    let mut plan = SegmentPlan {
        segment: segment.id.to_string(),
        output: segment.output,
        blocks: segment.blocks.iter().map(|b| b.id.clone()).collect(),
        inputs: segment.inputs.clone(),
        after: segment.upstream.iter().map(ToString::to_string).collect(),
        operators: Vec::new(),
        target: None,
        mapping: Vec::new(),
        columns: Vec::new(),
        schema_changes: compiled.schema_changes.clone(),
    };
    let (to, storage) = (Destination::of(spec)?, &surroundings.config.storage);
    let mut schema = None;
    match segment.output {
        Output::Verdict => work::check_tests(&compiled, root).await?,
        Output::Relation => plan.target = Some(to.open(storage, &systems, None).await?.describe()),
        Output::Boundary | Output::Sink => {
            let rows = compiled.leaving(root)?;
            let columns: SchemaRef = Arc::clone(rows.schema().inner());
            let sink = to.open(storage, &systems, Some(Arc::clone(&columns))).await?;
            work::check_frozen(spec, &sink).await?;
            let physical = compiled.physical(&rows).await.map_err(|e| e.in_block(&root.id))?;
            plan.operators = plan::operators(&plan::narrow(physical, sink.writers_max())?);
            if segment.output == Output::Sink {
                plan.target = Some(sink.describe());
                plan.mapping = plan::load(root)?.1.map.into_iter().collect();
            }
            plan.columns = columns.fields().iter().map(|f| (f.name().clone(), f.data_type().to_string())).collect();
            schema = Some(columns);
        }
    }
    Ok((plan, schema))
}

/// Rows to look at.
#[derive(Clone, Debug)]
pub struct Rows {
    pub schema: SchemaRef,
    pub batches: Vec<RecordBatch>,
}

impl Rows {
    /// As a table of text with a frame.
    pub fn to_table(&self) -> Result<String> {
        let options = FormatOptions::default().with_null("null");
        // An empty batch brings the headings where there are no rows.
        let empty = [RecordBatch::new_empty(Arc::clone(&self.schema))];
        let batches = if self.batches.is_empty() { &empty[..] } else { &self.batches };
        Ok(pretty_format_batches_with_options(batches, &options)?.to_string())
    }

    /// As one Arrow IPC stream; fails where that is longer than [`PREVIEW_BYTES_MAX`].
    fn to_stream(&self, block: &BlockId) -> Result<Vec<u8>> {
        let mut writer = StreamWriter::try_new(Vec::new(), &self.schema)?;
        for batch in &self.batches {
            writer.write(batch)?;
            if writer.get_ref().len() > PREVIEW_BYTES_MAX {
                let text = format!("its rows take more than {} MB; ask for fewer", PREVIEW_BYTES_MAX >> 20);
                return Err(Error::user(text).in_block(block));
            }
        }
        Ok(writer.into_inner()?)
    }

    /// As a JSON array of objects; nulls are written.
    pub fn to_json(&self) -> Result<String> {
        let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
        writer.write_batches(&self.batches.iter().collect::<Vec<_>>())?;
        writer.finish()?;
        let text = String::from_utf8(writer.into_inner()).map_err(|e| Error::internal("rows as JSON").because(e))?;
        Ok(if text.is_empty() { "[]".to_owned() } else { text })
    }
}

/// The server's version, after really signing in; within [`TEST_LIMIT`].
pub async fn version(name: &str, spec: &ConnectionSpec, config: &NodeConfig) -> Result<String> {
    let connections = IndexMap::from([(name.to_owned(), spec.clone())]);
    let context = OpenContext {
        parallelism: 1,
        executors: 1,
        batch_rows: plan::BATCH_ROWS,
        batch_bytes: plan::BATCH_BYTES,
        row_group_bytes: plan::BATCH_BYTES,
    };
    let systems = Systems::new(connections, Arc::clone(&config.secrets), context);
    let testing = async { systems.get(name).await?.version().await };
    tokio::time::timeout(TEST_LIMIT, testing).await.unwrap_or_else(|_| {
        let text = format!("connection `{name}` did not answer within {} s", TEST_LIMIT.as_secs());
        Err(Error::new(Class::SourceTransient, text))
    })
}

/// The first `count` rows of `block`, computed from the sources up to it; a `load` shows what it would write.
pub async fn preview(
    pipeline: &Pipeline,
    block: &BlockId,
    count: usize,
    config: NodeConfig,
    data: Handle,
) -> Result<Rows> {
    let part = pipeline.feeding(block).ok_or_else(|| {
        let known = pipeline.blocks.keys().map(BlockId::as_str);
        Error::user(match flowetl_proto::pipeline::nearest_word(block.as_str(), known) {
            Some(near) => format!("there is no block `{block}`, did you mean `{near}`?"),
            None => format!("there is no block `{block}`"),
        })
    })?;
    let root = &pipeline.blocks[block];
    if root.is_test() {
        let text = format!("`{block}` is a test and has no rows; preview the block it tests");
        return Err(Error::user(text).in_block(block));
    }
    let surroundings = Surroundings::new(config, data, None);
    let segment = Segment {
        id: flowetl_proto::id::SegmentId::new(block.as_str()),
        blocks: part.topological().into_iter().cloned().collect(),
        inputs: Vec::new(),
        upstream: Vec::new(),
        rereads: BTreeSet::new(),
        frozen: false,
        output: Output::Boundary,
    };
    let spec = spec(&part, segment, BTreeMap::new());
    let budget = Budget::new(spec.memory)?;
    let runtime = surroundings.runtime(&spec.id.run, budget)?;
    let systems = work::systems(&spec, &surroundings, budget);
    let context = plan::session(surroundings.config.parallelism, budget.pool, Thrift::Usual, runtime);
    let compiled = if root.kind == "in_database" {
        let settings: blocks::InDatabase = plan::settings(root)?;
        let from =
            flowetl_proto::pipeline::Reference::Query { connection: settings.connection.clone(), query: settings.sql };
        let request = SourceRequest { block: block.clone(), from, options: root.settings.clone(), quarantine: None };
        let table = match systems.get(&settings.connection).await {
            Ok(system) => system.source(request).await,
            Err(error) => Err(error),
        };
        let table = table.map_err(|e| e.in_block(block))?;
        let empty = Segment { blocks: Vec::new(), ..spec.segment.clone() };
        let inputs = HashMap::from([(block.clone(), table)]);
        let ingredients = Ingredients {
            context,
            systems: &systems,
            inputs,
            positions: &spec.positions,
            schemas: BTreeMap::new(),
            quarantines: HashMap::new(),
        };
        plan::compile(&empty, ingredients).await?
    } else {
        let ingredients = Ingredients {
            context,
            systems: &systems,
            inputs: HashMap::new(),
            positions: &spec.positions,
            schemas: BTreeMap::new(),
            quarantines: HashMap::new(),
        };
        plan::compile(&spec.segment, ingredients).await?
    };
    let rows = LogicalPlanBuilder::from(compiled.leaving(root)?).limit(0, Some(count))?.build()?;
    let schema: SchemaRef = Arc::clone(rows.schema().inner());
    let physical = compiled.physical(&rows).await.map_err(|e| e.in_block(block))?;
    let batches = collect(physical, compiled.context.task_ctx()).await.map_err(|e| Error::from(e).in_block(block))?;
    Ok(Rows { schema, batches })
}

/// An attempt that is never started: its token is below every real one.
fn spec(pipeline: &Pipeline, segment: Segment, schemas: BTreeMap<BlockId, Value>) -> AttemptSpec {
    AttemptSpec {
        id: AttemptId {
            pipeline: pipeline.name.clone(),
            run: RunId::new("plan"),
            segment: segment.id.clone(),
            token: Token(0),
        },
        segment,
        connections: pipeline.connections.clone(),
        // They are among the settings already.
        secrets: Unsealed::default(),
        inputs: BTreeMap::new(),
        positions: BTreeMap::new(),
        schemas,
        carried: BTreeMap::new(),
        memory: pipeline.memory,
        helpers: Vec::new(),
        avoided: BTreeSet::new(),
        thrifty: false,
    }
}

pub(crate) mod hint;
mod tables;
#[cfg(test)]
mod tests;
