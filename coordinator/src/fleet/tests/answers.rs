//! What an executor made for tests answers with.

use flowetl_proto::code::Failure;
use flowetl_proto::wire::v1;
use tonic::{Response, Status};

pub(super) type Reply<T> = std::result::Result<Response<T>, Status>;

pub(super) fn accepted(done: std::result::Result<(), Failure>) -> Reply<v1::Answer> {
    let failure_json = done.err().map(|failure| serde_json::to_string(&failure).unwrap()).unwrap_or_default();
    Ok(Response::new(v1::Answer { failure_json, closed: false }))
}

pub(super) fn found(done: std::result::Result<impl serde::Serialize, Failure>) -> Reply<v1::Found> {
    Ok(Response::new(v1::Found { failure_json: String::new(), found: serde_json::to_vec(&done.unwrap()).unwrap() }))
}

pub(super) fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}
