//! What a coordinator is to its callers: the one that leads, or one that stands by.

use std::sync::Arc;

use tokio::sync::watch;
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
