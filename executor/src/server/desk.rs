//! What the tasks of a server share: the outbox, who listens to it, and whether new attempts are taken.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptSpec};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::outbox::Outbox;

/// Behind one lock that is never held across a wait.
pub(super) struct Desk {
    state: Mutex<State>,
    /// Told whenever the state has changed.
    changed: watch::Sender<()>,
    absence_limit: Duration,
}

struct State {
    outbox: Outbox,
    listener: Listener,
    /// How many streams of reports there have been.
    streams: u64,
    takes_new: bool,
    /// The greatest term of a coordinator that has spoken to this server.
    term: i64,
}

/// Who reads the events.
#[derive(Clone, Copy, Debug)]
enum Listener {
    /// The stream of this number.
    Stream(u64),
    NobodySince(Instant),
}

/// What a stream of reports does next.
#[derive(Debug)]
pub(super) enum Next {
    Send(u64, Box<AttemptEvent>),
    /// Another stream has taken its place, or the server ends.
    Replaced,
}

impl Desk {
    pub(super) fn new(absence_limit: Duration) -> Self {
        let listener = Listener::NobodySince(Instant::now());
        let state = State { outbox: Outbox::default(), listener, streams: 0, takes_new: true, term: 0 };
        Self { state: Mutex::new(state), changed: watch::Sender::new(()), absence_limit }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change_state<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.changed.send_replace(());
        result
    }

    pub(super) fn change<T>(&self, change: impl FnOnce(&mut Outbox) -> T) -> T {
        self.change_state(|state| change(&mut state.outbox))
    }

    /// Notes that an attempt is about to start, and says whether it was unknown; `None` where no attempt starts any more.
    pub(super) fn starts(&self, spec: &AttemptSpec) -> Option<bool> {
        self.change_state(|state| state.takes_new.then(|| state.outbox.starts(spec)))
    }

    pub(super) fn refuse_new(&self) {
        self.change_state(|state| state.takes_new = false);
    }

    /// Whether a coordinator of this term may still ask for anything: none has spoken whose term is greater.
    pub(super) fn admits(&self, term: i64) -> bool {
        let is_newer = term > self.state().term;
        if is_newer {
            self.change_state(|state| {
                state.term = state.term.max(term);
                // Before anything is told again: it is not for who listened so far.
                state.listener = Listener::NobodySince(Instant::now());
                state.outbox.tell_again();
            });
        }
        term == self.state().term
    }

    /// Who reads the stream of this number has all events up to this one. Late words of an earlier reader count for nothing:
    /// what it has heard may have gone with it.
    pub(super) fn heard(&self, stream: u64, number: u64) {
        self.change_state(|state| {
            if matches!(state.listener, Listener::Stream(open) if open == stream) {
                state.outbox.heard(number);
            }
        });
    }

    /// Makes a new stream the only one. Gives its number and what is held, to be told first.
    pub(super) fn open_stream(&self) -> (u64, Vec<(AttemptSpec, bool)>) {
        self.change_state(|state| {
            state.streams += 1;
            state.listener = Listener::Stream(state.streams);
            let held = state.outbox.held().map(|(spec, prepared)| (spec.clone(), prepared)).collect();
            (state.streams, held)
        })
    }

    /// The stream of this number has ended; others go on.
    pub(super) fn stream_ended(&self, stream: u64) {
        self.change_state(|state| {
            if matches!(state.listener, Listener::Stream(open) if open == stream) {
                state.listener = Listener::NobodySince(Instant::now());
            }
        });
    }

    /// Ends whatever stream is open.
    pub(super) fn close_stream(&self) {
        self.change_state(|state| state.listener = Listener::NobodySince(Instant::now()));
    }

    /// Waits for the first event after `sent` that the stream of this number is to send.
    pub(super) async fn next(&self, stream: u64, sent: u64) -> Next {
        self.until(|state| match state.listener {
            Listener::Stream(open) if open == stream => {
                let (number, event) = state.outbox.next_after(sent)?;
                Some(Next::Send(*number, Box::new(event.clone())))
            }
            _ => Some(Next::Replaced),
        })
        .await
    }

    /// Waits until the stream of this number is no longer the one.
    pub(super) async fn replaced(&self, stream: u64) {
        self.until(|state| (!matches!(state.listener, Listener::Stream(open) if open == stream)).then_some(())).await;
    }

    /// Waits until nothing is held and everything was heard.
    pub(super) async fn empty(&self) {
        self.until(|state| state.outbox.is_empty().then_some(())).await;
    }

    /// Waits until attempts run although nobody has listened for too long; gives what they are ended with.
    pub(super) async fn deserted(&self) -> Failure {
        loop {
            let since = self
                .until(|state| match state.listener {
                    Listener::NobodySince(since) if state.outbox.has_running() => Some(since),
                    _ => None,
                })
                .await;
            let left = (since + self.absence_limit).saturating_duration_since(Instant::now());
            let heard = self.until(|state| matches!(state.listener, Listener::Stream(_)).then_some(()));
            if timeout(left, heard).await.is_err() {
                return absent(self.absence_limit);
            }
        }
    }

    /// Waits until `look` sees what it looks for.
    async fn until<T>(&self, mut look: impl FnMut(&State) -> Option<T>) -> T {
        let mut changed = self.changed.subscribe();
        loop {
            if let Some(seen) = look(&self.state()) {
                return seen;
            }
            if changed.changed().await.is_err() {
                // The sender is ours.
                std::future::pending::<()>().await;
            }
        }
    }
}

fn absent(limit: Duration) -> Failure {
    let text = format!("no coordinator listened to its executor for {} s", limit.as_secs());
    Failure::new(Class::LostExecutor, text)
}

/// What attempts are told to have failed with when their executor ends before them.
pub(super) fn drained() -> Failure {
    Failure::new(Class::LostExecutor, "its executor was shut down")
}
