//! What happens, told to whoever watches: each sees the log of their organization, nothing left out and nothing twice, and
//! between that the counters of runs under way.
//!
//! One task follows the log while anybody watches, and tells everything once to all. A [`Watcher`] takes what is its own of
//! that. What it has missed, since it came later or is slow, it reads in the log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Weak};
use std::time::Duration;

use flowetl_proto::id::RunId;
use flowetl_proto::run::{RunView, Timestamp};
use serde::Serialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, interval, sleep};
use utoipa::ToSchema;

use crate::run::Surroundings;
use crate::store::{NewsRow, Store};
use crate::{Error, Result, clock};

/// What is told and not taken yet: who is further behind reads the log.
const WAITING_MAX: usize = 1024;
/// How often the counters of a run are told.
const SAMPLE_EVERY: Duration = Duration::from_millis(500);
/// How often the log is looked at although nothing was added here: other processes of this home write to it, too.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Entries of the log read at once.
const PAGE: i64 = 500;

/// How long the log is kept: who was away for a week looks at everything anew.
const KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// How much of the log is kept: some 30 MB, the runs of a day that has one every four seconds.
const KEPT_MAX: i64 = 100_000;
/// How often the log is shortened, and how long after the start: a process that only makes one short run has better things to
/// do.
const FORGET_EVERY: Duration = Duration::from_secs(3600);
const FORGET_FIRST: Duration = Duration::from_secs(60);

/// Something that happened, as whoever watches is told.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct Happening {
    /// Grows; null where it is not in the log: counters of a run under way.
    pub number: Option<i64>,
    /// Of what sort the thing is, and what happened to it: `run.started`, `run.changed`, `run.progress`, `run.ended`,
    /// `connection.changed` and so on.
    pub kind: String,
    /// The id of the thing.
    pub subject: String,
    /// What else is known of it.
    #[schema(value_type = Object)]
    pub detail: Value,
    pub at: Timestamp,
}

/// What all who listen hear.
#[derive(Clone, Debug)]
enum Told {
    Happening {
        organization: Option<String>,
        happening: Arc<Happening>,
    },
    /// Nothing up to this number is told from here on.
    Upto(i64),
}

/// Where everything is told.
pub(crate) struct Feed {
    told: broadcast::Sender<Told>,
    /// Wakes the task that tells.
    wanted: mpsc::Sender<()>,
}

/// Listens for one organization.
pub(crate) struct Watcher {
    store: Store,
    organization: String,
    told: broadcast::Receiver<Told>,
    /// Up to which number everything was given, or waits in `found`.
    last: i64,
    /// Whether the log has more than that which will not be told.
    is_behind: bool,
    found: VecDeque<Arc<Happening>>,
}

impl From<NewsRow> for Happening {
    fn from(row: NewsRow) -> Self {
        let (number, news) = (Some(row.number), row.news);
        Self { number, kind: news.kind, subject: news.subject, detail: news.detail, at: Timestamp(news.at) }
    }
}

impl Feed {
    /// With what its task, [`tell`], is woken by.
    pub(crate) fn new() -> (Self, mpsc::Receiver<()>) {
        let (wanted, wakes) = mpsc::channel(1);
        (Self { told: broadcast::Sender::new(WAITING_MAX), wanted }, wakes)
    }

    pub(crate) fn listeners(&self) -> usize {
        self.told.receiver_count()
    }

    /// Listens for an organization, from the number `after` on. Fails with [`Error::Forgotten`] where not all since then is
    /// kept; without a number, from now on.
    pub(crate) async fn watch(&self, store: &Store, organization: String, after: Option<i64>) -> Result<Watcher> {
        let told = self.told.subscribe();
        // Full where it was woken already.
        let _ = self.wanted.try_send(());
        let last = match after {
            Some(after) => after,
            None => store.newest_news().await?,
        };
        // Whether the number is a right one is seen at once.
        let page = store.news_after(Some(&organization), last, PAGE).await?;
        let mut watcher =
            Watcher { store: store.clone(), organization, told, last, is_behind: true, found: VecDeque::new() };
        watcher.take(page.rows, page.upto);
        Ok(watcher)
    }
}

impl Watcher {
    pub(crate) fn organization(&self) -> &str {
        &self.organization
    }

    /// From which number on it has listened, as long as nothing was taken.
    pub(crate) fn last(&self) -> i64 {
        self.found.front().and_then(|first| first.number).map_or(self.last, |first| first - 1)
    }

