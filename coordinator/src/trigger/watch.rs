//! Looks at the places of triggers that wait for files, every so often, for as long as this process leads.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use serde_json::json;
use tokio::sync::watch;

use super::arrivals::{Seen, step};
use super::fire::{KNOWN_MS, WAITING_MAX};
use super::{Arrived, Firing};
use crate::accounts::Refusal;
use crate::connections::unseal;
use crate::fleet::Roster;
use crate::grpc::{Seat, while_leading};
use crate::pipelines::Pipelines;
use crate::store::News;
use crate::{Handle, Result, clock};

/// How often it is asked for places whose time has come.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Places that are looked at side by side: a look may wait half a minute for nothing.
const AT_ONCE: usize = 8;
/// Places that are looked at before it is asked again.
const PAGE: i64 = 64;
/// The shortest pause after a look that has failed.
const RETRY_MS: i64 = 30_000;

/// A place that is due to be looked at.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Watch {
    /// The id of the trigger.
    pub start: String,
    pub organization: String,
    /// The id and the name of the pipeline that it runs.
    pub pipeline: (String, String),
    pub place: String,
    pub every_s: i64,
    /// Looks that have gone well before this one.
    pub looks: i64,
    /// What the newest of them has seen.
    pub seen: Option<Seen>,
}

/// Looks at every place that is due; never returns.
pub async fn watch_files(seat: watch::Receiver<Seat>) {
    let look = |handle, roster| async move { Watcher::new(handle, roster).look(clock::now()).await };
    while_leading(seat, ASK_EVERY, "nobody looks for files that arrive", look).await;
}

/// Looks at the places of all organizations.
pub(crate) struct Watcher {
    handle: Handle,
    roster: Arc<dyn Roster>,
}

impl Watcher {
    pub(crate) fn new(handle: Handle, roster: Arc<dyn Roster>) -> Self {
        Self { handle, roster }
    }

    /// Takes one look at each place that is due at the time `now`.
    pub(crate) async fn look(&self, now: i64) -> Result<()> {
        let due = self.handle.store().directory().await?.due_watches(now, PAGE).await?;
        let mut looks = stream::iter(due).map(|watch| self.look_at(watch)).buffer_unordered(AT_ONCE);
        let mut worst = Ok(());
        while let Some(looked) = looks.next().await {
            worst = worst.and(looked);
        }
        worst
    }

    /// Takes one look at one place. Why it sees nothing is shown with the trigger.
    async fn look_at(&self, watch: Watch) -> Result<()> {
        let Err(refusal) = self.compare(&watch).await else { return Ok(()) };
        let due_at = clock::now() + RETRY_MS.max(watch.every_s * 1000);
        let mut directory = self.handle.store().change_directory().await?;
        directory.watch_failed(&watch, due_at, &refusal.to_string()).await?;
        directory.commit().await
    }

    async fn compare(&self, watch: &Watch) -> Result<(), Refusal> {
        let pipelines = Pipelines::new(self.handle.clone(), Arc::clone(&self.roster));
        let (spec, place) = pipelines.files_at(&watch.organization, &watch.place).await?;
        let secrets = unseal(self.handle.vault(), [&spec]).await?;
        let files = self.roster.files(&spec, &place, &secrets).await;
        let files = files.map_err(|failure| Refusal::Unavailable(failure.message))?;
        let (seen, arrived) = step(watch.seen.as_ref(), &files);
        let now = clock::now();
        let mut directory = self.handle.store().change_directory().await?;
        let changed = (watch.seen.as_ref() != Some(&seen)).then_some(&seen);
        if !directory.watch_looked(watch, now + watch.every_s * 1000, changed).await? {
            // Whoever has looked meanwhile, or changed the place, has written it.
            return Ok(());
        }
        if let Some(arrived) = &arrived {
            directory.forget_firings(&watch.start, now - KNOWN_MS).await?;
            if directory.count_waiting(&watch.start).await? >= WAITING_MAX {
                return Err(Refusal::Conflict(format!("{WAITING_MAX} events wait for their runs")));
            }
            let firing = self::firing(watch, arrived.clone(), now);
            directory.add_firing(&firing).await?;
            let (pipeline, name) = &watch.pipeline;
            let detail = json!({ "pipeline": name, "pipeline_id": pipeline, "firing": firing.id, "arrived": arrived });
            let news = News { kind: "trigger.fired".into(), subject: watch.start.clone(), detail, at: now };
            directory.tell(&watch.organization, news);
        }
        directory.commit().await?;
        if arrived.is_some() {
            self.handle.wake_schedules();
        }
        Ok(())
    }
}

/// The event of files that have arrived: known by the look that has found them.
fn firing(watch: &Watch, arrived: Arrived, now: i64) -> Firing {
    Firing {
        id: clock::new_id(),
        start: watch.start.clone(),
        key: format!("look {}", watch.looks + 1),
        params: Default::default(),
        at: now,
        arrived: Some(arrived),
        run: None,
        error: None,
    }
}
