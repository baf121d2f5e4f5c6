//! Every endpoint with what it needs, and what all of them stand behind.

use std::collections::BTreeMap;

use actix_web::body::BoxBody;
use actix_web::dev::{Handler, ServiceRequest};
use actix_web::http::Method;
use actix_web::middleware::{Next, from_fn};
use actix_web::{FromRequest, HttpRequest, Resource, Responder, Route, guard, web};

use super::gate::{self, Needs};
use super::problem::{no_such_method, no_such_path};
use super::{
    Site, alerts, audit, auth, backups, body, catalogue, connections, console, dashboard, discovery, docs, events,
    executors, files, health, keys, lineage, logs, members, oidc, once, organizations, pipeline_looks, pipelines,
    quarantine, runs, schedules, transformations, triggers, vault,
};
use crate::accounts::{Role, Scope};

/// A call that can be made, below `/api/v1`.
pub(super) struct Endpoint {
    pub method: Method,
    /// With the names of its parts in braces, as OpenAPI writes it.
    pub path: &'static str,
    pub needs: Needs,
    route: Route,
}

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const PUT: Method = Method::PUT;
const PATCH: Method = Method::PATCH;
const DELETE: Method = Method::DELETE;

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
        endpoint(POST, "/auth/password", Person, auth::change_password),
        endpoint(GET, "/auth/me", Person, auth::me),
        endpoint(GET, "/organizations", Person, organizations::list),
        endpoint(POST, "/organizations", Person, organizations::create),
        endpoint(GET, "/organizations/{organization}", Member(Viewer, READ), organizations::get),
        endpoint(PATCH, "/organizations/{organization}", Member(Owner, WRITE), organizations::change),
        endpoint(DELETE, "/organizations/{organization}", Member(Owner, None), organizations::remove),
        endpoint(POST, "/organizations/{organization}/transfer", Member(Owner, None), organizations::transfer),
        endpoint(GET, "/organizations/{organization}/members", Member(Viewer, READ), members::list),
        endpoint(DELETE, "/organizations/{organization}/members/me", Member(Viewer, None), members::leave),
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
    all.extend(of_pipelines());
    all.extend(connection_endpoints());
    for [events, socket] in
        [["/events", "/ws"], ["/organizations/{organization}/events", "/organizations/{organization}/ws"]]
    {
        all.push(lasting(GET, events, Member(Viewer, Some(Scope::EventsRead)), events::list));
        all.push(lasting(GET, socket, Member(Viewer, Some(Scope::EventsRead)), events::socket));
    }
    for log in ["/runs/{run}/logs", "/executions/{run}/logs", "/jobs/{run}/logs"] {
        all.push(lasting(GET, log, Member(Viewer, Some(Scope::RunsRead)), logs::read));
    }
    // Whoever sees rows may change what makes them, as with a preview.
    all.push(endpoint(GET, "/runs/{run}/quarantine", Member(Editor, Some(Scope::RunsRead)), quarantine::quarantined));
    for (list, one, cancel, retry) in [
        ("/runs", "/runs/{run}", "/runs/{run}/cancel", "/runs/{run}/retry"),
        ("/executions", "/executions/{run}", "/executions/{run}/cancel", "/executions/{run}/retry"),
        ("/jobs", "/jobs/{run}", "/jobs/{run}/cancel", "/jobs/{run}/retry"),
    ] {
        all.push(endpoint(GET, list, Member(Viewer, Some(Scope::RunsRead)), runs::list));
        all.push(endpoint(GET, one, Member(Viewer, Some(Scope::RunsRead)), runs::get));
        all.push(endpoint(POST, cancel, Member(Editor, Some(Scope::RunsWrite)), runs::cancel));
        all.push(endpoint(POST, retry, Member(Editor, Some(Scope::RunsWrite)), runs::retry));
    }
    all.extend(of_people());
    all.extend(of_watching());
    all.extend(of_discovery());
    all.extend(of_alerts());
    all.extend(of_files());
    all.extend(of_backups());
    all.extend(of_triggers());
    all.extend(of_transformations());
    all
}

/// How people sign in otherwise.
fn of_people() -> [Endpoint; 4] {
    [
        endpoint(GET, "/auth/methods", Needs::Nobody, oidc::methods),
        endpoint(GET, "/auth/oidc/login", Needs::Nobody, oidc::login),
        endpoint(GET, "/auth/oidc/callback", Needs::Nobody, oidc::callback),
        endpoint(POST, "/auth/oidc/token", Needs::Nobody, oidc::token),
    ]
}

