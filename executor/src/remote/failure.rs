//! Failures between executors: ours arrive as they were, and what the network says means that its other end is lost.

use flowetl_proto::code::{Class, Failure};
use tonic::{Code, Status};

use crate::Error;

/// Characters of a message that travel: it is sent in a header, and headers are small.
const MESSAGE_MAX: usize = 2000;

/// As it is sent.
pub(super) fn status(error: &Error) -> Status {
    let mut failure = error.to_failure();
    if failure.message.chars().count() > MESSAGE_MAX {
        failure.message = failure.message.chars().take(MESSAGE_MAX).chain(['…']).collect();
    }
    match serde_json::to_vec(&failure) {
        Ok(details) => Status::with_details(Code::Aborted, failure.class.as_str(), details.into()),
        Err(error) => Status::internal(format!("a failure cannot be told: {error}")),
    }
}

/// As it was sent from `url`.
pub(super) fn error(url: &str, status: &Status) -> Error {
    if let Ok(failure) = serde_json::from_slice::<Failure>(status.details()) {
        return Error::from(failure);
    }
    let said = format!("{}: {}", status.code().description().to_lowercase(), status.message());
    match status.code() {
        // It has understood, and will not.
        Code::InvalidArgument | Code::Unimplemented | Code::OutOfRange | Code::ResourceExhausted => {
            Error::internal(format!("the executor at `{url}` refused: {said}"))
        }
        _ => lost(url, &said),
    }
}

/// Whoever was at `url` is not there, or not in time.
pub(super) fn lost(url: &str, why: &str) -> Error {
    let error = Error::new(Class::LostExecutor, format!("the executor at `{url}` was lost: {why}"));
    Error { lost: Some(url.trim_end_matches('/').to_owned()), ..error }
}
