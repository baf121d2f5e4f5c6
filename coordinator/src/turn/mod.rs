//! Whose turn it is: how many runs of an organization, and of all, are under way at once. `queue` decides, [`Turns`] is the
//! shell around it.
//!
//! A run is recorded when it is asked for, and begins once its turn has come. Turns are kept by the process that decides
//! about the runs; what lasts is in the runs' rows: whether a run still waits, its priority, and, by its id, since when.

mod model;
mod queue;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flowetl_proto::id::RunId;
use tokio::sync::Notify;

pub(crate) use self::model::{Entry, Priority};
use self::queue::Queue;

/// The turns of all runs of a process. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Turns {
    queue: Arc<Mutex<Queue<Arc<Notify>>>>,
}

/// The turn of one run. Whoever drops it lets others have theirs.
#[derive(Debug)]
pub(crate) struct Turn {
    turns: Turns,
    run: RunId,
    bell: Arc<Notify>,
}

impl Turns {
    /// With room for `most` runs of all organizations together.
    pub(crate) fn new(most: Option<usize>) -> Self {
        Self { queue: Arc::new(Mutex::new(Queue::new(most))) }
    }

    /// A run that is to begin waits for its turn from now on; one that goes already has it, whatever the limits.
    pub(crate) fn enter(&self, entry: Entry, goes: bool) -> Turn {
        let (run, bell) = (entry.run.clone(), Arc::new(Notify::new()));
        let mut queue = self.lock();
        queue.limit(&entry.organization, entry.limit);
        queue.enter(entry, goes, Arc::clone(&bell));
        ring(queue.admit());
        Turn { turns: self.clone(), run, bell }
    }

    /// The organization's runs may be so many at once from now on.
    pub(crate) fn limit(&self, organization: &str, most: Option<usize>) {
        let mut queue = self.lock();
        queue.limit(organization, most);
        ring(queue.admit());
    }

    /// What a run waits for, in words; `None` where it does not wait here.
    pub(crate) fn reason(&self, run: &RunId) -> Option<String> {
        self.lock().reason(run)
    }

    fn lock(&self) -> MutexGuard<'_, Queue<Arc<Notify>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ring(bells: Vec<Arc<Notify>>) {
    bells.iter().for_each(|bell| bell.notify_one());
}

impl Turn {
    pub(crate) fn has_come(&self) -> bool {
        self.turns.lock().goes(&self.run)
    }

    /// Waits until it has come. Holds nothing of the turn itself.
    pub(crate) fn come(&self) -> impl Future<Output = ()> + Send + use<> {
        let (turns, run, bell) = (self.turns.clone(), self.run.clone(), Arc::clone(&self.bell));
        async move {
            while !turns.lock().goes(&run) {
                bell.notified().await;
            }
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queue = self.turns.lock();
        queue.leave(&self.run);
        ring(queue.admit());
    }
}
