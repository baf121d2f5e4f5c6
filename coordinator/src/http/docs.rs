//! The API's description, and pages that show it, from files inside this program: Swagger UI (Apache 2.0), to try calls, and
//! ReDoc (MIT), to read.

use std::sync::{Arc, LazyLock};

use actix_web::http::header::{ContentType, LOCATION};
use actix_web::{HttpRequest, HttpResponse};
use aide::redoc::Redoc;
use utoipa_swagger_ui::Config;

use super::openapi;
use super::problem::Problem;

/// Nothing is asked of other hosts: also not whether the description is valid, which is the page's habit.
static PAGE: LazyLock<Arc<Config<'static>>> =
    LazyLock::new(|| Arc::new(Config::new(["/api/v1/openapi.json"]).validator_url("none")));

static DESCRIPTION: LazyLock<String> = LazyLock::new(openapi::text);

/// Without a script of its own: browsers are told to run none that stands in a page.
const READING_PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>FlowETL</title><meta name="viewport" content="width=device-width"></head>
<body><div id="redoc"></div><script src="redoc.js"></script></body>
</html>
"#;

/// Draws the page.
const READING_START: &str = "Redoc.init('/api/v1/openapi.json', {}, document.getElementById('redoc'));";

/// The one picture that ReDoc would load from elsewhere, and one of nothing.
const LOGO: &str = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_LOGO: &str = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";

static READING_SCRIPT: LazyLock<String> = LazyLock::new(|| {
    // `aide` has ReDoc inside a page, and a call that draws it after it.
    let page = Redoc::new("").html();
    let script = page.split_once("<script>").map_or("", |(_, rest)| rest);
    let library = script.rsplit_once("Redoc.init(").map_or(script, |(library, _)| library);
    format!("{}\n{READING_START}\n", library.trim().replace(LOGO, NO_LOGO))
});

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

/// To the first file of the page to read.
pub(super) async fn reading_page() -> HttpResponse {
    HttpResponse::TemporaryRedirect().insert_header((LOCATION, "/redoc/index.html")).finish()
}

/// One file of the page to read.
pub(super) async fn reading_file(request: HttpRequest) -> Result<HttpResponse, Problem> {
    match request.match_info().get("file") {
        Some("index.html") => Ok(HttpResponse::Ok().content_type(ContentType::html()).body(READING_PAGE)),
        Some("redoc.js") => {
            Ok(HttpResponse::Ok().content_type("text/javascript; charset=utf-8").body(READING_SCRIPT.as_str()))
        }
        _ => Err(Problem::nowhere(request.path())),
    }
}
