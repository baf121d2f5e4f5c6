//! Which of several coordinators leads: an election in etcd says who should, the term in the metadata database says whose
//! writes count.
//!
//! ```text
//!  stands by ──► leads ──► cannot know ──► leads again   its lease lasts, or nobody else has led in between
//!      ▲  another  │            │
//!      │   leads   ▼            ▼
//!      └──────── is over: decides nothing any more, the process ends
//! ```
//!
//! Safety rests on the term alone: a paused leader that wakes up writes nothing, and executors refuse its calls. The lease
//! only saves it from trying, and says soon enough when another is to take over.

mod election;
mod tenure;
#[cfg(test)]
mod tests;

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinHandle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use self::election::{Election, Key, Won};
pub use self::tenure::Tenure;
use crate::fleet::FleetConfig;
use crate::store::Store;
use crate::{Config, Error, Result, clock, figures};

/// How long a leader that is silent stays one. Others lead, and go on with its runs, within 15 s.
const LEASE: Duration = Duration::from_secs(10);
/// How often the lease is renewed: twice may fail.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// What the lease is taken to be shorter by, for clocks that differ: far more than they do.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// How often one that stands by looks whether someone leads.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The pause before etcd is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Who leads, as the value of the election's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// Of its process.
    pub id: String,
    /// Where clients reach it: `http://host:port`; empty where that was not told.
    pub url: String,
}

/// A coordinator that stands by, and leads as soon as nobody else does.
pub struct Candidate {
    election: Election,
    store: Store,
}

/// How a look at the election ended.
#[derive(Debug)]
pub enum Standing {
    Leads(Lead),
    By(Leader),
}

/// A coordinator that leads.
#[derive(Debug)]
pub struct Lead {
    tenure: Tenure,
    end: CancellationToken,
    keeping: JoinHandle<()>,
}

impl Candidate {
    /// Reaches etcd and the metadata database of `config`. `url` is where clients reach this process.
    pub async fn open(fleet: &FleetConfig, config: &Config, url: String) -> Result<Self> {
        let leader = Leader { id: clock::new_process_id(), url };
        let opened = Box::pin(Election::open(fleet, leader)).await;
        let election = opened.map_err(|reason| Error::Etcd(reason.into()))?;
        figures::leads(false);
        Ok(Self { election, store: config.store().await? })
    }

    /// Leads if nobody does; else says who.
    pub async fn campaign(&mut self) -> Result<Standing> {
        let key = Box::pin(self.election.campaign()).await.map_err(|reason| Error::Etcd(reason.into()))?;
        let won = match key {
            Key::Won(won) => won,
            Key::Held(leader) => return Ok(Standing::By(leader)),
        };
        let term = match Box::pin(self.take_term(&won)).await {
            Ok(term) => term,
            Err(error) => {
                Box::pin(self.election.resign(won.lease)).await;
                return Err(error);
            }
        };
        let tenure = Tenure::new(term, won.until);
        let end = CancellationToken::new();
        let keeper = Keeper { election: self.election.clone(), store: self.store.clone(), tenure: tenure.clone() };
        let keeping = tokio::spawn(keeper.keep(won.lease, end.clone()));
        figures::leads(true);
        Ok(Standing::Leads(Lead { tenure, end, keeping }))
    }

    /// Stands by until it leads. `by` hears of every leader that is not this one.
    pub async fn lead(&mut self, mut by: impl FnMut(&Leader)) -> Lead {
        let mut known = None;
        let mut is_down = false;
        loop {
            match self.campaign().await {
                Ok(Standing::Leads(lead)) => return lead,
                Ok(Standing::By(leader)) => {
                    is_down = false;
                    if known.as_ref() != Some(&leader) {
                        by(&leader);
                        known = Some(leader);
                    }
                    sleep(LOOK_EVERY).await;
                }
                Err(error) => {
                    if !std::mem::replace(&mut is_down, true) {
                        tracing::warn!(error = %error.chain(), "it cannot be found out who leads, trying again");
                    }
                    sleep(RETRY_PAUSE).await;
                }
            }
        }
    }

