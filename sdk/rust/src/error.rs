//! What can go wrong between a program and a coordinator.

use std::path::PathBuf;

use flowetl_proto::id::RunId;
use flowetl_proto::pipeline::Problem;
use flowetl_proto::trust::Unfit;
use flowetl_proto::wire::Unknown;
use tonic::{Code, Status};

pub type Result<T, E = Error> = std::result::Result<T, E>;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is not the address of a coordinator: write `http://host:port` or `https://host:port`")]
    Address(String),
    #[error("the token would be sent to `{0}` for everyone between to read: write `https://host:port`")]
    Clear(String),
    /// Its text is nobody's business.
    #[error("the token is empty, or has something else in it than letters, digits and signs")]
    Token,
    #[error("the authority's certificate cannot be used")]
    Authority(#[source] Unfit),
    #[error("cannot encrypt what goes to `{url}`")]
    Tls {
        url: String,
        #[source]
        source: tonic::transport::Error,
    },
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
    /// Whether the coordinator wants a token, and none of its own was sent: nothing was done.
    pub fn is_unauthenticated(&self) -> bool {
        matches!(self, Self::Refused { code: Code::Unauthenticated, .. })
    }

    /// What an answer of the coordinator at `url` means.
    pub(crate) fn of(url: &str, status: Status) -> Self {
        let message = status.message().to_owned();
        let reason = innermost(&status);
        if let Some(reason) = reason.as_deref().and_then(other_speech) {
            return Self::Unreachable { url: url.to_owned(), reason: reason.to_owned() };
        }
        match status.code() {
            // No answer of ours: the connection broke, or its deadline passed.
            Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::Unknown => {
                Self::Lost { url: url.to_owned(), reason: reason.unwrap_or(message) }
            }
            code => Self::Refused { code, message },
        }
    }
}

/// What is meant where one side encrypts and the other does not: a TLS record that is read as a frame of HTTP/2, and the
/// other way round.
pub(crate) fn other_speech(reason: &str) -> Option<&'static str> {
    if reason.contains("frame with invalid size") {
        return Some("what is there encrypts; write `https://`");
    }
    reason.contains("InvalidContentType").then_some("what is there does not encrypt; write `http://`")
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
