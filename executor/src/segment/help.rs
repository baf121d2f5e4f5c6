//! How an attempt comes by executors that help with it: it asks, and the coordinator names those that have room.

use std::time::Duration;

use flowetl_proto::control::{AttemptEvent, AttemptEventKind, AttemptId, Helper};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// How long helpers are waited for: a coordinator names them, or says that there are none, as soon as it is asked. While it
/// is away an attempt had better begin alone.
const NAME_LIMIT: Duration = Duration::from_secs(5);

/// What one attempt asks for, and is given.
pub(crate) struct Help {
    attempt: AttemptId,
    events: mpsc::Sender<AttemptEvent>,
    state: watch::Sender<State>,
}

#[derive(Debug)]
enum State {
    NotAsked,
    Asked,
    Named(Vec<Helper>),
    /// Nobody was named in time, or those that were have been given back.
    Alone,
}

impl Help {
    pub(crate) fn new(attempt: AttemptId, events: mpsc::Sender<AttemptEvent>) -> Self {
        Self { attempt, events, state: watch::Sender::new(State::NotAsked) }
    }

    /// Names the helpers; false where nobody waits for them.
    pub(crate) fn name(&self, helpers: Vec<Helper>) -> bool {
        self.state.send_if_modified(|state| {
            let is_asked = matches!(state, State::Asked);
            if is_asked {
                *state = State::Named(helpers);
            }
            is_asked
        })
    }

    /// Up to `most` executors that help; none where none has room. Those that were named before are named again.
    pub(super) async fn ask(&self, most: usize) -> Vec<Helper> {
        let is_first = self.state.send_if_modified(|state| {
            let is_first = matches!(state, State::NotAsked);
            if is_first {
                *state = State::Asked;
            }
            is_first
        });
        if is_first {
            self.tell(most).await;
        }
        let mut states = self.state.subscribe();
        let named = timeout(NAME_LIMIT, states.wait_for(|state| !matches!(state, State::Asked))).await.is_ok();
        if !named {
            tracing::info!(segment = %self.attempt.segment, "no helpers were named in time");
            self.state.send_if_modified(|state| {
                let is_late = matches!(state, State::Asked);
                if is_late {
                    *state = State::Alone;
                }
                is_late
            });
        }
        match &*self.state.borrow() {
            State::Named(helpers) => helpers.clone(),
            State::NotAsked | State::Asked | State::Alone => Vec::new(),
        }
    }

    /// Others may have the helpers that were named: there is nothing for them to do.
    pub(super) async fn give_back(&self) {
        self.state.send_replace(State::Alone);
        self.tell(0).await;
    }

    async fn tell(&self, most: usize) {
        let AttemptId { run, segment, token, .. } = self.attempt.clone();
        let kind = AttemptEventKind::NeedsHelp { most };
        let event = AttemptEvent::new(run, segment, token, kind);
        if self.events.send(event).await.is_err() {
            tracing::debug!("nobody hears what an attempt needs");
        }
    }
}
