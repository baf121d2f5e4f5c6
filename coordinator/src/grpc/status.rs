//! What a coordinator's errors are called on the wire.

use flowetl_proto::wire::Unknown;
use tonic::{Code, Status};

use crate::Error;

/// HTTP/2 clients take headers of 16 KiB together, and a message travels in one, up to three bytes a character.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

pub(super) fn status(error: &Error) -> Status {
    let code = match error {
        Error::NoRun(_) => Code::NotFound,
        Error::NoBlock(_) => Code::InvalidArgument,
        Error::Busy { .. } | Error::NotResumable { .. } | Error::NotHere(_) | Error::Unsettled(_) => {
            Code::FailedPrecondition
        }
        Error::Fenced(_) | Error::Interrupted { .. } => Code::Aborted,
        Error::Database { .. }
        | Error::Migrate(_)
        | Error::Stored { .. }
        | Error::File { .. }
        | Error::Etcd(_)
        | Error::Thread(_)
        | Error::Serve(_) => Code::Internal,
    };
    let mut message = error.chain();
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    Status::new(code, message)
}

/// A request that this version does not understand.
pub(super) fn not_understood(unknown: &Unknown) -> Status {
    Status::invalid_argument(unknown.to_string())
}

pub(super) fn stopping() -> Status {
    Status::unavailable("the coordinator is stopping")
}

pub(super) fn no_executor() -> Status {
    Status::unavailable("no executor is there yet to check the pipeline with")
}
