//! What can go wrong between a program and a coordinator.

use std::path::PathBuf;

use flowetl_proto::id::RunId;
use flowetl_proto::pipeline::Problem;
use flowetl_proto::wire::Unknown;
use tonic::{Code, Status};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not the address of a coordinator: write `http://host:port`")]
    Address(String),
    #[error("no coordinator answers at `{url}`: {reason}")]
    Unreachable { url: String, reason: String },
    /// What was asked for may have been done, or may be under way.
    #[error("the coordinator at `{url}` does not answer any more: {reason}")]
    Lost { url: String, reason: String },
    /// What is wrong with the pipeline: nothing runs. One line each.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
    /// The coordinator said no: there is no such run, or it cannot be done as things stand.
    #[error("{message}")]
    Refused { code: Code, message: String },
    /// The coordinator ended the stream before the run had ended.
    #[error("run `{0}` has not ended, but the coordinator says no more of it")]
    Silent(RunId),
    #[error("the coordinator's answer is not understood: {0}")]
    NotUnderstood(#[from] Unknown),
    #[error("cannot read `{}`", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: std::io::Error,
    },
}

impl Error {
    /// What an answer of the coordinator at `url` means.
    pub(crate) fn of(url: &str, status: Status) -> Self {
        let message = status.message().to_owned();
        match status.code() {
            // No answer of ours: the connection broke, or its deadline passed.
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                Self::Lost { url: url.to_owned(), reason: innermost(&status).unwrap_or(message) }
            }
            code => Self::Refused { code, message },
        }
    }
}

/// What the last cause of an error says: `Connection refused`, where the error itself only says `transport error`.
pub(crate) fn innermost(error: &dyn std::error::Error) -> Option<String> {
    let mut cause = error.source()?;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    Some(cause.to_string())
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
