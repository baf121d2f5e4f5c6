//! How bodies, queries and paths are read, and answers written: JSON and forms, with a problem that names what is wrong.

use actix_web::error::{JsonPayloadError, PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
pub(super) use actix_web::web::{Form, Json, Query};
use actix_web::web::{FormConfig, JsonConfig, Path, PathConfig, QueryConfig, ServiceConfig};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev};
use futures::FutureExt;
use futures::future::Map;

use super::problem::Problem;

/// The largest body that is read: names, addresses and secrets; nothing that is uploaded comes this way.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// The last part of a path that has a name.
pub(super) struct Named(pub String);

/// What was asked for will be done: 202.
pub(super) struct Accepted;

impl FromRequest for Named {
    type Error = actix_web::Error;
    type Future = Map<
        <Path<Vec<String>> as FromRequest>::Future,
        fn(Result<Path<Vec<String>>, actix_web::Error>) -> Result<Self, actix_web::Error>,
    >;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        Path::from_request(request, payload).map(|parts| {
            let name = parts?.into_inner().pop().map(Self);
            name.ok_or_else(|| Problem::internal("a path has no named part").into())
        })
    }
}

impl Responder for Accepted {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::new(StatusCode::ACCEPTED)
    }
}

/// How much is read, of which type, and what is answered where that fails. A page of another site can send other types than
/// these without being asked first.
pub(super) fn limit(config: &mut ServiceConfig) {
    let json = JsonConfig::default().limit(BODY_BYTES_MAX);
    config.app_data(json.error_handler(|error, _| wrong_json(error).into()));
    let form = FormConfig::default().limit(BODY_BYTES_MAX);
    config.app_data(form.error_handler(|error, _| wrong_form(error).into()));
    config.app_data(QueryConfig::default().error_handler(|error, _| {
        let QueryPayloadError::Deserialize(why) = error else { return wrong("query", &error) };
        wrong("query", &why)
    }));
    config.app_data(PathConfig::default().error_handler(|error, _| wrong("path", &error)));
}

fn wrong(what: &str, why: &dyn std::fmt::Display) -> actix_web::Error {
    Problem::not_understood(format!("the {what} is wrong: {why}")).into()
}

fn wrong_json(error: JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::ContentType => Problem::unsupported("application/json"),
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => {
            Problem::too_large(BODY_BYTES_MAX)
        }
        JsonPayloadError::Deserialize(why) => Problem::not_understood(format!("the body is wrong: {why}")),
        JsonPayloadError::Serialize(why) => Problem::internal(&why.to_string()),
        JsonPayloadError::Payload(why) => broken(&why),
        other => Problem::not_understood(format!("the body is wrong: {other}")),
    }
}

fn wrong_form(error: UrlencodedError) -> Problem {
    match error {
        UrlencodedError::ContentType => Problem::unsupported("application/x-www-form-urlencoded"),
        UrlencodedError::Overflow { .. } => Problem::too_large(BODY_BYTES_MAX),
        UrlencodedError::Parse(why) => Problem::not_understood(format!("the form is wrong: {why}")),
        UrlencodedError::Payload(why) => broken(&why),
        other => Problem::not_understood(format!("the form is wrong: {other}")),
    }
}

fn broken(why: &PayloadError) -> Problem {
    tracing::debug!(%why, "a body was not read to its end");
    Problem::not_understood("the body breaks off")
}
