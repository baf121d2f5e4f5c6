//! Removes what no run needs any more: boundaries from object storage, and from executors' memories the runs that are over.

use std::collections::BTreeSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

use flowetl_proto::control::BoundaryFolder;
use flowetl_proto::id::{RunId, Token};
use tokio::time::sleep;

use crate::run::Surroundings;
use crate::{Error, Result, clock, store};

/// How long a boundary that nobody refers to stays: far longer than whoever was given up may go on writing it.
const GRACE: Duration = Duration::from_secs(3600);
/// When boundaries are looked at first: executors have been found by then, and a process that only makes one short run has
/// better things to do.
const FIRST_AFTER: Duration = Duration::from_secs(30);
/// How often they are looked at: all of them are listed.
const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// The pause after a look that did not work.
const RETRY_PAUSE: Duration = Duration::from_secs(60);
/// Boundaries removed by one call.
const FOLDERS_AT_ONCE: usize = 100;

/// How long what was said of a run is kept: longer than people look back for a reason.
const LOGS_KEPT_MS: i64 = 90 * 24 * 3_600_000;

/// How often executors are told which runs are over; within so long whoever takes a run up has written so.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// Sweeps object storage until the coordinator is dropped.
pub(crate) async fn sweep(around: Weak<Surroundings>) {
    let mut pause = FIRST_AFTER;
    loop {
        sleep(pause).await;
        let Some(around) = around.upgrade() else { return };
        match sweep_logs(&around, clock::now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "logs of old runs were removed"),
            Err(reason) => tracing::debug!(%reason, "logs of old runs are removed the next time"),
        }
        pause = match sweep_once(&around).await {
            Ok(0) => SWEEP_EVERY,
            Ok(count) => {
                tracing::info!(count, "boundaries that no run refers to were removed");
                SWEEP_EVERY
            }
            Err(reason) => {
                tracing::warn!(%reason, "object storage cannot be swept yet, trying again");
                RETRY_PAUSE
            }
        };
    }
}

/// Removes the boundaries that no run refers to; gives their number.
pub(crate) async fn sweep_once(around: &Arc<Surroundings>) -> Result<usize, String> {
    let failed = |error: Error| error.chain();
    // Listed before references are read: every attempt is written down before it makes its first file.
    let found = around.executor.boundaries().await.map_err(|failure| failure.message)?;
    let referenced = around.store.referenced().await.map_err(failed)?;
    let mut garbage = unreferenced(found, &referenced);
    if !around.store.is_led() {
        // Whoever is alone may share object storage with homes whose runs this one does not know.
        garbage = known(around, garbage).await.map_err(failed)?;
    }
    let count = garbage.len();
    for folders in garbage.chunks(FOLDERS_AT_ONCE) {
        around.executor.sweep(folders.to_vec()).await.map_err(|failure| failure.message)?;
    }
    Ok(count)
}

/// Removes what was said of runs that were made too long before `now`; gives how many runs that were. Whoever is alone may share
/// object storage with homes that keep theirs for as long: the age alone decides.
pub(crate) async fn sweep_logs(around: &Arc<Surroundings>, now: i64) -> Result<usize, String> {
    let before = RunId::new(store::id_at(now - LOGS_KEPT_MS));
    around.executor.sweep_logs(before).await.map_err(|failure| failure.message)
}

/// Those that nobody refers to and that have been left alone for long enough.
fn unreferenced(found: Vec<BoundaryFolder>, referenced: &BTreeSet<(RunId, Token)>) -> Vec<BoundaryFolder> {
    let is_garbage = |folder: &BoundaryFolder| {
        Duration::from_millis(folder.age_ms) >= GRACE && !referenced.contains(&(folder.run.clone(), folder.token))
    };
    found.into_iter().filter(is_garbage).collect()
}

/// Those of runs that are in the metadata database.
async fn known(around: &Surroundings, folders: Vec<BoundaryFolder>) -> Result<Vec<BoundaryFolder>> {
    let mut known = Vec::new();
    for folder in folders {
        match around.store.run(&folder.run).await {
            Ok(_) => known.push(folder),
            Err(Error::NoRun(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(known)
}

/// Tells executors which runs may still begin attempts, until the coordinator is dropped.
pub(crate) async fn retain(around: Weak<Surroundings>) {
    let mut until = None;
    loop {
        sleep(TELL_EVERY).await;
        let Some(around) = around.upgrade() else { return };
        until = match retain_once(&around, until).await {
            Ok(newest) => Some(newest),
            Err(reason) => {
                tracing::debug!(%reason, "executors are told the next time which runs are over");
                None
            }
        };
    }
}

/// Tells executors of the runs that go on, and that others have no attempts up to the token `until`. That was read earlier:
/// whoever had taken a token by then has also written that its run goes on. Gives the newest token now.
pub(crate) async fn retain_once(around: &Arc<Surroundings>, until: Option<Token>) -> Result<Token, String> {
    let failed = |error: Error| error.chain();
    let newest = around.store.newest_token().await.map_err(failed)?;
    if let Some(until) = until {
        let runs = around.store.unfinished_runs().await.map_err(failed)?.into_iter().collect();
        around.executor.retain(runs, until).await.map_err(|failure| failure.message)?;
    }
    Ok(newest)
}
