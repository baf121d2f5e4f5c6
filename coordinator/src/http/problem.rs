//! What a refused call is answered with: `application/problem+json` (RFC 9457). The one file that makes HTTP errors.

use std::fmt;

use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, HttpResponse, ResponseError};
use flowetl_proto::code::Class;
use flowetl_proto::pipeline;
use serde::Serialize;
use utoipa::ToSchema;

use super::places::{Full, OF_ORGANIZATION_MAX, OF_PERSON_MAX};
use crate::accounts::Refusal;
use crate::vault::Fault;
use crate::{Error, clock};

/// Why a call was refused, as RFC 9457 has it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// Always `about:blank`: the status says what sort of problem it is.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The status in words.
    title: &'static str,
    status: u16,
    /// What is wrong, in one sentence.
    detail: String,
    /// The field that is wrong, where it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<&'static str>,
    /// Everything that is wrong with a pipeline file or a transformation's SQL, each with its line and column, where it is one.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    #[schema(value_type = Vec<pipeline::Problem>, required = false)]
    problems: Box<[pipeline::Problem]>,
    /// By which the coordinator's log knows it, where the fault is its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// Seconds after which the call may go well.
    #[serde(skip)]
    retry_after: Option<u16>,
    /// Whether the connection is closed after it, so that nobody keeps many for nothing.
    #[serde(skip)]
    closes: bool,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            problems: Box::default(),
            instance: None,
            retry_after: None,
            closes: false,
        }
    }

    pub(super) fn nowhere(path: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is nothing at `{path}`"))
    }

    /// The request cannot be read.
    pub(super) fn not_understood(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The same key came before, and what is asked now cannot be answered like that.
    pub(super) fn used_key(detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, detail)
    }

    /// The body has another type than the one that is read.
    pub(super) fn unsupported(expected: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, format!("the body is to be `{expected}`"))
    }

    pub(super) fn too_large(limit: usize) -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {limit} bytes"))
    }

    /// A file has no such bytes.
    pub(super) fn no_such_range(size: u64) -> Self {
        Self::new(StatusCode::RANGE_NOT_SATISFIABLE, format!("there is no such part: the file has {size} bytes"))
    }

    /// As many upload as may.
    pub(super) fn crowded_uploads() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "too many upload already").with_retry(10)
    }

    /// The whole call took longer than any may.
    pub(super) fn too_slow(seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("there was no answer within {seconds} s"))
    }

    /// As many listen as may.
    pub(super) fn crowded(full: Full) -> Self {
        let (status, detail) = match full {
            Full::All => (StatusCode::SERVICE_UNAVAILABLE, "too many listen already".to_owned()),
            Full::Organization => {
                let detail = format!("{OF_ORGANIZATION_MAX} listen to this organization already, as many as may");
                (StatusCode::TOO_MANY_REQUESTS, detail)
            }
            Full::Person => (
                StatusCode::TOO_MANY_REQUESTS,
                format!("you listen {OF_PERSON_MAX} times already, as often as one may"),
            ),
        };
        Self { closes: true, ..Self::new(status, detail).with_retry(10) }
    }

    /// They call more often than one may.
    pub(super) fn too_often(wait_ms: i64) -> Self {
        let seconds = u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000);
        let detail = format!("you call too often: try again in {seconds} s");
        Self { closes: true, ..Self::new(StatusCode::TOO_MANY_REQUESTS, detail).with_retry(seconds) }
    }

    /// Another coordinator leads, if any does.
    pub(super) fn stands_by(leader: Option<&str>) -> Self {
        let who = leader.map_or_else(|| "another leads".to_owned(), |url| format!("`{url}` leads"));
        let problem = Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("this coordinator stands by: {who}"));
        problem.with_retry(1)
    }

    /// The fault is ours: the caller learns by which name the log knows it, and no more.
    pub(super) fn internal(why: &str) -> Self {
        let instance = format!("urn:uuid:{}", clock::new_id());
        tracing::error!(instance, why, "a call over HTTP failed");
        let problem =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the coordinator could not do this; its log says why");
        Self { instance: Some(instance), ..problem }
    }

    fn from_vault(fault: &Fault) -> Self {
        match fault {
            Fault::Locked => Self::new(StatusCode::LOCKED, fault.to_string()),
            Fault::WrongPassword => {
                Self { field: Some("password"), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, fault.to_string()) }
            }
            Fault::OtherKey | Fault::NoKey | Fault::NoPassword | Fault::Damaged(_) => {
                Self::new(StatusCode::CONFLICT, fault.to_string())
            }
        }
    }

    fn with_retry(self, seconds: u64) -> Self {
        Self { retry_after: Some(u16::try_from(seconds).unwrap_or(u16::MAX)), ..self }
    }
}

