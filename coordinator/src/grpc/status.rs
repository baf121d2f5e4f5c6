//! What a coordinator's errors are called on the wire.

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::wire::{LEADER_HEADER, Unknown};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::Error;

/// HTTP/2 clients take headers of 16 KiB together, and a message travels in one, up to three bytes a character.
const MESSAGE_BYTES_MAX: usize = 4 << 10;

pub(super) fn status(error: &Error) -> Status {
    let code = match error {
        Error::NoRun(_) => Code::NotFound,
        Error::NoBlock(_) | Error::Params(_) => Code::InvalidArgument,
        Error::Forgotten { .. } => Code::OutOfRange,
        Error::Busy { .. } | Error::NotResumable { .. } | Error::NotHere(_) | Error::Unsettled(_) => {
            Code::FailedPrecondition
        }
        Error::Vault(_) | Error::NoSecret(_) => Code::FailedPrecondition,
        Error::Ticked { .. } => Code::AlreadyExists,
        Error::Executor(failure) => return looked(failure),
        Error::Deposed => return stands_by(None),
        Error::Unsure => Code::Unavailable,
        Error::Fenced(_) | Error::Interrupted { .. } => Code::Aborted,
        Error::Database { .. }
        | Error::Migrate(_)
        | Error::Stored { .. }
        | Error::File { .. }
        | Error::Tokens { .. }
        | Error::Etcd(_)
        | Error::Thread(_)
        | Error::Random
        | Error::Hash(_)
        | Error::SigningKey
        | Error::Serve(_)
        | Error::Storage(_)
        | Error::Warehouse(_)
        | Error::Backup(_)
        | Error::Post(_) => Code::Internal,
    };
    let mut message = error.chain();
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    Status::new(code, message)
}

/// Why nothing can be seen.
pub(super) fn looked(failure: &Failure) -> Status {
    let code = match failure.class {
        Class::Internal | Class::Panic => Code::Internal,
        // No executor: as good as no coordinator.
        Class::LostExecutor => Code::Unavailable,
        _ => Code::FailedPrecondition,
    };
    let block = failure.block.as_ref().map(|block| format!("block `{block}`: ")).unwrap_or_default();
    let mut message = block + &failure.message;
    message.truncate(message.floor_char_boundary(MESSAGE_BYTES_MAX));
    Status::new(code, message)
}

/// A request that this version does not understand.
pub(super) fn not_understood(unknown: &Unknown) -> Status {
    Status::invalid_argument(unknown.to_string())
}

pub(super) fn stopping() -> Status {
    elsewhere("the coordinator is stopping".to_owned(), None)
}

/// Nothing was done: another coordinator leads, if anyone does.
pub(super) fn stands_by(leader: Option<&str>) -> Status {
    let who = leader.map_or_else(|| "another leads".to_owned(), |url| format!("`{url}` leads"));
    elsewhere(format!("this coordinator stands by: {who}"), leader)
}

/// What is asked for is answered by another coordinator.
fn elsewhere(message: String, leader: Option<&str>) -> Status {
    let mut status = Status::unavailable(message);
    let value = leader.and_then(|url| MetadataValue::try_from(url).ok());
    status.metadata_mut().insert(LEADER_HEADER, value.unwrap_or_else(|| MetadataValue::from_static("")));
    status
}

pub(super) fn no_executor() -> Status {
    Status::unavailable("no executor is there yet to check the pipeline with")
}
