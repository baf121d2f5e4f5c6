//! The messages and services that cross process borders, made from `proto/flowetl/v1`, and how our own types become them.

mod run;
mod source;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The largest message between coordinator and executors: a manifest of a hundred thousand parts, with room to spare.
pub const MESSAGE_BYTES_MAX: usize = 64 << 20;

/// What a coordinator names its term with, in every call of an executor: a number in decimal.
pub const TERM_HEADER: &str = "flowetl-term";

/// What carries the pass of a call of an executor: see [`crate::trust::Pass`].
pub const PASS_HEADER: &str = "flowetl-pass";

/// What a coordinator that stands by marks its refusals with: the URL of the one that leads, or nothing while it knows
/// none.
pub const LEADER_HEADER: &str = "flowetl-leader";

/// Version 1 of the wire.
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::too_many_lines,
    reason = "not written by hand"
)]
pub mod v1 {
    tonic::include_proto!("flowetl.v1");
}

/// A message of a newer version, or of something that is not FlowETL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no {what} that this version of FlowETL knows")]
pub struct Unknown {
    pub what: &'static str,
    pub text: String,
}

/// The word of an enum's value, the same that JSON has.
fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn from_word<T: DeserializeOwned>(what: &'static str, text: String) -> Result<T, Unknown> {
    serde_json::from_value(Value::String(text.clone())).map_err(|_| Unknown { what, text })
}

/// Empty text stands for nothing.
fn some(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests;