/// How everything stands, and who works on it.
fn of_watching() -> [Endpoint; 6] {
    const READ: Needs = Needs::Member(Role::Viewer, Some(Scope::RunsRead));
    [
        endpoint(GET, "/dashboard", READ, dashboard::get),
        endpoint(GET, "/lineage", Needs::Member(Role::Viewer, Some(Scope::PipelinesRead)), lineage::get),
        endpoint(GET, "/catalogue", Needs::Member(Role::Viewer, Some(Scope::PipelinesRead)), catalogue::get),
        endpoint(GET, "/executors", READ, executors::list),
        endpoint(GET, "/executors/{executor}", READ, executors::get),
        endpoint(POST, "/executors/{executor}/drain", Needs::SuperAdmin, executors::drain),
    ]
}

/// Who is told when a pipeline fails, and what they were told.
fn of_alerts() -> [Endpoint; 9] {
    const READ: Needs = Needs::Member(Role::Viewer, Some(Scope::OrganizationRead));
    const WRITE: Needs = Needs::Member(Role::Admin, Some(Scope::OrganizationWrite));
    [
        endpoint(GET, "/alerts/destinations", READ, alerts::list),
        endpoint(POST, "/alerts/destinations", WRITE, alerts::create),
        endpoint(GET, "/alerts/destinations/{destination}", READ, alerts::get),
        endpoint(PUT, "/alerts/destinations/{destination}", WRITE, alerts::change),
        endpoint(DELETE, "/alerts/destinations/{destination}", WRITE, alerts::remove),
        endpoint(POST, "/alerts/destinations/{destination}/test", WRITE, alerts::test),
        endpoint(GET, "/alerts/deliveries", READ, alerts::deliveries),
        endpoint(GET, "/alerts/deliveries/{delivery}", READ, alerts::delivery),
        endpoint(POST, "/alerts/deliveries/{delivery}/redeliver", WRITE, alerts::redeliver),
    ]
}

/// What leads to an organization's systems. Whoever owns the organization owns its secrets: the vault, and taking them out.
fn connection_endpoints() -> [Endpoint; 14] {
    use Needs::Member;
    use Role::{Admin, Editor, Owner, Viewer};
    const READ: Option<Scope> = Some(Scope::ConnectionsRead);
    const WRITE: Option<Scope> = Some(Scope::ConnectionsWrite);
    const VAULT: Option<Scope> = Some(Scope::Vault);
    [
        endpoint(GET, "/connections", Member(Viewer, READ), connections::list),
        endpoint(POST, "/connections", Member(Editor, WRITE), connections::create),
        endpoint(POST, "/connections/test", Member(Editor, WRITE), connections::test_draft),
        endpoint(GET, "/connections/export", Member(Viewer, READ), connections::export),
        endpoint(POST, "/connections/export", Member(Owner, None), connections::export_sealed),
        endpoint(POST, "/connections/import", Member(Editor, WRITE), connections::import),
        endpoint(GET, "/connections/{connection}", Member(Viewer, READ), connections::get),
        endpoint(PUT, "/connections/{connection}", Member(Editor, WRITE), connections::change),
        endpoint(DELETE, "/connections/{connection}", Member(Admin, WRITE), connections::remove),
        endpoint(POST, "/connections/{connection}/test", Member(Editor, WRITE), connections::test),
        endpoint(GET, "/vault/status", Member(Viewer, VAULT), vault::status),
        endpoint(POST, "/vault/unlock", Member(Owner, VAULT), vault::unlock),
        endpoint(POST, "/vault/lock", Member(Owner, VAULT), vault::lock),
        endpoint(PUT, "/vault/password", Member(Owner, None), vault::set_password),
    ]
}

/// Pipelines, and when they run.
fn of_pipelines() -> Vec<Endpoint> {
    const READ: Needs = Needs::Member(Role::Viewer, Some(Scope::PipelinesRead));
    const WRITE: Needs = Needs::Member(Role::Editor, Some(Scope::PipelinesWrite));
    const REMOVE: Needs = Needs::Member(Role::Admin, Some(Scope::PipelinesWrite));
    vec![
        endpoint(GET, "/pipelines", READ, pipelines::list),
        endpoint(POST, "/pipelines", WRITE, pipelines::create),
        endpoint(POST, "/pipelines/apply", WRITE, pipelines::apply),
        endpoint(POST, "/pipelines/validate", READ, pipelines::validate),
        endpoint(POST, "/pipelines/plan", WRITE, pipelines::plan_file),
        endpoint(GET, "/pipelines/{pipeline}", READ, pipelines::get),
        endpoint(PUT, "/pipelines/{pipeline}", WRITE, pipelines::update),
        endpoint(DELETE, "/pipelines/{pipeline}", REMOVE, pipelines::remove),
        endpoint(GET, "/pipelines/{pipeline}/export", READ, pipelines::export),
        endpoint(POST, "/pipelines/{pipeline}/plan", WRITE, pipelines::plan),
        endpoint(POST, "/pipelines/{pipeline}/run", WRITE, pipelines::run),
        endpoint(POST, "/pipelines/preview", WRITE, pipeline_looks::preview_file),
        endpoint(GET, "/pipelines/{pipeline}/preview", WRITE, pipeline_looks::preview),
        endpoint(GET, "/pipelines/{pipeline}/state", READ, pipeline_looks::state),
        endpoint(PUT, "/pipelines/{pipeline}/state/{block}", WRITE, pipeline_looks::set_state),
        endpoint(DELETE, "/pipelines/{pipeline}/state/{block}", WRITE, pipeline_looks::reset_state),
        endpoint(GET, "/pipelines/{pipeline}/diff", READ, pipelines::difference),
        endpoint(GET, "/pipelines/{pipeline}/revisions", READ, pipelines::revisions),
        endpoint(GET, "/pipelines/{pipeline}/revisions/{number}", READ, pipelines::revision),
        endpoint(POST, "/pipelines/{pipeline}/revisions/{number}/restore", WRITE, pipelines::restore),
        endpoint(GET, "/schedules", READ, schedules::list),
        endpoint(POST, "/schedules", WRITE, schedules::create),
        endpoint(POST, "/schedules/preview", READ, schedules::preview),
        endpoint(GET, "/schedules/{schedule}", READ, schedules::get),
        endpoint(PUT, "/schedules/{schedule}", WRITE, schedules::update),
        endpoint(DELETE, "/schedules/{schedule}", REMOVE, schedules::remove),
    ]
}

