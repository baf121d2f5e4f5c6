//! Files: Parquet, CSV, JSON and NDJSON, in a local folder or on S3, as sources and as targets.
//!
//! Reading order: [`find`] which files, [`source`] which columns; [`parquet`] and [`text`] read, the latter by cutting
//! ([`split`]) and parsing ([`decode`]), and on several executors ([`share`]); [`sink`] writes.

mod decode;
mod discover;
mod find;
mod format;
mod infer;
mod manifest;
mod parquet;
mod share;
mod sink;
mod source;
mod split;
#[cfg(test)]
mod tests;
mod text;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::TableProvider;
use datafusion::physical_plan::ExecutionPlan;
use flowetl_proto::catalogue::{ConnectorDescription, Places};
use flowetl_proto::look::FileState;
use flowetl_proto::pipeline::{Connection, Reference};
use flowetl_proto::tables::Table;
use serde_json::{Value, json};
use tokio::sync::mpsc::Sender;

pub(crate) use self::parquet::{ParquetFile, ParquetTable, Place, footer};
pub(super) use self::share::shared;
use super::{Connector, OpenContext, Sink, SinkRequest, SourceRequest, System};
use crate::Result;
use crate::storage::Storage;

/// A folder of this machine.
#[derive(Debug)]
pub struct Folder;

/// A bucket of any S3 service.
#[derive(Debug)]
pub struct S3;

#[async_trait]
impl Connector for Folder {
    fn describe(&self) -> ConnectorDescription {
        let settings = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["type", "path"],
            "properties": {
                "type": {"const": "file"},
                "path": {"type": "string", "description": "The folder below which the files lie."},
            },
        });
        let (name, label, schemes) = ("file".into(), "Files".into(), vec!["file".into()]);
        ConnectorDescription { name, label, schemes, places: Places::Paths, settings }
    }

    async fn open(&self, connection: Connection, context: OpenContext) -> Result<Arc<dyn System>> {
        Ok(Arc::new(Files { storage: Storage::open(&connection)?, context }))
    }
}

#[async_trait]
impl Connector for S3 {
    fn describe(&self) -> ConnectorDescription {
        let text = |what: &str| json!({"type": "string", "description": what});
        let settings = json!({
            "type": "object",
            "additionalProperties": false,
            "required": ["type", "bucket"],
            "properties": {
                "type": {"const": "s3"},
                "bucket": text("The bucket."),
                "prefix": text("A prefix in the bucket below which the files lie."),
                "endpoint": text("The service's address; Amazon's where it is left out."),
                "region": text("Default `us-east-1`."),
                "access_key": text("The key's id."),
                "secret_key": {"type": "string", "description": "The key's secret.", "writeOnly": true},
                "session_token": {"type": "string", "description": "A temporary key's token.", "writeOnly": true},
                "allow_http": {"type": ["boolean", "string"], "description": "Whether plain HTTP is allowed; implied by an `http://` endpoint."},
            },
        });
        let (name, label, schemes) = ("s3".into(), "S3".into(), vec!["s3".into()]);
        ConnectorDescription { name, label, schemes, places: Places::Paths, settings }
    }

    async fn open(&self, connection: Connection, context: OpenContext) -> Result<Arc<dyn System>> {
        Ok(Arc::new(Files { storage: Storage::open(&connection)?, context }))
    }
}

/// An opened folder or bucket.
#[derive(Debug)]
struct Files {
    storage: Storage,
    context: OpenContext,
}

#[async_trait]
impl System for Files {
    async fn source(&self, request: SourceRequest) -> Result<Arc<dyn TableProvider>> {
        let block = request.block.clone();
        source::open(&self.storage, &self.context, request).await.map_err(|e| e.in_block(&block))
    }

    async fn sink(&self, request: SinkRequest) -> Result<Arc<dyn Sink>> {
        let block = request.block.clone();
        let sink = sink::FileSink::open(self.storage.clone(), &self.context, request).await;
        Ok(Arc::new(sink.map_err(|e| e.in_block(&block))?))
    }

    async fn version(&self) -> Result<String> {
        self.storage.version().await
    }

    async fn discover(&self, pages: &Sender<Vec<Table>>) -> Result<()> {
        discover::discover(&self.storage, &self.context, pages).await
    }

    async fn files(&self, place: &Reference) -> Result<Vec<FileState>> {
        find::present(&self.storage, place).await
    }

    fn share(&self, written: Value) -> Result<Arc<dyn ExecutionPlan>> {
        share::read(&self.storage, written)
    }

    fn storage(&self) -> Option<Storage> {
        Some(self.storage.clone())
    }
}
