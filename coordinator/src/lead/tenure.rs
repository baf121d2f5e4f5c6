//! The time for which a coordinator leads, as all that decides in it sees it.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::{Error, Result};

/// Under what a coordinator decides: its term, and for how long it can know that nobody else leads. Cheap to clone.
#[derive(Clone)]
pub struct Tenure {
    shared: Arc<Shared>,
}

struct Shared {
    /// Changes only while nothing can be decided.
    term: AtomicI64,
    hold: watch::Sender<Hold>,
}

/// What is known of the lease.
#[derive(Clone, Debug, PartialEq)]
enum Hold {
    /// It lasts at least until then.
    Until(Instant),
    /// Another leads, or may: for good, and why.
    Over(String),
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenure").field("term", &self.term()).field("hold", &*self.shared.hold.borrow()).finish()
    }
}

impl Tenure {
    /// One that lasts until `until` if nothing more is heard.
    pub(crate) fn new(term: i64, until: Instant) -> Self {
        let (term, hold) = (AtomicI64::new(term), watch::Sender::new(Hold::Until(until)));
        Self { shared: Arc::new(Shared { term, hold }) }
    }

    /// What every write and every call of an executor names.
    pub fn term(&self) -> i64 {
        self.shared.term.load(Ordering::SeqCst)
    }

    /// Whether anything may be decided now: [`Error::Unsure`] where the lease may have run out, [`Error::Deposed`] where it
    /// has.
    pub(crate) fn check(&self) -> Result<()> {
        match &*self.shared.hold.borrow() {
            Hold::Until(until) if Instant::now() < *until => Ok(()),
            Hold::Until(_) => Err(Error::Unsure),
            Hold::Over(_) => Err(Error::Deposed),
        }
    }

    /// Waits until something may be decided, or never again.
    pub(crate) async fn sure(&self) -> Result<()> {
        let mut hold = self.shared.hold.subscribe();
        loop {
            match self.check() {
                Err(Error::Unsure) => {}
                known => return known,
            }
            if hold.changed().await.is_err() {
                return Err(Error::Deposed);
            }
        }
    }

    /// Waits until nothing may be decided any more; says why.
    pub async fn over(&self) -> String {
        let mut hold = self.shared.hold.subscribe();
        loop {
            if let Hold::Over(reason) = &*hold.borrow_and_update() {
                return reason.clone();
            }
            if hold.changed().await.is_err() {
                return "it was given up".to_owned();
            }
        }
    }

    /// Whether it is over.
    pub(crate) fn is_over(&self) -> bool {
        matches!(&*self.shared.hold.borrow(), Hold::Over(_))
    }

    /// The lease lasts longer than was known. Nothing brings an ended tenure back.
    pub(super) fn extend(&self, until: Instant) {
        self.shared.hold.send_if_modified(|hold| match hold {
            Hold::Until(known) if *known < until => {
                *known = until;
                true
            }
            _ => false,
        });
    }

    /// A new lease under a greater term, where nobody has led in between.
    pub(super) fn renew(&self, term: i64, until: Instant) {
        self.shared.term.store(term, Ordering::SeqCst);
        self.extend(until);
    }

    /// Ends it for good.
    pub(crate) fn end(&self, reason: &str) {
        self.shared.hold.send_if_modified(|hold| {
            let lasts = !matches!(hold, Hold::Over(_));
            if lasts {
                *hold = Hold::Over(reason.to_owned());
            }
            lasts
        });
    }
}

/// How long a lease is known to last that was granted or renewed for `ttl` on a request sent at `asked_at`: etcd counts
/// from when it answered, which was later; a clock may run a little faster than etcd's.
pub(super) fn known_until(asked_at: Instant, ttl: Duration, margin: Duration) -> Instant {
    asked_at + ttl.saturating_sub(margin)
}
