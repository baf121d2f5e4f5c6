//! What stands around every answer: headers that bind browsers.

use std::fmt;

use actix_web::HttpResponse;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, CACHE_CONTROL,
    CONTENT_LENGTH, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    TRANSFER_ENCODING, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use actix_web::http::{ConnectionType, Method, Uri};
use actix_web::middleware::Next;

use super::Site;
use super::body::BODY_BYTES_MAX;

/// An answer is data: nothing in it is to be run or shown as a page.
const DATA_POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// The console and the pages that show the API load what lies beside them, and nothing from elsewhere; one makes the worker
/// that searches.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:; frame-ancestors 'none'",
);

/// For how many seconds a browser need not ask again what a page may do.
const PREFLIGHT_SECONDS: HeaderValue = HeaderValue::from_static("600");
const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, PATCH, DELETE");
const HEADERS: HeaderValue =
    HeaderValue::from_static("authorization, content-type, idempotency-key, if-match, x-organization");

/// What a page may read of an answer beside its body.
const EXPOSED: HeaderValue = HeaderValue::from_static("etag");

/// Where pages lie: `https://host` or with a port, as browsers name it.
#[derive(Clone, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// What is no origin.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` is no origin: it is `http://` or `https://`, a host, and a port where it is not the usual one")]
pub struct WrongOrigin(String);

impl Origin {
    /// Whether a browser names this one.
    pub(super) fn is(&self, named: &HeaderValue) -> bool {
        self.0 == *named
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_str().unwrap_or_default())
    }
}

impl std::str::FromStr for Origin {
    type Err = WrongOrigin;

    fn from_str(text: &str) -> Result<Self, WrongOrigin> {
        let wrong = || WrongOrigin(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return Err(wrong()) };
        let is_whole = text == format!("{scheme}://{authority}") && text == text.to_ascii_lowercase();
        if !is_whole || !matches!(scheme, "http" | "https") || authority.as_str().contains('@') {
            return Err(wrong());
        }
        HeaderValue::from_str(text).map(Self).map_err(|_| wrong())
    }
}

/// Tells browsers what pages of other origins may do, and how to treat the answer.
pub(super) async fn bound(
    site: Site,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse, actix_web::Error> {
    let is_page = !["/api/", "/health"].iter().any(|data| request.path().starts_with(data));
    let origin = request.headers().get(ORIGIN).filter(|origin| site.origins.iter().any(|o| o.is(origin))).cloned();
    let may_go_on = brings_much(request.headers());
    let asks_first =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = match asks_first {
        true => request.into_response(HttpResponse::NoContent()),
        false => next.call(request).await?.map_into_boxed_body(),
    };
    if may_go_on && (response.status().is_client_error() || response.status().is_server_error()) {
        // What was not read would be, up to its end, before the next call.
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let headers = response.headers_mut();
    if let Some(origin) = origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        if asks_first {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
            headers.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECONDS);
        }
    }
    secure(headers, is_page);
    Ok(response)
}

/// Whether a call has a body that may be larger than what is read.
fn brings_much(headers: &HeaderMap) -> bool {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    headers.contains_key(TRANSFER_ENCODING) || length.is_some_and(|length| length > BODY_BYTES_MAX)
}

fn secure(headers: &mut HeaderMap, is_page: bool) {
    let always: [(HeaderName, HeaderValue); 5] = [
        (VARY, HeaderValue::from_static(if is_page { "origin, accept-encoding" } else { "origin" })),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CONTENT_SECURITY_POLICY, if is_page { PAGE_POLICY } else { DATA_POLICY }),
    ];
    for (name, value) in always {
        headers.insert(name, value);
    }
    if !is_page {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_a_scheme_a_host_and_a_port() {
        for right in ["http://localhost:5173", "https://etl.example.com", "http://[::1]:8080"] {
            assert!(right.parse::<Origin>().is_ok(), "{right}");
        }
        for wrong in ["", "*", "localhost", "https://a/", "https://a/b", "ftp://a", "https://u@a", "https://A", "null"]
        {
            assert!(wrong.parse::<Origin>().is_err(), "{wrong}");
        }
    }
}
