//! Every endpoint with what it needs, and what all of them stand behind.

use axum::Router;
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{MethodFilter, MethodRouter, get, on};

use super::gate::{self, Needs};
use super::problem::{no_such_method, no_such_path};
use super::{Site, audit, auth, docs, headers, health, keys, members, organizations, runs};
use crate::accounts::{Role, Scope};

/// A call that can be made, below `/api/v1`.
pub(super) struct Endpoint {
    pub method: Method,
    /// With the names of its parts in braces, as OpenAPI writes it.
    pub path: &'static str,
    pub needs: Needs,
    handler: MethodRouter<Site>,
}

const GET: (Method, MethodFilter) = (Method::GET, MethodFilter::GET);
const POST: (Method, MethodFilter) = (Method::POST, MethodFilter::POST);
const PATCH: (Method, MethodFilter) = (Method::PATCH, MethodFilter::PATCH);
const DELETE: (Method, MethodFilter) = (Method::DELETE, MethodFilter::DELETE);

/// The one table of who may call what. An endpoint that is not here does not exist.
pub(super) fn endpoints() -> Vec<Endpoint> {
    use Needs::{Member, Nobody, Person, SuperAdmin};
    use Role::{Admin, Editor, Owner, Viewer};
    const READ: Option<Scope> = Some(Scope::OrganizationRead);
    const WRITE: Option<Scope> = Some(Scope::OrganizationWrite);
    let mut all = vec![
        endpoint(POST, "/auth/register", Nobody, auth::register),
        endpoint(POST, "/auth/login", Nobody, auth::login),
        endpoint(POST, "/auth/refresh", Nobody, auth::refresh),
        endpoint(POST, "/auth/logout", Person, auth::logout),
        endpoint(GET, "/auth/me", Person, auth::me),
        endpoint(GET, "/organizations", Person, organizations::list),
        endpoint(POST, "/organizations", Person, organizations::create),
        endpoint(GET, "/organizations/{organization}", Member(Viewer, READ), organizations::get),
        endpoint(PATCH, "/organizations/{organization}", Member(Owner, WRITE), organizations::change),
        endpoint(DELETE, "/organizations/{organization}", Member(Owner, None), organizations::remove),
        endpoint(POST, "/organizations/{organization}/transfer", Member(Owner, None), organizations::transfer),
        endpoint(GET, "/organizations/{organization}/members", Member(Viewer, READ), members::list),
        endpoint(PATCH, "/organizations/{organization}/members/{person}", Member(Admin, WRITE), members::change),
        endpoint(DELETE, "/organizations/{organization}/members/{person}", Member(Admin, WRITE), members::remove),
        endpoint(GET, "/organizations/{organization}/invitations", Member(Admin, READ), members::invitations),
        endpoint(POST, "/organizations/{organization}/invitations", Member(Admin, WRITE), members::invite),
        endpoint(
            DELETE,
            "/organizations/{organization}/invitations/{invitation}",
            Member(Admin, WRITE),
            members::uninvite,
        ),
        endpoint(POST, "/invitations/accept", Person, members::accept),
        endpoint(GET, "/organizations/{organization}/api-keys", Member(Viewer, None), keys::list),
        endpoint(POST, "/organizations/{organization}/api-keys", Member(Viewer, None), keys::create),
        endpoint(DELETE, "/organizations/{organization}/api-keys/{key}", Member(Viewer, None), keys::remove),
        endpoint(GET, "/organizations/{organization}/audit", Member(Admin, READ), audit::of_organization),
        endpoint(GET, "/audit", SuperAdmin, audit::of_installation),
    ];
    for (list, one, cancel) in [
        ("/runs", "/runs/{run}", "/runs/{run}/cancel"),
        ("/executions", "/executions/{run}", "/executions/{run}/cancel"),
        ("/jobs", "/jobs/{run}", "/jobs/{run}/cancel"),
    ] {
        all.push(endpoint(GET, list, Member(Viewer, Some(Scope::RunsRead)), runs::list));
        all.push(endpoint(GET, one, Member(Viewer, Some(Scope::RunsRead)), runs::get));
        all.push(endpoint(POST, cancel, Member(Editor, Some(Scope::RunsWrite)), runs::cancel));
    }
    all
}

fn endpoint<H, T>(by: (Method, MethodFilter), path: &'static str, needs: Needs, handler: H) -> Endpoint
where
    H: Handler<T, Site>,
    T: 'static,
{
    Endpoint { method: by.0, path, needs, handler: on(by.1, handler) }
}

/// Answers every call.
pub(super) fn router(site: Site) -> Router {
    let mut api = Router::new().route("/health", get(health::health)).route("/openapi.json", get(docs::description));
    for endpoint in endpoints() {
        let gate = from_fn_with_state((site.clone(), endpoint.needs), gate::pass);
        api = api.route(endpoint.path, endpoint.handler.layer(gate));
    }
    Router::new()
        .route("/health", get(health::health))
        .route("/docs", get(docs::page))
        .route("/docs/{file}", get(docs::file))
        .nest("/api/v1", api)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(from_fn(headers::in_time))
        .layer(from_fn_with_state(site.clone(), headers::bound))
        .with_state(site)
}
