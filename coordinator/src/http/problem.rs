//! What a refused call is answered with: `application/problem+json` (RFC 9457). The one file that makes HTTP errors.

use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::clock;

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
    /// By which the coordinator's log knows it, where the fault is its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank",
            title: status.canonical_reason().unwrap_or("Error"),
            status: status.as_u16(),
            detail: detail.into(),
            instance: None,
        }
    }

    pub(super) fn nowhere(uri: &Uri) -> Self {
        Self::new(StatusCode::NOT_FOUND, format!("there is nothing at `{}`", uri.path()))
    }

    /// The whole call took longer than any may.
    pub(super) fn too_slow(seconds: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("there was no answer within {seconds} s"))
    }

    /// The fault is ours: the caller learns by which name the log knows it, and no more.
    pub(super) fn internal(why: &str) -> Self {
        let instance = format!("urn:uuid:{}", clock::new_id());
        tracing::error!(instance, why, "a call over HTTP failed");
        let problem =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the coordinator could not do this; its log says why");
        Self { instance: Some(instance), ..problem }
    }
}

/// No endpoint has this path.
pub(super) async fn no_such_path(uri: Uri) -> Problem {
    Problem::nowhere(&uri)
}

/// The path has endpoints, but for other methods.
pub(super) async fn no_such_method(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("`{}` does not take `{method}`", uri.path()))
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        response
    }
}
