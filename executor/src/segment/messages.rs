//! What a segment's actor is told.

use actix::Message;
use flowetl_proto::code::Failure;

use crate::plan::Written;

/// An operator has come to its end.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct OperatorEnded {
    pub(crate) partition: usize,
    pub(crate) outcome: Result<Vec<Written>, Failure>,
}

/// End the attempt now.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Cancel;