    /// What happens next. Nothing is lost where this is dropped before its end. Fails with [`Error::Deposed`] where nothing
    /// more is told here.
    pub(crate) async fn next(&mut self) -> Result<Arc<Happening>> {
        loop {
            if let Some(happening) = self.found.pop_front() {
                return Ok(happening);
            }
            if self.is_behind {
                let page = self.store.news_after(Some(&self.organization), self.last, PAGE).await?;
                self.take(page.rows, page.upto);
                continue;
            }
            let (organization, happening) = match self.told.recv().await {
                Ok(Told::Happening { organization, happening }) => (organization, happening),
                Ok(Told::Upto(number)) => {
                    self.is_behind = number > self.last;
                    continue;
                }
                Err(RecvError::Lagged(_)) => {
                    self.is_behind = true;
                    continue;
                }
                Err(RecvError::Closed) => return Err(Error::Deposed),
            };
            match happening.number {
                Some(number) if number <= self.last => continue,
                Some(number) if number > self.last + 1 => {
                    self.is_behind = true;
                    continue;
                }
                Some(number) => self.last = number,
                None => {}
            }
            if organization.as_ref() == Some(&self.organization) {
                return Ok(happening);
            }
        }
    }

    /// A page of the log; one that is not full is its end.
    fn take(&mut self, rows: Vec<NewsRow>, upto: i64) {
        self.is_behind = i64::try_from(rows.len()).is_ok_and(|found| found == PAGE);
        self.last = upto;
        self.found.extend(rows.into_iter().map(|row| Arc::new(row.into())));
    }
}

/// A page of an organization's log after the number `after`, and the number after which the next page begins.
pub(crate) async fn page(store: &Store, organization: &str, after: i64, limit: i64) -> Result<(Vec<Happening>, i64)> {
    let page = store.news_after(Some(organization), after, limit).await?;
    Ok((page.rows.into_iter().map(Happening::from).collect(), page.upto))
}

/// Tells what happens while anybody listens, until the coordinator is dropped.
pub(crate) async fn tell(around: Weak<Surroundings>, mut wakes: mpsc::Receiver<()>) {
    while wakes.recv().await.is_some() {
        let Some(started) = around.upgrade() else { return };
        let grown = started.store.grown();
        let mut teller =
            Teller { last: None, looked_at: Instant::now(), owners: BTreeMap::new(), seen: BTreeMap::new() };
        teller.look(&started).await;
        drop(started);
        let mut due = interval(SAMPLE_EVERY);
        loop {
            let has_grown = tokio::select! {
                _ = due.tick() => false,
                () = grown.notified() => true,
            };
            let Some(around) = around.upgrade() else { return };
            if around.feed.listeners() == 0 {
                break;
            }
            if has_grown || teller.looked_at.elapsed() >= LOOK_EVERY {
                teller.look(&around).await;
            }
            if !has_grown {
                teller.sample(&around).await;
            }
        }
    }
}

/// What the task that tells remembers.
struct Teller {
    /// The number of what was told last.
    last: Option<i64>,
    looked_at: Instant,
    /// Whose the runs are that are under way.
    owners: BTreeMap<RunId, Option<String>>,
    /// The counters of each that were told last.
    seen: BTreeMap<RunId, Value>,
}

impl Teller {
    /// Tells what was added to the log.
    async fn look(&mut self, around: &Surroundings) {
        self.looked_at = Instant::now();
        if let Err(error) = self.read(around).await {
            // Whoever listens finds out by the numbers.
            self.last = None;
            tracing::debug!(error = %error.chain(), "what happens is told later");
        }
    }

    async fn read(&mut self, around: &Surroundings) -> Result<()> {
        let mut last = match self.last {
            Some(last) => last,
            None => {
                let newest = around.store.newest_news().await?;
                // Nobody may listen by now, here and below.
                let _ = around.feed.told.send(Told::Upto(newest));
                newest
            }
        };
        loop {
            let page = around.store.news_after(None, last, PAGE).await?;
            let is_full = i64::try_from(page.rows.len()).is_ok_and(|found| found == PAGE);
            for row in page.rows {
                let (organization, happening) = (row.organization.clone(), Arc::new(row.into()));
                let _ = around.feed.told.send(Told::Happening { organization, happening });
            }
            last = page.upto;
            self.last = Some(last);
            if !is_full {
                return Ok(());
            }
        }
    }