/// What lies behind connections. Whoever sees rows uses the connection, as its test does.
fn of_discovery() -> Vec<Endpoint> {
    const READ: Needs = Needs::Member(Role::Viewer, Some(Scope::ConnectionsRead));
    const USE: Needs = Needs::Member(Role::Editor, Some(Scope::ConnectionsWrite));
    vec![
        endpoint(POST, "/connections/{connection}/discover", USE, discovery::start),
        endpoint(GET, "/connections/{connection}/discover", READ, discovery::status),
        endpoint(GET, "/connections/{connection}/schemas", READ, discovery::schemas),
        endpoint(GET, "/connections/{connection}/tables", READ, discovery::tables),
        endpoint(GET, "/connections/{connection}/tables/{schema}/{table}", READ, discovery::table),
        endpoint(GET, "/connections/{connection}/tables/{schema}/{table}/preview", USE, discovery::preview),
    ]
}

/// Files that people bring.
fn of_files() -> Vec<Endpoint> {
    const READ: Needs = Needs::Member(Role::Viewer, Some(Scope::FilesRead));
    const WRITE: Needs = Needs::Member(Role::Editor, Some(Scope::FilesWrite));
    const REMOVE: Needs = Needs::Member(Role::Admin, Some(Scope::FilesWrite));
    vec![
        endpoint(GET, "/files", READ, files::list),
        endpoint(POST, "/files", WRITE, files::begin),
        lasting(PUT, "/files", WRITE, files::put),
        endpoint(GET, "/files/uploads/{upload}", READ, files::upload),
        lasting(PUT, "/files/uploads/{upload}", WRITE, files::take),
        endpoint(DELETE, "/files/uploads/{upload}", WRITE, files::abort),
        endpoint(GET, "/files/{file}", READ, files::get),
        endpoint(DELETE, "/files/{file}", REMOVE, files::remove),
        lasting(GET, "/files/{file}/content", READ, files::content),
        endpoint(GET, "/files/{file}/preview", READ, files::preview),
        endpoint(POST, "/files/{file}/link", READ, files::link),
        lasting(GET, "/files/shared/{link}", Needs::Nobody, files::shared),
    ]
}

/// Copies of the metadata database.
fn of_backups() -> [Endpoint; 5] {
    use Needs::SuperAdmin;
    [
        endpoint(GET, "/backups", SuperAdmin, backups::list),
        endpoint(POST, "/backups", SuperAdmin, backups::create),
        endpoint(GET, "/backups/{backup}", SuperAdmin, backups::get),
        endpoint(DELETE, "/backups/{backup}", SuperAdmin, backups::remove),
        lasting(GET, "/backups/{backup}/content", SuperAdmin, backups::content),
    ]
}

/// What begins runs beside schedules and people. Whoever has the address of a webhook may call it: it is a secret.
fn of_triggers() -> [Endpoint; 6] {
    const READ: Needs = Needs::Member(Role::Viewer, Some(Scope::PipelinesRead));
    const WRITE: Needs = Needs::Member(Role::Editor, Some(Scope::PipelinesWrite));
    const REMOVE: Needs = Needs::Member(Role::Admin, Some(Scope::PipelinesWrite));
    [
        endpoint(GET, "/triggers", READ, triggers::list),
        endpoint(POST, "/triggers", WRITE, triggers::create),
        endpoint(GET, "/triggers/{trigger}", READ, triggers::get),
        endpoint(PUT, "/triggers/{trigger}", WRITE, triggers::update),
        endpoint(DELETE, "/triggers/{trigger}", REMOVE, triggers::remove),
        endpoint(POST, "/hooks/{secret}", Needs::Nobody, triggers::call),
    ]
}

