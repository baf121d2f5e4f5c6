//! One attempt as the fleet sees it: where it is, what was asked for it, and what its run waits to hear.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptEventKind, AttemptSpec, Helper};
use flowetl_proto::id::{ExecutorId, Token};

use super::member::Link;
use super::{AWAY_LIMIT, Answer, Job, Placement};

#[derive(Debug)]
pub(super) struct Attempt {
    /// Without secrets: what is called for has them with it.
    pub(super) spec: Arc<AttemptSpec>,
    /// The executor that has it, or had it last.
    pub(super) on: Option<ExecutorId>,
    /// What is still to be asked for, one of a kind at most.
    pub(super) jobs: VecDeque<Job>,
    /// The call that has not returned.
    pub(super) calling: Option<Job>,
    /// What was asked for and has not come to its end.
    pub(super) doing: Option<Doing>,
    pub(super) asked_at: Duration,
    /// Nothing more is to come of it.
    over: bool,
    /// Whose it is, where an earlier coordinator started it.
    origin: Origin,
    /// Why it waits, as its run was told.
    told: Option<String>,
    /// How many helpers its leader has asked for, until they are named.
    asks_for: Option<usize>,
}

/// How an attempt came to be known.
#[derive(Debug, PartialEq)]
enum Origin {
    /// Its run has asked for it.
    Asked,
    /// An executor has it, and no run has asked for it yet: what its run must hear is kept.
    Found { kept: Option<AttemptEvent> },
    /// Its run has asked for it, and no executor has been found to have it yet.
    Sought,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Doing {
    Start,
    Commit,
    Discard,
}

impl Doing {
    fn of(job: &Job) -> Option<Self> {
        match job {
            Job::Start(_) => Some(Self::Start),
            Job::Commit(..) => Some(Self::Commit),
            Job::Discard(_) => Some(Self::Discard),
            Job::Help(_) | Job::Reattach(_) | Job::Cancel { .. } => None,
        }
    }
}

impl Attempt {
    fn new(now: Duration, spec: Arc<AttemptSpec>) -> Self {
        Self {
            spec,
            on: None,
            jobs: VecDeque::new(),
            calling: None,
            doing: None,
            asked_at: now,
            over: false,
            origin: Origin::Asked,
            told: None,
            asks_for: None,
        }
    }

    /// One that an executor has although nobody here asked for it: an earlier coordinator did.
    pub(super) fn found(on: &ExecutorId, spec: Arc<AttemptSpec>, prepared: bool) -> Self {
        let doing = (!prepared).then_some(Doing::Start);
        let origin = Origin::Found { kept: None };
        Self { on: Some(on.clone()), doing, origin, ..Self::new(Duration::ZERO, spec) }
    }

    /// The executor that has what was sought.
    pub(super) fn is_found(&mut self, on: &ExecutorId) {
        self.on = Some(on.clone());
        if self.origin == Origin::Sought {
            self.origin = Origin::Asked;
        }
    }

    pub(super) fn is_running(&self) -> bool {
        self.doing == Some(Doing::Start)
    }

    /// Whether it is still to be found out who has it.
    pub(super) fn is_sought(&self) -> bool {
        self.origin == Origin::Sought
    }

    pub(super) fn waits_to_start(&self) -> bool {
        matches!(self.jobs.front(), Some(Job::Start(_)))
    }

    /// Whether its next job can be called for.
    pub(super) fn is_due(&self) -> bool {
        self.calling.is_none() && !self.jobs.is_empty() && !self.is_sought()
    }

    /// Whether its next job is to start wherever a slot is free.
    pub(super) fn needs_slot(&self) -> bool {
        self.on.is_none() && self.waits_to_start()
    }

    /// Whether an executor leads it or helps with it.
    pub(super) fn works(&self, id: &ExecutorId) -> bool {
        self.on.as_ref() == Some(id) || self.spec.helpers.iter().any(|helper| helper.id == *id)
    }

    /// How many helpers are to be named to its leader now.
    pub(super) fn asks_for(&self) -> Option<usize> {
        self.asks_for.filter(|_| self.is_running() && self.calling.is_none() && self.jobs.is_empty())
    }

    /// The attempt with its helpers, as its leader is told.
    pub(super) fn call_for_help(&mut self, helpers: Vec<Helper>) -> Arc<AttemptSpec> {
        self.asks_for = None;
        self.set_helpers(helpers);
        self.calling = Some(Job::Help(Arc::clone(&self.spec)));
        Arc::clone(&self.spec)
    }

    fn set_helpers(&mut self, helpers: Vec<Helper>) {
        if self.spec.helpers != helpers {
            Arc::make_mut(&mut self.spec).helpers = helpers;
        }
    }

