//! How bodies and queries are read and written: JSON and forms, with a problem that names what is wrong.

use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::problem::Problem;

/// The largest body that is read: names, addresses and secrets; nothing that is uploaded comes this way.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// How much of a body that is refused is taken all the same: who is still sending does not hear the answer otherwise.
const DISCARDED_BYTES_MAX: usize = 1 << 20;

const JSON: &str = "application/json";
const FORM: &str = "application/x-www-form-urlencoded";

/// A JSON document, read or written.
pub(super) struct Json<T>(pub T);

/// A form, as a page's `<form>` sends it.
pub(super) struct Form<T>(pub T);

/// The last part of a path that has a name.
pub(super) struct Named(pub String);

/// What stands after the `?` of a URL.
pub(super) struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = read(request, JSON).await?;
        serde_json::from_slice(&body).map(Self).map_err(|e| Problem::not_understood(format!("the body is wrong: {e}")))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Form<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let body = read(request, FORM).await?;
        let read = serde_urlencoded::from_bytes(&body);
        read.map(Self).map_err(|e| Problem::not_understood(format!("the form is wrong: {e}")))
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let read = serde_urlencoded::from_str(parts.uri.query().unwrap_or_default());
        read.map(Self).map_err(|e| Problem::not_understood(format!("the query is wrong: {e}")))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|e| Problem::not_understood(format!("the path is wrong: {e}")))?;
        let name = path.iter().last().map(|(_, value)| value.to_owned());
        name.map(Self).ok_or_else(|| Problem::internal("a path has no named part"))
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(body) => ([(CONTENT_TYPE, HeaderValue::from_static(JSON))], body).into_response(),
            Err(error) => Problem::internal(&error.to_string()).into_response(),
        }
    }
}

/// The whole body of a request, if it is of the type `expected`: a page of another site can send other types without being
/// asked first.
async fn read(request: Request, expected: &str) -> Result<Vec<u8>, Problem> {
    let found = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_expected = found.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(expected);
    let (mut body, mut length) = (Vec::new(), 0);
    let mut chunks = request.into_body().into_data_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|_| Problem::not_understood("the body breaks off"))?;
        length += chunk.len();
        if is_expected && length <= BODY_BYTES_MAX {
            body.extend_from_slice(&chunk);
        }
        if length > DISCARDED_BYTES_MAX {
            break;
        }
    }
    match is_expected {
        false => Err(Problem::unsupported(expected)),
        true if length > BODY_BYTES_MAX => Err(Problem::too_large(BODY_BYTES_MAX)),
        true => Ok(body),
    }
}
