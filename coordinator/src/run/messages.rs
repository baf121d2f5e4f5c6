//! What a run's actor is told.

use actix::Message;

use super::machine::Event;

/// Something happened to the run.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(crate) struct Happened(pub Event);
