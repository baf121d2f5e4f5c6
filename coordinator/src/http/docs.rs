//! The API's description, and pages that show it: Swagger UI, from files inside this program.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use utoipa_swagger_ui::Config;

use super::openapi;
use super::problem::Problem;

/// Nothing is asked of other hosts: also not whether the description is valid, which is the page's habit.
static PAGE: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::new(["/api/v1/openapi.json"]).validator_url("none")));

static DESCRIPTION: LazyLock<String> = LazyLock::new(openapi::text);

/// The description of this API.
pub(super) async fn description() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(DESCRIPTION.as_str())
}

/// To the page's first file; the others are named from there.
pub(super) async fn page() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/docs/index.html")).finish()
}

/// One file of the page.
pub(super) async fn file(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let name = request.match_info().get("file").unwrap_or_default();
    match utoipa_swagger_ui::serve(name, Arc::clone(&PAGE)) {
        Ok(Some(file)) => Ok(HttpResponse::Ok().content_type(file.content_type).body(file.bytes.into_owned())),
        Ok(None) => Err(Problem::nowhere(request.path())),
        Err(error) => Err(Problem::internal(&error.to_string())),
    }
}
