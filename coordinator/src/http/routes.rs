//! Every endpoint, and what all of them stand behind.

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::get;

use super::health::health;
use super::problem::{no_such_method, no_such_path};
use super::{Site, docs, headers};

/// Answers every call.
pub(super) fn router(site: Site) -> Router {
    let api = Router::new().route("/health", get(health)).route("/openapi.json", get(docs::description));
    Router::new()
        .route("/health", get(health))
        .route("/docs", get(docs::page))
        .route("/docs/{file}", get(docs::file))
        .nest("/api/v1", api)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(headers::in_time))
        .layer(from_fn_with_state(site.clone(), headers::bound))
        .with_state(site)
}
