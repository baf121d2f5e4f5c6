//! The brain of the fleet: which executor does what, and what becomes of its work when it goes.
//!
//! Pure: time comes in, actions go out. Whatever is asked for is accepted at once and waits here until an executor can
//! take it; what the runs hear of it are the usual events.
//!
//! ```text
//!                 announced, its stream of reports opens
//!  (unknown) ──► opening ─────────────────────────────► open ◄──┐ the stream opens again: its work goes on
//!                                                        │      │
//!                                       the stream ends  ▼      │
//!                                                      broken ──┘
//!                                                        │ its lease in etcd is gone and it cannot be reached, or it
//!                                                        ▼ cannot be reached for too long
//!                                                      lost: its attempts have failed, to be tried again elsewhere
//! ```
//!
//! Every executor that works on an attempt has a slot taken for it, whether it leads or helps. An attempt needs one, its
//! leader's, and waits until it is free; once it flows it asks for helpers and is named those that are free then. So nobody who
//! has a slot ever waits for another, and nothing can wait for each other.

mod attempt;
mod member;
mod share;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptSpec, Prepared};
use flowetl_proto::id::{ExecutorId, RunId, Token};

use self::attempt::Attempt;
use self::member::Member;

/// How long work waits while there is no executor at all: long enough to start one.
pub const DESERTED_LIMIT: Duration = Duration::from_secs(60);

/// How long an executor may be out of reach before its work is given up although it is still announced, or although etcd
/// does not say. By then it has ended its running attempts itself: it does so after 60 s without a listener.
pub const AWAY_LIMIT: Duration = Duration::from_secs(75);

/// Lost executors whose attempts are remembered, so that they are removed should one come back: more than die together.
const LOST_REMEMBERED: usize = 64;

/// What a run asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    Start(Arc<AttemptSpec>),
    /// Name the helpers of a running attempt, which its spec has.
    Help(Arc<AttemptSpec>),
    /// Tell of an attempt that an earlier coordinator started, wherever it is. Never called for: whoever has it says so.
    Reattach(Arc<AttemptSpec>),
    Commit(Arc<AttemptSpec>, Arc<Prepared>),
    Discard(Arc<AttemptSpec>),
    Cancel {
        run: RunId,
        token: Token,
        limit: Duration,
    },
}

impl Job {
    pub fn token(&self) -> Token {
        match self {
            Self::Start(spec)
            | Self::Help(spec)
            | Self::Reattach(spec)
            | Self::Commit(spec, _)
            | Self::Discard(spec) => spec.id.token,
            Self::Cancel { token, .. } => *token,
        }
    }
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Event {
    Asked(Job),
    /// An executor is announced, or its announcement has changed.
    Announced {
        id: ExecutorId,
        url: String,
        slots: u32,
        draining: bool,
    },
    /// An executor's announcement is gone.
    Withdrawn(ExecutorId),
    /// The stream of reports is open; these are the attempts there, and whether each is prepared.
    Opened(ExecutorId, Vec<(Arc<AttemptSpec>, bool)>),
    /// The stream of reports has ended.
    Broken(ExecutorId),
    /// It could not be opened again.
    Unreachable(ExecutorId),
    Reported(ExecutorId, AttemptEvent),
    /// The call about this attempt has returned.
    Answered(ExecutorId, Token, Answer),
    Tick,
}

/// How an executor answered a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    Accepted,
    /// Nothing was begun: it takes no more attempts.
    Closed,
    Refused(Failure),
    /// There was no answer, so that it may have been begun.
    Unsure(String),
}

/// What the shell is to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Keep a stream of reports to this executor open.
    Attend(ExecutorId),
    /// It is gone: stop trying.
    Leave(ExecutorId),
    Call(ExecutorId, Job),
    Tell(AttemptEvent),
}

/// How many attempts an executor takes and has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    pub slots: u32,
    pub busy: u32,
}

/// What is known of executors and of the attempts that runs wait for.
#[derive(Debug, Default)]
pub struct Placement {
    members: BTreeMap<ExecutorId, Member>,
    /// By token, so that the oldest comes first.
    attempts: BTreeMap<Token, Attempt>,
    /// What lost executors had, should they come back.
    lost: Vec<(ExecutorId, Vec<Arc<AttemptSpec>>)>,
    /// Since when nobody could take a new attempt.
    deserted_since: Option<Duration>,
    actions: Vec<Action>,
}

