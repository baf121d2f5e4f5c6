//! Which attempts' boundaries lie in object storage, and the removal of those that nobody wants any more.

use std::collections::BTreeMap;
use std::time::SystemTime;

use flowetl_proto::control::BoundaryFolder;
use flowetl_proto::id::{RunId, SegmentId, Token};

use super::write::{RUNS, folder_of, remove_folder};
use crate::Result;
use crate::storage::{Side, Storage};

/// Every attempt's folder; a file whose name is no part's of an attempt is left out, and so is left alone.
pub(crate) async fn folders(storage: &Storage) -> Result<Vec<BoundaryFolder>> {
    let mut newest = BTreeMap::<_, SystemTime>::new();
    for file in storage.list(RUNS, Side::Read).await? {
        let Some(of) = attempt_of(&file.name) else { continue };
        let at = newest.entry(of).or_insert(SystemTime::UNIX_EPOCH);
        *at = (*at).max(file.meta.last_modified.into());
    }
    let now = SystemTime::now();
    let age_ms = |at| now.duration_since(at).map_or(0, |age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
    let folders = newest.into_iter().map(|((run, segment, token), at)| BoundaryFolder {
        run: RunId::new(run),
        segment: SegmentId::new(segment),
        token: Token(token),
        age_ms: age_ms(at),
    });
    Ok(folders.collect())
}

/// Removes these folders, whatever lies in them.
pub(crate) async fn sweep(storage: &Storage, folders: &[BoundaryFolder]) -> Result<()> {
    for BoundaryFolder { run, segment, token, .. } in folders {
        remove_folder(storage, &folder_of(run, segment, *token)).await?;
    }
    Ok(())
}

/// Run, segment and token in the name of a part.
fn attempt_of(name: &str) -> Option<(String, String, i64)> {
    let mut names = name.strip_prefix(RUNS)?.strip_prefix('/')?.split('/');
    let (run, segment, folder) = (names.next()?, names.next()?, names.next()?);
    names.next()?;
    Some((run.to_owned(), segment.to_owned(), folder.strip_prefix('t')?.parse().ok()?))
}
