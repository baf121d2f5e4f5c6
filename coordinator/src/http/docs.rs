//! The API's description, and pages that show it: Swagger UI, from files inside this program.

use std::sync::{Arc, LazyLock};

use axum::extract::RawPathParams;
use axum::http::header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use utoipa_swagger_ui::Config;

use super::openapi;
use super::problem::Problem;

/// Nothing is asked of other hosts: also not whether the description is valid, which is the page's habit.
static PAGE: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::new(["/api/v1/openapi.json"]).validator_url("none")));

static DESCRIPTION: LazyLock<String> = LazyLock::new(openapi::text);

/// The description of this API.
pub(super) async fn description() -> Response {
    ([(CONTENT_TYPE, "application/json")], DESCRIPTION.as_str()).into_response()
}

/// To the page's first file; the others are named from there.
pub(super) async fn page() -> (StatusCode, [(HeaderName, HeaderValue); 1]) {
    (StatusCode::TEMPORARY_REDIRECT, [(LOCATION, HeaderValue::from_static("/docs/index.html"))])
}

/// One file of the page.
pub(super) async fn file(uri: Uri, path: RawPathParams) -> Response {
    let name = path.iter().next().map(|(_, name)| name).unwrap_or_default();
    match utoipa_swagger_ui::serve(name, Arc::clone(&PAGE)) {
        Ok(Some(file)) => ([(CONTENT_TYPE, file.content_type)], file.bytes.into_owned()).into_response(),
        Ok(None) => Problem::nowhere(&uri).into_response(),
        Err(error) => Problem::internal(&error.to_string()).into_response(),
    }
}
