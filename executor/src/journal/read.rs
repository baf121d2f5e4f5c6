//! Reads lines of a run, whoever wrote them, in the order of their times.

use std::collections::{BTreeMap, VecDeque};

use flowetl_proto::log::{Line, Page, Query};

use super::write::{folder, read_name};
use crate::storage::{Side, Storage};
use crate::{Error, Result};

/// Bytes of lines that one answer looks through; a search that finds nothing in them goes on with the next.
const LOOKED_AT_MAX: usize = 16 << 20;
/// The most that a chunk holds once it is decompressed: a line more than it is written with.
const CHUNK_BYTES_MAX: usize = 1 << 20;

/// One writer's lines from a number on.
struct Tail {
    writer: String,
    /// The number of the next line.
    next: u64,
    /// Chunks that are not read yet, by their first lines.
    chunks: VecDeque<(u64, String)>,
    /// Lines of the chunk that was read last.
    lines: VecDeque<Line>,
}

/// The next lines that `query` takes.
pub(super) async fn page(storage: &Storage, query: &Query) -> Result<Page> {
    let mut tails = tails(storage, query).await?;
    let (mut lines, mut looked_at) = (Vec::new(), 0);
    let mut has_more = false;
    loop {
        for tail in &mut tails {
            looked_at += tail.fill(storage).await?;
        }
        let heads = tails.iter().enumerate().filter_map(|(at, tail)| Some((tail.lines.front()?.at, at)));
        let Some((_, first)) = heads.min() else { break };
        if lines.len() == query.limit || looked_at > LOOKED_AT_MAX {
            has_more = true;
            break;
        }
        let tail = &mut tails[first];
        tail.next += 1;
        lines.extend(tail.lines.pop_front().filter(|line| query.filter.takes(line)));
    }
    let mut next = query.after.clone();
    next.extend(tails.into_iter().map(|tail| (tail.writer, tail.next)));
    Ok(Page { lines, next, has_more })
}

/// Who has written lines of the run that were not read before.
async fn tails(storage: &Storage, query: &Query) -> Result<Vec<Tail>> {
    let folder = folder(&query.run);
    let mut writers = BTreeMap::<String, Vec<(u64, String)>>::new();
    for file in storage.list(&folder, Side::Read).await? {
        if let Some((writer, first)) = read_name(&file.name, &folder) {
            writers.entry(writer.to_owned()).or_default().push((first, file.name.clone()));
        }
    }
    let mut tails = Vec::new();
    for (writer, chunks) in writers {
        let next = query.after.get(&writer).copied().unwrap_or(0);
        // The chunk that the next line lies in, or would lie behind, and all after it.
        let from = chunks.partition_point(|(first, _)| *first <= next).saturating_sub(1);
        tails.push(Tail { writer, next, chunks: chunks.into_iter().skip(from).collect(), lines: VecDeque::new() });
    }
    Ok(tails)
}

impl Tail {
    /// Reads the next chunk once its lines have run out; gives how many bytes that were.
    async fn fill(&mut self, storage: &Storage) -> Result<usize> {
        let mut looked_at = 0;
        while self.lines.is_empty() {
            let Some((first, name)) = self.chunks.pop_front() else { break };
            // Removed meanwhile: with all its run.
            let Some(bytes) = storage.read(&name, Side::Read).await? else { continue };
            let damaged = || Error::internal(format!("`{name}` in storage holds no lines"));
            let text = zstd::bulk::decompress(&bytes, CHUNK_BYTES_MAX).map_err(|e| damaged().because(e))?;
            looked_at += text.len();
            let skipped = usize::try_from(self.next.saturating_sub(first)).unwrap_or(usize::MAX);
            for line in text.split(|byte| *byte == b'\n').skip(skipped) {
                self.lines.push_back(serde_json::from_slice(line).map_err(|e| damaged().because(e))?);
            }
        }
        Ok(looked_at)
    }
}
