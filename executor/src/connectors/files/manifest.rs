//! What a folder that we write keeps about itself: which files count, and who committed.
//!
//! A folder target holds `_flowetl/manifest.json`; a single file `raw/orders.parquet` has `raw/.orders.parquet.flowetl/`
//! beside it for the same purpose. Readers without this knowledge see, for the moment between the appearance of the new
//! files and the removal of the old, both.

use std::collections::BTreeMap;

use flowetl_proto::control::{AttemptId, Position};
use flowetl_proto::id::BlockId;
use serde::{Deserialize, Serialize};

use crate::storage::{Side, Storage};
use crate::{Error, Result};

/// The folder inside a folder target that holds what is ours.
pub const PRIVATE_FOLDER: &str = "_flowetl";
/// Commit records kept per pipeline and block: enough to answer any replay, few enough to list.
const COMMITS_KEPT: usize = 64;

/// The files of a folder target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderManifest {
    /// Names below the storage's root, sorted.
    pub files: Vec<String>,
    /// The [`commit_name`] of the attempt that wrote this.
    pub commit: String,
}

/// Proof that an attempt's rows are visible, and how far its sources were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitRecord {
    pub pipeline: String,
    pub block: BlockId,
    pub run: String,
    pub rows: u64,
    pub positions: BTreeMap<BlockId, Position>,
}

impl FolderManifest {
    pub async fn read(storage: &Storage, folder: &str) -> Result<Option<Self>> {
        let name = manifest_name(folder);
        let Some(bytes) = storage.read(&name, Side::Read).await? else { return Ok(None) };
        let manifest = serde_json::from_slice(&bytes);
        manifest.map(Some).map_err(|e| Error::user(format!("`{}` is damaged", storage.label(&name))).because(e))
    }

    pub async fn write(&self, storage: &Storage, folder: &str) -> Result<()> {
        storage.replace(&manifest_name(folder), to_json(self)?).await
    }
}

impl CommitRecord {
    /// Writes the record below `private` and removes the oldest of the same pipeline and block.
    pub async fn write(&self, storage: &Storage, private: &str, name: &str) -> Result<()> {
        storage.replace(&record_name(private, name), to_json(self)?).await?;
        let start = format!("{private}/commits/{}.{}.", plain(&self.pipeline), plain(self.block.as_str()));
        let mut records = storage.list(&format!("{private}/commits"), Side::Write).await?;
        // Run ids sort by time.
        records.retain(|record| record.name.starts_with(&start));
        for old in records.iter().rev().skip(COMMITS_KEPT) {
            storage.remove(&old.name).await?;
        }
        Ok(())
    }
}

/// Whether an attempt's commit is on record below `private`.
pub async fn is_committed(storage: &Storage, private: &str, name: &str) -> Result<bool> {
    Ok(storage.look(&record_name(private, name), Side::Write).await?.is_some())
}

/// `pipeline.block.run`: the same for all attempts of a run.
pub fn commit_name(attempt: &AttemptId, block: &BlockId) -> String {
    format!("{}.{}.{}", plain(&attempt.pipeline), plain(block.as_str()), plain(attempt.run.as_str()))
}

fn manifest_name(folder: &str) -> String {
    join(folder, &format!("{PRIVATE_FOLDER}/manifest.json"))
}

fn record_name(private: &str, name: &str) -> String {
    format!("{private}/commits/{name}.json")
}

/// A name below a folder, which may be the root.
pub fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Only letters that every file system takes; names of pipelines are free text.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' }).collect()
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::internal("cannot write a record as JSON").because(e))
}