/// SQL that is kept by name.
fn of_transformations() -> Vec<Endpoint> {
    const READ: Needs = Needs::Member(Role::Viewer, Some(Scope::PipelinesRead));
    const WRITE: Needs = Needs::Member(Role::Editor, Some(Scope::PipelinesWrite));
    const REMOVE: Needs = Needs::Member(Role::Admin, Some(Scope::PipelinesWrite));
    vec![
        endpoint(GET, "/transformations", READ, transformations::list),
        endpoint(POST, "/transformations", WRITE, transformations::create),
        endpoint(GET, "/transformations/sources", READ, transformations::sources),
        endpoint(GET, "/transformations/sources.yml", READ, transformations::sources_file),
        endpoint(GET, "/transformations/{transformation}", READ, transformations::get),
        endpoint(PUT, "/transformations/{transformation}", WRITE, transformations::update),
        endpoint(DELETE, "/transformations/{transformation}", REMOVE, transformations::remove),
        endpoint(POST, "/transformations/{transformation}/compile", WRITE, transformations::compile),
        endpoint(POST, "/transformations/{transformation}/preview", WRITE, transformations::preview),
        endpoint(POST, "/transformations/{transformation}/run", WRITE, transformations::run),
    ]
}

/// An endpoint behind its gate, whose handler works on the process's own threads, and to its end.
fn endpoint<H, A>(method: Method, path: &'static str, needs: Needs, handler: H) -> Endpoint
where
    H: Handler<A>,
    H::Future: Send + 'static,
    H::Output: Responder + Send + 'static,
    A: FromRequest + 'static,
{
    lasting(method, path, needs, move |site: Site, call: A| site.whole(handler.call(call)))
}

/// An endpoint behind its gate whose answer is written bit by bit.
fn lasting<H, A>(method: Method, path: &'static str, needs: Needs, handler: H) -> Endpoint
where
    H: Handler<A>,
    H::Output: Responder + 'static,
    A: FromRequest + 'static,
{
    let gate = from_fn(move |request: ServiceRequest, next: Next<BoxBody>| gate::pass(needs, request, next));
    let mut route = taking(&method).to(handler);
    if method == POST && needs != Needs::Nobody {
        route = route.wrap(from_fn(once::once));
    }
    Endpoint { path, needs, route: route.wrap(gate), method }
}

/// A route for one method. Whoever may read something may ask for its head alone.
fn taking(method: &Method) -> Route {
    let own = guard::Any(guard::Method(method.clone()));
    web::route().guard(if *method == GET { own.or(guard::Head()) } else { own })
}

/// All endpoints of one path.
fn resource(path: &str, routes: impl IntoIterator<Item = (Method, Route)>) -> Resource {
    let (methods, routes): (Vec<_>, Vec<_>) = routes.into_iter().unzip();
    let others = move |request: HttpRequest| {
        let refusal = no_such_method(&request, &methods);
        async move { refusal }
    };
    let brings_files = ["/pipelines", "/transformations"].iter().any(|start| path.starts_with(start));
    let bytes = if brings_files { body::FILE_BYTES_MAX } else { body::BODY_BYTES_MAX };
    let resource = web::resource(path).app_data(body::json(bytes));
    routes.into_iter().fold(resource, Resource::route).default_service(web::route().to(others))
}

/// Answers every call.
pub(super) fn serve(config: &mut web::ServiceConfig) {
    let mut paths = BTreeMap::<_, Vec<_>>::new();
    for endpoint in endpoints() {
        paths.entry(endpoint.path).or_default().push((endpoint.method, endpoint.route));
    }
    let open = |path: &'static str, route: Route| resource(path, [(GET, route)]);
    let mut api = web::scope("/api/v1")
        .default_service(web::route().to(no_such_path))
        .service(open("/health", taking(&GET).to(health::health)))
        .service(open("/openapi.json", taking(&GET).to(docs::description)));
    // The first path that fits is taken: in this order a part that is named, `{`, comes after all that is written out.
    for (path, routes) in paths {
        api = api.service(resource(path, routes));
    }
    config
        .configure(body::limit)
        .service(api)
        .service(open("/health", taking(&GET).to(health::health)))
        .service(open("/docs", taking(&GET).to(docs::page)))
        .service(open("/docs/{file}", taking(&GET).to(docs::file)))
        .service(open("/redoc", taking(&GET).to(docs::reading_page)))
        .service(open("/redoc/{file}", taking(&GET).to(docs::reading_file)))
        .service(web::scope("/api").default_service(web::route().to(no_such_path)))
        .default_service(web::route().to(console::file));
}
