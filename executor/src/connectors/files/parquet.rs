//! Parquet files as a table: DataFusion's own reader, with pruning, row filters and byte ranges shared out evenly.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{ColumnStatistics, Result as EngineResult, Statistics};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::metadata::DFParquetMetadata;
use datafusion::datasource::physical_plan::{FileGroup, FileGroupPartitioner, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::DataFusionError;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::scalar::ScalarValue;
use parquet::arrow::parquet_to_arrow_schema;
use parquet::file::metadata::ParquetMetaData;
use serde::{Deserialize, Serialize};

use crate::storage::{HeldStore, Side, Storage, Stored};
use crate::{Error, Result};

/// Read from the end of a file at once: most footers fit, which saves a round trip.
const FOOTER_BYTES: usize = 64 << 10;
/// Files smaller than this are not worth two readers.
const SPLIT_BYTES_MIN: usize = 4 << 20;

/// Parquet files, with their columns known.
#[derive(Debug)]
pub struct ParquetTable {
    storage: Storage,
    files: Vec<ParquetFile>,
    /// The columns in the files, then those that their folders name.
    schema: SchemaRef,
    file_schema: SchemaRef,
    parallelism: usize,
    /// Where DataFusion finds the storage.
    url: ObjectStoreUrl,
}

/// Whose storage files lie in. A plan names it, never how to sign in: whoever reads finds that out for himself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// The storage of boundaries.
    Boundaries,
    /// A connection of the pipeline, by name.
    Connection(String),
}

/// Scheme of the URLs that stand for places.
const SCHEME: &str = "flowetl";

impl Place {
    /// How plans name it. A host is made of few characters, so that a connection's name is spelled in hexadecimal digits.
    fn url(&self) -> EngineResult<ObjectStoreUrl> {
        ObjectStoreUrl::parse(match self {
            Self::Boundaries => format!("{SCHEME}://boundaries"),
            Self::Connection(name) => {
                let digits: String = name.bytes().map(|byte| format!("{byte:02x}")).collect();
                format!("{SCHEME}://connection-{digits}")
            }
        })
    }

    /// The place that a plan names; `None` for a URL that is none of ours.
    pub fn of(url: &ObjectStoreUrl) -> Option<Self> {
        let host = url.as_str().strip_prefix(SCHEME)?.strip_prefix("://")?.trim_end_matches('/');
        let Some(digits) = host.strip_prefix("connection-") else {
            return (host == "boundaries").then_some(Self::Boundaries);
        };
        let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
        let name: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
        Some(Self::Connection(String::from_utf8(name?).ok()?))
    }

    /// Lets plans that run in `runtime` find the storage.
    pub fn register(&self, storage: &Storage, runtime: &RuntimeEnv) -> EngineResult<()> {
        register(&self.url()?, storage, runtime);
        Ok(())
    }
}

fn register(url: &ObjectStoreUrl, storage: &Storage, runtime: &RuntimeEnv) {
    let store = HeldStore::new(storage.store(), &runtime.memory_pool);
    runtime.register_object_store(url.as_ref(), Arc::new(store));
}

/// One file and what its footer says.
#[derive(Clone, Debug)]
pub struct ParquetFile {
    pub file: Stored,
    pub statistics: Arc<Statistics>,
    pub folders: Vec<ScalarValue>,
}

/// Reads a file's footer and the columns that it names.
pub async fn footer(storage: Storage, file: Stored) -> Result<(Arc<ParquetMetaData>, Schema)> {
    let store = storage.store();
    let reader = DFParquetMetadata::new(store.as_ref(), &file.meta).with_metadata_size_hint(Some(FOOTER_BYTES));
    let refuse = |e: DataFusionError| match e {
        DataFusionError::ObjectStore(e) => storage.error(Side::Read, "cannot read", &file.name, *e),
        e => Error::user(format!("`{}` is not a readable Parquet file", storage.label(&file.name))).because(e),
    };
    let metadata = reader.fetch_metadata().await.map_err(refuse)?;
    let columns = metadata.file_metadata();
    let schema = parquet_to_arrow_schema(columns.schema_descr(), columns.key_value_metadata());
    Ok((Arc::clone(&metadata), schema.map_err(|e| refuse(e.into()))?))
}

#[async_trait]
impl TableProvider for ParquetTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// The reader prunes with every filter and may leave rows in: DataFusion hands it the predicate of the filter above.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> EngineResult<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> EngineResult<Arc<dyn ExecutionPlan>> {
        if self.files.is_empty() {
            let schema =
                projection.map_or_else(|| Ok(Arc::clone(&self.schema)), |at| self.schema.project(at).map(Arc::new))?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        register(&self.url, &self.storage, state.runtime_env());
        let folders = self.schema.fields()[self.file_schema.fields().len()..].to_vec();
        let mut options = state.table_options().parquet.clone();
        options.global = state.config_options().execution.parquet.clone();
        let source = ParquetSource::new(
            TableSchema::builder(Arc::clone(&self.file_schema)).with_table_partition_cols(folders).build(),
        );
        let source = source.with_table_parquet_options(options).with_enable_page_index(true);
        let config = FileScanConfigBuilder::new(self.url.clone(), Arc::new(source))
            .with_file_groups(self.groups())
            .with_statistics(self.total())
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.total())
    }
}

impl ParquetTable {
    /// Of files with these columns, which no folder adds to. `storage` is that of `place`.
    pub fn new(
        place: &Place,
        storage: Storage,
        files: Vec<ParquetFile>,
        schema: SchemaRef,
        parallelism: usize,
    ) -> Result<Self> {
        let url = place.url()?;
        Ok(Self { storage, files, file_schema: Arc::clone(&schema), schema, parallelism, url })
    }

    /// The same with the columns that the folders name at the end.
    pub fn with_folders(mut self, schema: SchemaRef) -> Self {
        self.schema = schema;
        self
    }

    /// As many groups of about equal bytes as there are readers.
    fn groups(&self) -> Vec<FileGroup> {
        let files = self.files.iter().map(|f| {
            let mut file = PartitionedFile::from(f.file.meta.clone());
            file.partition_values = f.folders.clone();
            file.with_statistics(Arc::clone(&f.statistics))
        });
        let whole = FileGroup::new(files.collect());
        let split = FileGroupPartitioner::new()
            .with_target_partitions(self.parallelism.max(1))
            .with_repartition_file_min_size(SPLIT_BYTES_MIN)
            .repartition_file_groups(std::slice::from_ref(&whole));
        split.unwrap_or_else(|| whole.split_files(self.parallelism.max(1)))
    }

    /// What all files have together. Without the least and greatest values of their columns the engine cannot tell how many
    /// rows a join gives, and puts the larger side of the next one into memory.
    fn total(&self) -> Statistics {
        let files = self.files.iter().map(|f| f.statistics.as_ref());
        let merged = Statistics::try_merge_iter(files, &self.file_schema);
        let merged = merged.unwrap_or_else(|_| Statistics::new_unknown(&self.file_schema));
        let rows = merged.num_rows;
        // Footers may cut long values off: good for a guess, not for an answer.
        let mut total = merged.to_inexact();
        total.num_rows = rows;
        total.column_statistics.resize(self.schema.fields().len(), ColumnStatistics::new_unknown());
        total
    }
}