    /// Makes the winner's writes the only ones that count.
    async fn take_term(&self, won: &Won) -> Result<i64> {
        let before = self.store.leading_term().await?;
        // Asked after the term was read: what was written before can then not be of a later election.
        let holds = Box::pin(self.election.holds(won.revision)).await.map_err(|reason| Error::Etcd(reason.into()))?;
        if !holds {
            return Err(Error::Deposed);
        }
        let term = next_term(before, won.revision);
        self.store.succeed(before, term, clock::now()).await?;
        Ok(term)
    }
}

/// The term of who has won the election at a revision of etcd that only grows; greater than any before also where etcd was
/// made anew and counts from the beginning.
fn next_term(before: i64, revision: i64) -> i64 {
    revision.max(before + 1)
}

impl Lead {
    pub fn tenure(&self) -> Tenure {
        self.tenure.clone()
    }

    /// Lets another lead at once.
    pub async fn resign(self) {
        self.tenure.end("it was given up");
        self.end.cancel();
        // Its calls have limits of their own.
        let _ = self.keeping.await;
    }
}

/// Keeps the lease of a leader alive.
struct Keeper {
    election: Election,
    store: Store,
    tenure: Tenure,
}

impl Keeper {
    async fn keep(mut self, mut lease: i64, end: CancellationToken) {
        let kept = end.run_until_cancelled(Box::pin(self.hold(&mut lease))).await;
        if let Some(reason) = kept {
            return self.tenure.end(&reason);
        }
        Box::pin(self.election.resign(lease)).await;
    }

    /// Returns once another leads; says so. While etcd does not answer it is tried again.
    async fn hold(&mut self, lease: &mut i64) -> String {
        let (mut is_down, mut was_sure) = (false, true);
        loop {
            let kept = Box::pin(self.election.renew(*lease, &self.tenure, &mut is_down)).await;
            if let Err(reason) = &kept
                && !std::mem::replace(&mut is_down, true)
            {
                tracing::warn!(%reason, "the lead cannot be renewed, trying again");
            }
            let is_sure = self.tenure.check().is_ok();
            if std::mem::replace(&mut was_sure, is_sure) && !is_sure {
                tracing::warn!("this coordinator cannot know whether it leads: it decides nothing until etcd answers");
            }
            // The client says of a lease that is gone the same as of an etcd that does not answer.
            if kept.is_ok() || !is_sure {
                match Box::pin(self.regain(lease)).await {
                    Ok(None) => {}
                    Ok(Some(reason)) => return reason,
                    Err(error) => tracing::debug!(error = %error.chain(), "the lead is not regained yet"),
                }
            }
            if self.tenure.is_over() {
                return "another coordinator has taken the lead in the metadata database".to_owned();
            }
            sleep(RETRY_PAUSE).await;
        }
    }

    /// The lease has run out: goes on under a new one if nobody has led in between, else says who leads.
    async fn regain(&mut self, lease: &mut i64) -> Result<Option<String>> {
        let etcd = |reason: String| Error::Etcd(reason.into());
        match Box::pin(self.election.campaign()).await.map_err(etcd)? {
            // From a try whose answer was lost: it runs out.
            Key::Held(leader) if self.election.is_own(&leader) => Ok(None),
            Key::Held(leader) => Ok(Some(format!("`{}` leads by now", leader.url))),
            Key::Won(won) => {
                let term = next_term(self.tenure.term(), won.revision);
                match self.store.succeed(self.tenure.term(), term, clock::now()).await {
                    Ok(()) => {
                        *lease = won.lease;
                        self.tenure.renew(term, won.until);
                        tracing::info!(term, "this coordinator leads again, and nobody has in between");
                        Ok(None)
                    }
                    Err(error) => {
                        Box::pin(self.election.resign(won.lease)).await;
                        match error {
                            Error::Deposed => Ok(Some("another coordinator has led in between".to_owned())),
                            error => Err(error),
                        }
                    }
                }
            }
        }
    }
}
