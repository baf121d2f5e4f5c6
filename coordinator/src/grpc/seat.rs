//! What a coordinator is to its callers: the one that leads, or one that stands by. And what only the one that leads does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};
use tonic::Status;

use super::status::stands_by;
use crate::Handle;
use crate::fleet::Roster;

/// Who answers.
#[derive(Clone)]
pub enum Seat {
    /// This process leads.
    Leads { handle: Handle, roster: Arc<dyn Roster> },
    /// Another does, where it is known under this URL.
    StandsBy { leader: Option<String> },
}

impl Seat {
    /// That of a coordinator which is alone and leads for ever.
    pub fn alone(handle: Handle, roster: Arc<dyn Roster>) -> watch::Receiver<Self> {
        watch::channel(Self::Leads { handle, roster }).1
    }

    /// What calls are answered with, or the refusal that names who answers them.
    pub(super) fn taken(&self) -> Result<(Handle, Arc<dyn Roster>), Status> {
        self.leads().map_err(|leader| stands_by(leader.as_deref()))
    }

    /// What calls are answered with, or the URL of who answers them, where that is known.
    pub(crate) fn leads(&self) -> Result<(Handle, Arc<dyn Roster>), Option<String>> {
        match self {
            Self::Leads { handle, .. } if handle.is_deposed() => Err(None),
            Self::Leads { handle, roster } => Ok((handle.clone(), Arc::clone(roster))),
            Self::StandsBy { leader } => Err(leader.clone()),
        }
    }
}

/// Does `act` every so often, for as long as this process leads; never returns. What goes wrong is logged as `wrong`, and done
/// again when its time comes.
pub(crate) async fn while_leading<Act: Future<Output = crate::Result<()>>>(
    seat: watch::Receiver<Seat>,
    every: Duration,
    wrong: &'static str,
    act: impl Fn(Handle, Arc<dyn Roster>) -> Act,
) {
    let mut due = interval(every);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        due.tick().await;
        let leads = seat.borrow().leads();
        let Ok((handle, roster)) = leads else { continue };
        if let Err(error) = act(handle, roster).await {
            tracing::warn!(error = %error.chain(), "{wrong}");
        }
    }
}