/// No endpoint has this path.
pub(super) async fn no_such_path(request: HttpRequest) -> HttpResponse {
    Problem::nowhere(request.path()).error_response()
}

/// The path has endpoints, but only for the methods `allowed`.
pub(super) fn no_such_method(request: &HttpRequest, allowed: &[Method]) -> HttpResponse {
    let detail = format!("`{}` does not take `{}`", request.path(), request.method());
    let mut response = Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).error_response();
    for method in allowed {
        // A method's name is always a header's value.
        if let Ok(name) = HeaderValue::from_str(method.as_str()) {
            response.headers_mut().append(ALLOW, name);
        }
    }
    response
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let text = refusal.to_string();
        match refusal {
            Refusal::Wrong { field, .. } => {
                Self { field: Some(field), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, text) }
            }
            Refusal::Unknown(_) => Self::new(StatusCode::UNAUTHORIZED, text),
            Refusal::Forbidden(_) => Self::new(StatusCode::FORBIDDEN, text),
            Refusal::NotFound(_) => Self::new(StatusCode::NOT_FOUND, text),
            Refusal::Conflict(_) => Self::new(StatusCode::CONFLICT, text),
            Refusal::TooOften { wait_ms } => {
                let seconds = u64::try_from(wait_ms).unwrap_or(0).div_ceil(1000);
                Self::new(StatusCode::TOO_MANY_REQUESTS, text).with_retry(seconds)
            }
            Refusal::Changed(_) => Self::new(StatusCode::PRECONDITION_FAILED, text),
            Refusal::Invalid(problems) | Refusal::WrongSql(problems) => {
                Self { problems: problems.into(), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, text) }
            }
            Refusal::Unavailable(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with_retry(1),
            Refusal::Crowded => Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with_retry(1),
            Refusal::NoExecutor => Self::new(StatusCode::SERVICE_UNAVAILABLE, text).with_retry(1),
            Refusal::Failed(error) => error.into(),
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match &error {
            Error::NoRun(_) => Self::new(StatusCode::NOT_FOUND, error.to_string()),
            Error::Forgotten { .. } => Self::new(StatusCode::GONE, error.to_string()),
            Error::Deposed => Self::stands_by(None),
            Error::Unsure => Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).with_retry(1),
            Error::NoBlock(_) | Error::Params(_) => Self::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
            Error::Busy { .. } | Error::NotResumable { .. } | Error::NotHere(_) | Error::Unsettled(_) => {
                Self::new(StatusCode::CONFLICT, error.to_string())
            }
            Error::Vault(fault) => Self::from_vault(fault),
            Error::NoSecret(_) => Self::new(StatusCode::CONFLICT, error.to_string()),
            Error::Executor(failure) if failure.class == Class::LostExecutor => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()).with_retry(1)
            }
            // What a database or a disk says is for the log alone.
            _ => Self::internal(&error.chain()),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        if self.status == StatusCode::UNAUTHORIZED.as_u16() {
            response.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if let Some(seconds) = self.retry_after {
            response.insert_header((RETRY_AFTER, u64::from(seconds)));
        }
        if self.closes {
            response.force_close();
        }
        response.content_type("application/problem+json").body(serde_json::to_vec(self).unwrap_or_default())
    }
}
