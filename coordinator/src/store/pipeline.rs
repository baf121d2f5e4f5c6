//! Pipelines and their immutable versions.

use std::fmt::Write;

use flowetl_proto::pipeline::Pipeline;
use sha2::{Digest, Sha256};
use sqlx::{Any, Transaction};

use super::{Store, doing, from_json, get, to_json};
use crate::Result;

/// A pipeline as it is stored: its canonical JSON and the hash of that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub pipeline: String,
    pub hash: String,
    pub definition: String,
}

impl Version {
    pub(crate) fn of(pipeline: &Pipeline) -> Result<Self> {
        let definition = to_json("a pipeline", pipeline)?;
        let mut hash = String::with_capacity(64);
        for byte in Sha256::digest(definition.as_bytes()) {
            // Writing to a text cannot fail.
            let _ = write!(hash, "{byte:02x}");
        }
        Ok(Self { pipeline: pipeline.name.clone(), hash, definition })
    }
}

impl Store {
    /// The pipeline of a stored version.
    pub(crate) async fn pipeline(&self, name: &str, hash: &str) -> Result<Pipeline> {
        let row = sqlx::query("select definition from pipeline_version where pipeline = $1 and hash = $2")
            .bind(name.to_owned())
            .bind(hash.to_owned())
            .fetch_one(&self.pool)
            .await
            .map_err(doing("read a pipeline"))?;
        from_json("a pipeline", &get::<String>(&row, "definition")?)
    }
}

pub(super) async fn put(tx: &mut Transaction<'static, Any>, version: &Version, now: i64) -> Result<()> {
    sqlx::query("insert into pipeline (name, created_at) values ($1, $2) on conflict do nothing")
        .bind(version.pipeline.clone())
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(doing("write a pipeline"))?;
    let insert = "insert into pipeline_version (pipeline, hash, definition, created_at) values ($1, $2, $3, $4) \
                  on conflict do nothing";
    sqlx::query(insert)
        .bind(version.pipeline.clone())
        .bind(version.hash.clone())
        .bind(version.definition.clone())
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(doing("write a pipeline's version"))?;
    Ok(())
}
