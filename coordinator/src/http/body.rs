//! How bodies, queries and paths are read, and answers written: JSON and forms, with a problem that names what is wrong.

use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::error::{JsonPayloadError, PayloadError, QueryPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, IF_MATCH};
use actix_web::web::{self, FormConfig, JsonConfig, Path, PathConfig, QueryConfig, ServiceConfig};
pub(super) use actix_web::web::{Form, Query};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder, dev};
use futures::FutureExt;
use futures::future::{LocalBoxFuture, Map};
use serde::de::value::MapAccessDeserializer;
use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::problem::Problem;

/// The largest body that is read: names, addresses and secrets; nothing that is uploaded comes this way.
pub(super) const BODY_BYTES_MAX: usize = 64 << 10;

/// The largest body of a call that brings a pipeline file: one of a mebibyte, a `connections.yml` of as much, and what JSON
/// makes of their quotes and line breaks.
pub(super) const FILE_BYTES_MAX: usize = 4 << 20;

/// The last part of a path that has a name.
pub(super) struct Named(pub String);

/// What was asked for will be done: 202.
pub(super) struct Accepted;

/// A JSON object that is sent, or any document that is answered.
pub(super) struct Json<T>(pub T);

/// Read from an object alone: a list of a struct's fields in their order would be taken for it, too.
struct Object<T>(T);

/// A JSON object that may be left out, or be null.
pub(super) struct Optional<T>(pub T);

/// The revision that the caller has seen, from the header `If-Match`; `None` where any will do.
pub(super) struct IfMatch(pub Option<i64>);

impl<T: DeserializeOwned + Default + 'static> FromRequest for Optional<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        if !request.headers().contains_key(CONTENT_TYPE) {
            return ready(Ok(Self(T::default()))).boxed_local();
        }
        let read = web::Json::<Option<Object<T>>>::from_request(request, payload);
        read.map(|read| Ok(Self(read?.into_inner().map_or_else(T::default, |object| object.0)))).boxed_local()
    }
}

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut dev::Payload) -> Self::Future {
        let read = web::Json::<Object<T>>::from_request(request, payload);
        read.map(|read| Ok(Self(read?.into_inner().0))).boxed_local()
    }
}

impl<T: Serialize> Responder for Json<T> {
    type Body = actix_web::body::EitherBody<String>;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse<Self::Body> {
        web::Json(self.0).respond_to(request)
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<T>(PhantomData<T>);

        impl<'de, T: DeserializeOwned> Visitor<'de> for Fields<T> {
            type Value = T;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
                T::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

impl FromRequest for IfMatch {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut dev::Payload) -> Self::Future {
        let shown = request.headers().get(IF_MATCH).map(|tag| tag.to_str().unwrap_or_default().trim());
        let Some(tag) = shown.filter(|tag| *tag != "*") else { return ready(Ok(Self(None))) };
        let number = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).and_then(|tag| tag.parse().ok());
        let wrong = || Problem::not_understood("`If-Match` takes the `ETag` of an answer, such as `\"7\"`, or `*`");
        ready(number.map(|number| Self(Some(number))).ok_or_else(wrong))
    }
}

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
    config.app_data(json(BODY_BYTES_MAX));
    let form = FormConfig::default().limit(BODY_BYTES_MAX);
    config.app_data(form.error_handler(|error, _| wrong_form(error).into()));
    config.app_data(QueryConfig::default().error_handler(|error, _| {
        let QueryPayloadError::Deserialize(why) = error else { return wrong("query", &error) };
        wrong("query", &why)
    }));
    config.app_data(PathConfig::default().error_handler(|error, _| wrong("path", &error)));
}

/// How JSON of at most `bytes` is read.
pub(super) fn json(bytes: usize) -> JsonConfig {
    JsonConfig::default().limit(bytes).error_handler(move |error, _| wrong_json(error, bytes).into())
}

fn wrong(what: &str, why: &dyn std::fmt::Display) -> actix_web::Error {
    Problem::not_understood(format!("the {what} is wrong: {why}")).into()
}

fn wrong_json(error: JsonPayloadError, limit: usize) -> Problem {
    match error {
        JsonPayloadError::ContentType => Problem::unsupported("application/json"),
        JsonPayloadError::OverflowKnownLength { .. } | JsonPayloadError::Overflow { .. } => Problem::too_large(limit),
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
