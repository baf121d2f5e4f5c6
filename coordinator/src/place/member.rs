//! One executor as the fleet sees it: whether it is announced, whether it is reached, and what follows when it is neither.

use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::control::AttemptSpec;
use flowetl_proto::id::ExecutorId;

use super::attempt::Attempt;
use super::{Action, Job, LOST_REMEMBERED, Placement};

#[derive(Debug)]
pub(super) struct Member {
    /// Where other executors reach it.
    pub(super) url: String,
    pub(super) slots: u32,
    /// Whether its lease in etcd is there, as far as etcd can be asked.
    announced: bool,
    pub(super) draining: bool,
    pub(super) link: Link,
}

/// Its stream of reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    /// It has not been open yet.
    Opening,
    Open,
    Broken {
        since: Duration,
        /// Opening it again was tried and did not succeed.
        tried: bool,
    },
}

impl Member {
    /// Whether new attempts may go there. One whose lease is gone while it still reports keeps what it has.
    pub(super) fn takes_new(&self) -> bool {
        self.announced && !self.draining && self.is_open()
    }

    pub(super) fn is_open(&self) -> bool {
        self.link == Link::Open
    }

    pub(super) fn is_away_for(&self, now: Duration, limit: Duration) -> bool {
        matches!(self.link, Link::Broken { since, .. } if now.saturating_sub(since) >= limit)
    }
}

impl Placement {
    pub(super) fn announced(&mut self, id: ExecutorId, url: String, slots: u32, draining: bool) {
        if let Some(member) = self.members.get_mut(&id) {
            (member.slots, member.announced, member.draining) = (slots, true, draining);
            return;
        }
        self.actions.push(Action::Attend(id.clone()));
        self.members.insert(id, Member { url, slots, announced: true, draining, link: Link::Opening });
    }

    pub(super) fn withdrawn(&mut self, id: &ExecutorId) {
        let Some(member) = self.members.get_mut(id) else { return };
        member.announced = false;
        match member.link {
            Link::Opening | Link::Broken { tried: true, .. } => self.lose(id, UNREACHABLE),
            // Etcd may have lost it while it works: it keeps what it has.
            Link::Open | Link::Broken { tried: false, .. } => {}
        }
    }

    pub(super) fn opened(&mut self, id: &ExecutorId, held: Vec<(Arc<AttemptSpec>, bool)>) {
        let Some(member) = self.members.get_mut(id) else { return };
        member.link = Link::Open;
        let at = self.lost.iter().position(|(lost, _)| lost == id);
        let given_up = at.map(|at| self.lost.remove(at).1).unwrap_or_default();
        for (spec, prepared) in held {
            if given_up.iter().any(|lost| lost.id.token == spec.id.token) {
                self.actions.push(Action::Call(id.clone(), Job::Discard(spec)));
                continue;
            }
            let token = spec.id.token;
            let attempt = self.attempts.entry(token).or_insert_with(|| Attempt::found(id, spec, prepared));
            if attempt.on.is_none() && attempt.calling.is_none() && !attempt.waits_to_start() {
                attempt.is_found(id);
            }
        }
    }

    pub(super) fn broken(&mut self, now: Duration, id: &ExecutorId) {
        if let Some(member) = self.members.get_mut(id)
            && member.link == Link::Open
        {
            member.link = Link::Broken { since: now, tried: false };
        }
    }

    pub(super) fn unreachable(&mut self, id: &ExecutorId) {
        let Some(member) = self.members.get_mut(id) else { return };
        if let Link::Broken { tried, .. } = &mut member.link {
            *tried = true;
        }
        if !member.announced && member.link != Link::Open {
            self.lose(id, UNREACHABLE);
        }
    }

    /// Gives up what the executor had. It stays known while it is announced, should it be reached again.
    pub(super) fn lose(&mut self, id: &ExecutorId, why: &str) {
        let left_behind = self.lose_attempts(id, why);
        if !left_behind.is_empty() {
            if self.lost.len() == LOST_REMEMBERED {
                self.lost.remove(0);
            }
            self.lost.push((id.clone(), left_behind));
        }
        if self.members.get(id).is_some_and(|member| !member.announced) {
            self.members.remove(id);
            self.actions.push(Action::Leave(id.clone()));
        }
    }
}

const UNREACHABLE: &str = "it is no longer announced and cannot be reached";
