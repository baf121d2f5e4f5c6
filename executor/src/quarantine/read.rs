//! Reads rows that a run has put aside, piece by piece: there may be far more than one answer holds.

use flowetl_proto::id::{BlockId, Token};
use flowetl_proto::quarantine::{Page, Query, Row};
use object_store::ObjectStoreExt;
use serde::Deserialize;

use super::{SUFFIX, folder};
use crate::storage::{Side, Storage, Stored};
use crate::{Error, Result};

/// Bytes that are read at once, and that one answer holds at most: a row more.
const PIECE_BYTES: u64 = 1 << 20;

/// A row as its line in a file says it.
#[derive(Deserialize)]
struct Line {
    location: String,
    reason: String,
    row: String,
}

/// The next rows that `query` asks for. Its cursor holds the file that was read last, with how many of its bytes were.
pub(crate) async fn page(storage: &Storage, query: &Query) -> Result<Page> {
    let mut page = Page { next: query.after.clone(), ..Page::default() };
    let folder = folder(&query.run);
    for file in storage.list(&folder, Side::Read).await? {
        let Some((block, token)) = read_name(&file.name, &folder) else { continue };
        let is_asked = query.block.as_ref().is_none_or(|asked| *asked == block) && query.attempts.contains(&token);
        let from = match query.after.iter().next_back() {
            Some((last, bytes)) if *last == file.name => *bytes,
            Some((last, _)) if *last > file.name => continue,
            _ => 0,
        };
        if !is_asked || from >= file.meta.size {
            continue;
        }
        if page.rows.len() >= query.limit {
            page.has_more = true;
            break;
        }
        let read = rows(storage, &file, &block, from, query.limit - page.rows.len(), &mut page.rows).await?;
        page.next = [(file.name.clone(), from + read)].into();
        if from + read < file.meta.size {
            page.has_more = true;
            break;
        }
    }
    Ok(page)
}

/// Reads whole lines from a byte on, at least one and at most `limit`; gives how many bytes they are.
async fn rows(
    storage: &Storage,
    file: &Stored,
    block: &BlockId,
    from: u64,
    limit: usize,
    rows: &mut Vec<Row>,
) -> Result<u64> {
    let damaged = || Error::internal(format!("`{}` in storage holds no rows", file.name));
    let (store, location) = (storage.store(), storage.location(&file.name)?);
    let mut length = PIECE_BYTES;
    loop {
        let until = (from + length).min(file.meta.size);
        let bytes = store.get_range(&location, from..until).await;
        let bytes = bytes.map_err(|e| storage.error(Side::Read, "cannot read", &file.name, e))?;
        let mut read = 0;
        for line in bytes.split_inclusive(|byte| *byte == b'\n').take(limit).filter(|line| line.ends_with(b"\n")) {
            let Line { location, reason, row } = serde_json::from_slice(line).map_err(|e| damaged().because(e))?;
            rows.push(Row { block: block.clone(), location, reason, row });
            read += line.len() as u64;
        }
        if read > 0 {
            return Ok(read);
        }
        if until == file.meta.size {
            return Err(damaged());
        }
        // One row is longer than that.
        length *= 2;
    }
}

/// The block and the attempt of a file; `None` for what was not put aside.
fn read_name(name: &str, folder: &str) -> Option<(BlockId, Token)> {
    let (block, file) = name.strip_prefix(folder)?.strip_prefix('/')?.split_once('/')?;
    let token = file.strip_prefix('t')?.strip_suffix(SUFFIX)?.parse().ok()?;
    Some((BlockId::new(block), Token(token)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use flowetl_proto::id::RunId;
    use flowetl_proto::log::Cursor;
    use tempfile::TempDir;

    use super::*;
    use crate::connectors::Quarantine;
    use crate::quarantine::tests::{open, put};

    /// All pages, as the locations in them.
    async fn read(storage: &Storage, block: Option<&str>, attempts: &[i64], limit: usize) -> Vec<Vec<String>> {
        let attempts: BTreeSet<_> = attempts.iter().copied().map(Token).collect();
        let (run, block) = (RunId::new("r1"), block.map(BlockId::new));
        let mut query = Query { run, attempts, block, after: Cursor::new(), limit };
        let mut pages = Vec::new();
        loop {
            let found = page(storage, &query).await.unwrap();
            assert!(found.rows.len() <= limit);
            pages.push(found.rows.iter().map(|row| format!("{} {}", row.block, row.location)).collect());
            if !found.has_more {
                return pages;
            }
            assert!(!found.rows.is_empty(), "each page goes on");
            query.after = found.next;
        }
    }

    #[tokio::test]
    async fn pages_hold_each_row_of_the_wanted_attempts_once() {
        let dir = TempDir::new().unwrap();
        let mut storage = None;
        for (block, token, count) in [("items", 5, 2_u64), ("orders", 3, 7), ("orders", 4, 5)] {
            let (opened, file) = open(&dir, block, token, 100.into());
            (0..count).for_each(|line| put(&file, line).unwrap());
            assert_eq!(file.finish().await.unwrap(), count);
            storage = Some(opened);
        }
        let storage = storage.unwrap();
        let found = read(&storage, None, &[4, 5], 3).await;
        let expected = ["items a.csv line 0", "items a.csv line 1", "orders a.csv line 0", "orders a.csv line 1"];
        assert_eq!(found.concat()[..4], expected);
        assert_eq!(found.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
        assert_eq!(read(&storage, Some("orders"), &[3, 5], 7).await.concat().len(), 7);
        assert_eq!(read(&storage, None, &[9], 7).await, [Vec::<String>::new()]);
        assert_eq!(read(&storage, Some("nothing"), &[3, 4, 5], 7).await, [Vec::<String>::new()]);
    }

    #[tokio::test]
    async fn rows_longer_than_a_piece_are_read_whole() {
        let dir = TempDir::new().unwrap();
        let (storage, file) = open(&dir, "orders", 3, 100.into());
        let long = "x".repeat(3 << 20);
        put(&file, 0).unwrap();
        file.put("long".into(), long.clone(), "broken".into()).unwrap();
        put(&file, 2).unwrap();
        file.finish().await.unwrap();
        let query = |after| {
            let attempts = [Token(3)].into();
            Query { run: RunId::new("r1"), attempts, block: None, after, limit: 100 }
        };
        let first = page(&storage, &query(Cursor::new())).await.unwrap();
        assert_eq!((first.rows.len(), first.has_more), (1, true));
        let second = page(&storage, &query(first.next)).await.unwrap();
        assert!(second.rows[0].row == long, "it is {} bytes long", second.rows[0].row.len());
        assert_eq!((second.rows[1].location.as_str(), second.has_more), ("a.csv line 2", false));
        assert!(page(&storage, &query(second.next)).await.unwrap().rows.is_empty());
    }
}