impl Placement {
    /// Decides what follows from an event; `now` only grows.
    pub fn step(&mut self, now: Duration, event: Event) -> Vec<Action> {
        match event {
            Event::Asked(job) => self.asked(now, job),
            Event::Announced { id, url, slots, draining } => self.announced(id, url, slots, draining),
            Event::Withdrawn(id) => self.withdrawn(&id),
            Event::Opened(id, held) => self.opened(&id, held),
            Event::Broken(id) => self.broken(now, &id),
            Event::Unreachable(id) => self.unreachable(&id),
            Event::Reported(id, event) => self.reported(&id, event),
            Event::Answered(id, token, answer) => self.answered(&id, token, answer),
            Event::Tick => self.tick(now),
        }
        self.end_searches(now);
        let deserted = !self.members.values().any(Member::takes_new);
        self.deserted_since = deserted.then(|| self.deserted_since.unwrap_or(now));
        self.hand_out();
        std::mem::take(&mut self.actions)
    }

    /// The executors that are there.
    pub fn loads(&self) -> BTreeMap<ExecutorId, Load> {
        let there = self.members.iter().filter(|(_, member)| member.is_open());
        there.map(|(id, member)| (id.clone(), Load { slots: member.slots, busy: self.busy(id) })).collect()
    }

    /// Any executor that can do what needs no slot.
    pub fn any(&self) -> Option<&ExecutorId> {
        let open = self.members.iter().filter(|(_, member)| member.is_open());
        open.min_by_key(|(id, member)| (!member.takes_new(), self.busy(id))).map(|(id, _)| id)
    }

    /// Calls for every attempt whose next job can be done now: one call of an attempt at a time, oldest attempts first.
    fn hand_out(&mut self) {
        let due = self.attempts.iter().filter(|(_, attempt)| attempt.is_due() && !attempt.needs_slot());
        for token in due.map(|(token, _)| *token).collect::<Vec<_>>() {
            let on = self.attempts.get(&token).and_then(|attempt| attempt.on.as_ref());
            let to = match on {
                Some(id) => self.members.get(id).is_some_and(Member::is_open).then_some(id),
                None => self.any(),
            };
            if let Some(to) = to.cloned() {
                self.call(token, to);
            }
        }
        while let Some((token, to)) = self.next_start() {
            self.call(token, to);
        }
        self.name_helpers();
    }

    fn call(&mut self, token: Token, to: ExecutorId) {
        if let Some(attempt) = self.attempts.get_mut(&token)
            && let Some(job) = attempt.call(&to)
        {
            self.actions.push(Action::Call(to, job));
        }
    }

    fn tick(&mut self, now: Duration) {
        let away = self.members.iter().filter(|(_, member)| member.is_away_for(now, AWAY_LIMIT));
        for id in away.map(|(id, _)| id.clone()).collect::<Vec<_>>() {
            self.lose(&id, &format!("it could not be reached for {} s", AWAY_LIMIT.as_secs()));
        }
        let slots = self.members.values().filter(|m| m.takes_new()).map(|m| m.slots).sum::<u32>();
        let mut given_up = Vec::new();
        let is_waiting = |a: &Attempt| a.on.is_none() && a.calling.is_none() && !a.is_sought();
        for (token, attempt) in self.attempts.iter_mut().filter(|(_, a)| is_waiting(a)) {
            let since = self.deserted_since.map(|since| since.max(attempt.asked_at));
            if since.is_some_and(|since| now.saturating_sub(since) >= DESERTED_LIMIT) {
                given_up.push(*token);
            } else if let Some(event) = attempt.wait(slots) {
                self.actions.push(Action::Tell(event));
            }
        }
        for token in given_up {
            let Some(attempt) = self.attempts.remove(&token) else { continue };
            let text = format!("there has been no executor for {} s", DESERTED_LIMIT.as_secs());
            let told = attempt.fail_waiting(Failure::new(Class::LostExecutor, text));
            told.into_iter().for_each(|event| self.tell(event));
        }
    }

    fn tell(&mut self, event: AttemptEvent) {
        self.actions.push(Action::Tell(event));
    }
}
