//! How chunks of lines lie in object storage.

use flowetl_proto::id::RunId;

use super::FOLDER;
use super::book::Chunk;
use crate::storage::Storage;
use crate::{Error, Result};

/// Fast, and a fifth of the size.
const ZSTD_LEVEL: i32 = 1;
const SUFFIX: &str = ".ndjson.zst";

/// Makes a chunk durable. Written again it is the same.
pub(super) async fn chunk(storage: &Storage, run: &RunId, chunk: &Chunk) -> Result<()> {
    let text = chunk.lines.join("\n");
    let bytes = zstd::bulk::compress(text.as_bytes(), ZSTD_LEVEL);
    let bytes = bytes.map_err(|e| Error::internal("lines of a run cannot be compressed").because(e))?;
    storage.replace(&format!("{}/{}.{:012}{SUFFIX}", folder(run), chunk.writer, chunk.first), bytes).await
}

/// Where the lines of a run lie.
pub(super) fn folder(run: &RunId) -> String {
    format!("{FOLDER}/{run}")
}

/// The writer of a chunk, and the number of its first line; `None` for what is no chunk.
pub(super) fn read_name<'n>(name: &'n str, folder: &str) -> Option<(&'n str, u64)> {
    let (writer, first) = name.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(SUFFIX)?.split_once('.')?;
    Some((writer, first.parse().ok()?))
}
