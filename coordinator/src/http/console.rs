//! The console's files, which are built from `console/` and lie inside this program.

use std::borrow::Cow;

use actix_web::http::Method;
use actix_web::http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, ContentType, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::RustEmbed;

use super::problem::Problem;

/// What the console's build makes. A debug build of this program reads it from there as it is then.
#[derive(RustEmbed)]
#[folder = "../console/dist"]
#[allow_missing = true]
struct Files;

/// Which build of the console it is, where that is said: another one makes this file be compiled anew.
const _: Option<&str> = option_env!("FLOWETL_CONSOLE");

/// The page that all addresses of the console show: which of them it is, it sees itself.
const PAGE: &str = "index.html";
/// Files in here have their content's hash in their name.
const HASHED: &str = "assets/";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Asked for again each time: with it a new version of the program comes to browsers.
const EACH_TIME: HeaderValue = HeaderValue::from_static("no-cache");

/// What stands there in a program that was built without a console.
const MISSING: &str = "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>FlowETL</title></head>\n\
    <body><h1>FlowETL serves here</h1><p>This program was built without its console: <code>deploy/run.sh</code> builds both.</p>\
    <p>The API: <a href=\"/docs\">to try</a>, <a href=\"/redoc\">to read</a>.</p></body>\n</html>\n";

/// A file of the console; its page where the path names none.
pub(super) async fn file(request: HttpRequest) -> Result<HttpResponse, Problem> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        return Err(Problem::nowhere(request.path()));
    }
    let path = request.path().trim_start_matches('/');
    let is_file = path.rsplit('/').next().is_some_and(|name| name.contains('.'));
    let name = if path.is_empty() || !is_file { PAGE } else { path };
    let takes_gzip = request.headers().get(ACCEPT_ENCODING).and_then(|taken| taken.to_str().ok());
    let takes_gzip = takes_gzip.is_some_and(|taken| taken.split(',').any(|one| one.trim().starts_with("gzip")));
    let packed = if takes_gzip { Files::get(&format!("{name}.gz")) } else { None };
    let is_packed = packed.is_some();
    let Some(found) = packed.or_else(|| Files::get(name)) else {
        let missing = HttpResponse::Ok().content_type(ContentType::html()).body(MISSING);
        return if name == PAGE { Ok(missing) } else { Err(Problem::nowhere(request.path())) };
    };
    let mut answer = HttpResponse::Ok();
    answer.content_type(kind(name));
    answer.insert_header((CACHE_CONTROL, if name.starts_with(HASHED) { FOR_EVER } else { EACH_TIME }));
    if is_packed {
        answer.insert_header((CONTENT_ENCODING, HeaderValue::from_static("gzip")));
    }
    Ok(match found.data {
        Cow::Borrowed(bytes) => answer.body(bytes),
        Cow::Owned(bytes) => answer.body(bytes),
    })
}

/// What browsers take a file for, by its name.
fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        _ => "application/octet-stream",
    }
}