    /// Its leader would have so many others help it, or none any more.
    fn asks(&mut self, most: usize) {
        if !self.is_running() {
            return;
        }
        self.asks_for = (most > 0).then_some(most);
        self.set_helpers(Vec::new());
    }

    /// Its next job, as it is handed to an executor.
    pub(super) fn call(&mut self, to: &ExecutorId) -> Option<Job> {
        let job = self.jobs.pop_front()?;
        self.on = Some(to.clone());
        self.calling = Some(job.clone());
        self.doing = Doing::of(&job).or(self.doing);
        self.over = false;
        self.told = None;
        Some(job)
    }

    /// What its run is to hear of it while it waits to start, unless it has heard.
    pub(super) fn wait(&mut self, slots: u32) -> Option<AttemptEvent> {
        let text = match slots {
            0 => "waits for an executor: there is none that takes work".to_owned(),
            slots => format!("waits for a free slot on an executor: all {slots} are taken"),
        };
        if !self.waits_to_start() || self.told.as_ref() == Some(&text) {
            return None;
        }
        self.told = Some(text.clone());
        Some(self.event(AttemptEventKind::Progress { stalled: Some(text), standing: Vec::new() }))
    }

    /// What its run is to hear once nobody was found for it.
    pub(super) fn fail_waiting(&self, failure: Failure) -> Option<AttemptEvent> {
        let awaited = self.jobs.iter().any(|job| matches!(job, Job::Start(_) | Job::Commit(..)));
        awaited.then(|| self.event(AttemptEventKind::Failed(failure)))
    }

    fn ask(&mut self, now: Duration, job: Job) {
        let kind = mem::discriminant(&job);
        self.jobs.retain(|waiting| mem::discriminant(waiting) != kind);
        if matches!(job, Job::Discard(_)) {
            // What is to be removed need neither start nor end by itself.
            self.jobs.clear();
        }
        self.asked_at = now;
        if matches!(job, Job::Commit(..) | Job::Discard(_)) {
            // Whether or not it was found: its run knows how it stands.
            self.origin = Origin::Asked;
        }
        self.jobs.push_back(job);
    }

    fn event(&self, kind: AttemptEventKind) -> AttemptEvent {
        let id = &self.spec.id;
        AttemptEvent::new(id.run.clone(), id.segment.clone(), id.token, kind)
    }

    /// Whether something that only its executor has may be needed to publish it.
    fn waits_for_commit(&self) -> bool {
        self.spec.segment.output.publishes()
    }
}

impl Placement {
    pub(super) fn asked(&mut self, now: Duration, job: Job) {
        let token = job.token();
        match (job, self.attempts.get_mut(&token)) {
            // It has ended, or never was.
            (Job::Cancel { .. }, None) => {}
            (Job::Cancel { .. }, Some(attempt)) if attempt.waits_to_start() && attempt.calling.is_none() => {
                let event = attempt.event(AttemptEventKind::Failed(cancelled()));
                self.attempts.remove(&token);
                self.tell(event);
            }
            // Asked for before.
            (Job::Start(_), Some(_)) => {}
            // Never asked for by a run.
            (Job::Help(_), _) => {}
            (Job::Reattach(_), Some(attempt)) => {
                let Origin::Found { kept } = mem::replace(&mut attempt.origin, Origin::Asked) else { return };
                // Also where it is prepared: its run does not know.
                attempt.doing = Some(Doing::Start);
                if let (Some(event), Some(on)) = (kept, attempt.on.clone()) {
                    self.reported(&on, event);
                }
            }
            (Job::Reattach(spec), None) => {
                let sought = Attempt { doing: Some(Doing::Start), origin: Origin::Sought, ..Attempt::new(now, spec) };
                self.attempts.insert(token, sought);
            }
            (job, Some(attempt)) => attempt.ask(now, job),
            (job, None) => {
                let (Job::Start(spec) | Job::Commit(spec, _) | Job::Discard(spec)) = &job else { return };
                let mut attempt = Attempt::new(now, Arc::new(spec.without_secrets()));
                attempt.ask(now, job);
                self.attempts.insert(token, attempt);
            }
        }
    }