    /// Tells the counters of runs under way that have moved.
    async fn sample(&mut self, around: &Surroundings) {
        let views = around.views();
        self.owners.retain(|run, _| views.iter().any(|view| view.run_id == *run));
        self.seen.retain(|run, _| views.iter().any(|view| view.run_id == *run));
        for view in views {
            let counters = counters(&view);
            if self.seen.get(&view.run_id) == Some(&counters) {
                continue;
            }
            if !self.owners.contains_key(&view.run_id) {
                let Ok(owner) = around.store.owner_of_run(&view.run_id).await else { continue };
                self.owners.insert(view.run_id.clone(), owner);
            }
            self.seen.insert(view.run_id.clone(), counters.clone());
            let (kind, subject) = ("run.progress".to_owned(), view.run_id.to_string());
            let happening = Happening { number: None, kind, subject, detail: counters, at: Timestamp(clock::now()) };
            let organization = self.owners.get(&view.run_id).cloned().flatten();
            let _ = around.feed.told.send(Told::Happening { organization, happening: Arc::new(happening) });
        }
    }
}

/// What moves while a run goes on.
fn counters(view: &RunView) -> Value {
    let of_block = |block: &flowetl_proto::run::BlockView| {
        json!({
            "rows_in": block.rows_in, "rows_out": block.rows_out, "bytes_out": block.bytes_out,
            "rows_quarantined": block.rows_quarantined,
        })
    };
    let blocks: serde_json::Map<_, _> =
        view.blocks.iter().map(|(id, block)| (id.to_string(), of_block(block))).collect();
    json!({ "pipeline": view.pipeline, "blocks": blocks, "bottleneck": view.bottleneck })
}

/// Shortens the log, until the coordinator is dropped.
pub(crate) async fn forget(around: Weak<Surroundings>) {
    let mut pause = FORGET_FIRST;
    loop {
        sleep(pause).await;
        pause = FORGET_EVERY;
        let Some(around) = around.upgrade() else { return };
        if let Err(error) = around.store.forget_news(clock::now() - KEPT_MS, KEPT_MAX).await {
            tracing::debug!(error = %error.chain(), "the log of what happened is shortened the next time");
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::timeout;

    use super::*;
    use crate::store::News;
    use crate::tests::simulate::{Process, TEST_LIMIT, world};
    use crate::tests::{Database, on_both};

    on_both!(who_falls_behind_reads_the_log);

    /// So much happens at once in the organizations `a` and `b`, in turn.
    async fn happen(store: &Store, count: usize) {
        let news = |number: usize| News {
            kind: "run.changed".into(),
            subject: number.to_string(),
            detail: json!({}),
            at: number as i64,
        };
        let all = (0..count).map(|number| (["a", "b"][number % 2].to_owned(), news(number)));
        store.add_news(all.collect()).await.unwrap();
    }

    async fn who_falls_behind_reads_the_log(database: &Database) {
        let process = Process::start(database, &world(&[])).await;
        let store = process.handle.store().clone();
        let begin = store.newest_news().await.unwrap();
        let mut watcher = process.handle.watch("a".into(), None).await.unwrap();
        let mut late = process.handle.watch("a".into(), Some(begin)).await.unwrap();
        // More than is told before it is taken, and than a page has.
        let count = WAITING_MAX + 2 * PAGE as usize;
        happen(&store, count).await;
        for number in 0..count / 2 {
            for listens in [&mut watcher, &mut late] {
                let told = timeout(TEST_LIMIT, listens.next()).await.unwrap().unwrap();
                assert_eq!(told.subject, (2 * number).to_string());
            }
        }
        happen(&store, 1).await;
        let told = timeout(TEST_LIMIT, watcher.next()).await.unwrap().unwrap();
        assert_eq!((told.number, told.subject.as_str()), (Some(begin + count as i64 + 1), "0"));

        assert_eq!(store.forget_news(-1, 5).await.unwrap(), count as u64 + 1 - 5);
        assert!(matches!(store.news_after(None, begin, 1).await, Err(Error::Forgotten { .. })));
        let kept = store.news_after(None, begin + count as i64 - 4, 10).await.unwrap();
        assert_eq!((kept.rows.len(), kept.upto), (5, begin + count as i64 + 1));
        process.die().await;
    }
}