    pub(super) fn reported(&mut self, id: &ExecutorId, event: AttemptEvent) {
        let Some(attempt) = self.attempts.get_mut(&event.token) else { return };
        // Whoever lost it may still have something to say.
        if attempt.on.as_ref() != Some(id) {
            return;
        }
        let token = event.token;
        if let AttemptEventKind::NeedsHelp { most } = event.kind {
            return attempt.asks(most);
        }
        if let Origin::Found { kept } = &mut attempt.origin {
            if !matches!(event.kind, AttemptEventKind::Progress { .. }) {
                *kept = Some(event);
            }
            return;
        }
        match (&event.kind, attempt.doing) {
            (AttemptEventKind::Progress { .. }, Some(Doing::Start)) => return self.tell(event),
            (AttemptEventKind::Prepared(_), Some(Doing::Start)) => attempt.over = !attempt.waits_for_commit(),
            (AttemptEventKind::Failed(_), Some(Doing::Start | Doing::Commit)) => {}
            // The end of the attempt, which was running when it was to be removed.
            (AttemptEventKind::Failed(failure), Some(Doing::Discard)) if failure.class.is_early_end() => return,
            (AttemptEventKind::Failed(_), Some(Doing::Discard)) => attempt.over = true,
            (AttemptEventKind::Committed, Some(Doing::Commit)) => attempt.over = true,
            (AttemptEventKind::Lost, Some(Doing::Commit)) => {}
            (AttemptEventKind::Discarded, Some(Doing::Discard)) => attempt.over = true,
            // Heard before, or given up.
            _ => return,
        }
        attempt.doing = None;
        self.tell(event);
        self.tidy(token);
    }

    pub(super) fn answered(&mut self, id: &ExecutorId, token: Token, answer: Answer) {
        let Some(attempt) = self.attempts.get_mut(&token) else { return };
        if attempt.on.as_ref() != Some(id) {
            return;
        }
        let Some(job) = attempt.calling.take() else { return };
        if matches!(job, Job::Help(_)) && answer != Answer::Accepted {
            // It goes on alone.
            attempt.set_helpers(Vec::new());
        }
        if attempt.doing.is_none() || attempt.doing != Doing::of(&job) {
            // Its end was reported before the call returned.
            return self.tidy(token);
        }
        let failure = match answer {
            Answer::Accepted => return,
            Answer::Closed => {
                attempt.on = None;
                attempt.doing = None;
                attempt.jobs.push_front(job);
                if let Some(member) = self.members.get_mut(id) {
                    member.draining = true;
                }
                return;
            }
            Answer::Refused(failure) => failure,
            Answer::Unsure(reason) => {
                Failure::new(Class::LostExecutor, format!("executor `{id}` did not answer: {reason}"))
            }
        };
        let told = attempt.event(AttemptEventKind::Failed(failure));
        // Whether something is left that must be removed is for the run to say.
        attempt.over = attempt.doing == Some(Doing::Discard);
        attempt.doing = None;
        self.tell(told);
        self.tidy(token);
    }

    /// The executor is lost: what its attempts were doing has failed, or is done elsewhere.
    pub(super) fn lose_attempts(&mut self, id: &ExecutorId, why: &str) -> Vec<Arc<AttemptSpec>> {
        let mut left_behind = Vec::new();
        let mut told = Vec::new();
        for attempt in self.attempts.values_mut().filter(|attempt| attempt.on.as_ref() == Some(id)) {
            left_behind.push(Arc::clone(&attempt.spec));
            attempt.on = None;
            attempt.calling = None;
            attempt.asks_for = None;
            attempt.jobs.retain(|job| !matches!(job, Job::Cancel { .. }));
            match attempt.doing.take() {
                Some(Doing::Start | Doing::Commit) => {
                    let failure = Failure::new(Class::LostExecutor, format!("executor `{id}` was lost: {why}"));
                    told.push(attempt.event(AttemptEventKind::Failed(failure)));
                }
                Some(Doing::Discard) => attempt.jobs.push_front(Job::Discard(Arc::clone(&attempt.spec))),
                None => {}
            }
        }
        self.attempts.retain(|_, a| a.on.is_some() || !a.jobs.is_empty() || a.is_sought());
        told.into_iter().for_each(|event| self.tell(event));
        left_behind
    }

    /// Nobody has what is sought once everyone who is announced has said what they have, or was out of reach for so long
    /// that they have ended it themselves.
    pub(super) fn end_searches(&mut self, now: Duration) {
        let all_heard = self.members.values().all(|member| member.link != Link::Opening);
        let is_over = |a: &Attempt| a.is_sought() && (all_heard || now >= a.asked_at + AWAY_LIMIT);
        let over = self.attempts.iter().filter(|(_, attempt)| is_over(attempt)).map(|(token, _)| *token);
        for token in over.collect::<Vec<_>>() {
            if let Some(attempt) = self.attempts.remove(&token) {
                self.tell(attempt.event(AttemptEventKind::Lost));
            }
        }
    }

    /// Forgets an attempt of which nothing more is to come.
    fn tidy(&mut self, token: Token) {
        let is_over = |a: &Attempt| a.over && a.jobs.is_empty() && a.calling.is_none();
        if self.attempts.get(&token).is_some_and(is_over) {
            self.attempts.remove(&token);
        }
    }
}

fn cancelled() -> Failure {
    Failure::new(Class::Cancelled, "the run was cancelled")
}
