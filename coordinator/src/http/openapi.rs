//! The API's description in OpenAPI 3.1, made from the handlers; `coordinator/openapi.json` is a copy of it for people and
//! for programs that write clients.

use utoipa::openapi::security::{Flow, HttpAuthScheme, HttpBuilder, OAuth2, Password, Scopes, SecurityScheme};
use utoipa::openapi::{OpenApi as Document, PathItem, Ref, RefOr, SecurityRequirement};
use utoipa::{Modify, OpenApi};

use super::gate::Needs;
use super::problem::Problem;
use super::{
    alerts, audit, auth, backups, catalogue, connections, dashboard, discovery, events, executors, files, health, keys,
    lineage, logs, members, oidc, organizations, pipeline_looks, pipelines, quarantine, routes, runs, schedules,
    transformations, triggers, vault,
};

#[derive(OpenApi)]
#[openapi(
    info(title = "FlowETL", version = "1", description = "Pipelines, their runs, and who may see and do what."),
    servers((url = "/api/v1")),
    paths(
        health::health,
        auth::register,
        auth::login,
        auth::refresh,
        auth::logout,
        auth::change_password,
        auth::me,
        organizations::list,
        organizations::create,
        organizations::get,
        organizations::change,
        organizations::transfer,
        organizations::remove,
        members::list,
        members::leave,
        members::change,
        members::remove,
        members::invitations,
        members::invite,
        members::uninvite,
        members::accept,
        keys::list,
        keys::create,
        keys::remove,
        connections::list,
        connections::create,
        connections::test_draft,
        connections::export,
        connections::export_sealed,
        connections::import,
        connections::get,
        connections::change,
        connections::remove,
        connections::test,
        vault::status,
        vault::unlock,
        vault::lock,
        vault::set_password,
        audit::of_organization,
        audit::of_installation,
        events::list,
        events::socket,
        pipelines::list,
        pipelines::create,
        pipelines::apply,
        pipelines::validate,
        pipelines::plan_file,
        pipelines::get,
        pipelines::update,
        pipelines::remove,
        pipelines::export,
        pipelines::plan,
        pipelines::run,
        pipelines::difference,
        pipeline_looks::preview_file,
        pipeline_looks::preview,
        pipeline_looks::state,
        pipeline_looks::set_state,
        pipeline_looks::reset_state,
        pipelines::revisions,
        pipelines::revision,
        pipelines::restore,
        schedules::list,
        schedules::create,
        schedules::preview,
        schedules::get,
        schedules::update,
        schedules::remove,
        quarantine::quarantined,
        runs::list,
        runs::get,
        runs::cancel,
        oidc::methods,
        oidc::login,
        oidc::callback,
        oidc::token,
        runs::retry,
        logs::read,
        dashboard::get,
        lineage::get,
        catalogue::get,
        executors::list,
        executors::get,
        executors::drain,
        discovery::start,
        discovery::status,
        discovery::schemas,
        discovery::tables,
        discovery::table,
        discovery::preview,
        alerts::list,
        alerts::create,
        alerts::get,
        alerts::change,
        alerts::remove,
        alerts::test,
        alerts::deliveries,
        alerts::delivery,
        alerts::redeliver,
        files::list,
        files::begin,
        files::put,
        files::upload,
        files::take,
        files::abort,
        files::get,
        files::remove,
        files::content,
        files::preview,
        files::link,
        files::shared,
        backups::list,
        backups::create,
        backups::get,
        backups::content,
        backups::remove,
        transformations::list,
        transformations::create,
        transformations::get,
        transformations::update,
        transformations::remove,
        transformations::compile,
        transformations::preview,
        transformations::run,
        transformations::sources,
        transformations::sources_file,
        triggers::list,
        triggers::create,
        triggers::get,
        triggers::update,
        triggers::remove,
        triggers::call,
    ),
    components(schemas(Problem)),
    modifiers(&EveryCall)
)]
struct Api;

/// What holds for every call.
struct EveryCall;

impl Modify for EveryCall {
    fn modify(&self, document: &mut Document) {
        let refused = RefOr::Ref(Ref::from_response_name("problem"));
        let answer = utoipa::openapi::ResponseBuilder::new()
            .description("The call was refused: the status and `detail` say why.")
            .content(
                "application/problem+json",
                utoipa::openapi::ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build(),
            );
        if let Some(components) = &mut document.components {
            components.responses.insert("problem".to_owned(), answer.build().into());
        }
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
            for operation in operations.into_iter().flatten() {
                operation.responses.responses.insert("default".to_owned(), refused.clone());
                // Handlers of several resources have one name: `connections_list`, `runs_list`.
                let tag = operation.tags.iter().flatten().next();
                let name = operation.operation_id.take();
                operation.operation_id = tag.zip(name).map(|(tag, name)| format!("{tag}_{name}"));
            }
        }
        let password = OAuth2::new([Flow::Password(Password::new("/api/v1/auth/login", Scopes::new()))]);
        if let Some(components) = &mut document.components {
            components.add_security_scheme("password", SecurityScheme::OAuth2(password));
            let key = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
            components.add_security_scheme("api_key", SecurityScheme::Http(key));
        }
        for endpoint in routes::endpoints() {
            if let Some(item) = document.paths.paths.get_mut(endpoint.path) {
                guard(item, &endpoint);
            }
        }
    }
}

/// Writes down what an endpoint needs.
fn guard(item: &mut PathItem, endpoint: &routes::Endpoint) {
    let operation = match endpoint.method.as_str() {
        "GET" => &mut item.get,
        "POST" => &mut item.post,
        "PUT" => &mut item.put,
        "PATCH" => &mut item.patch,
        _ => &mut item.delete,
    };
    let Some(operation) = operation else { return };
    let names = match endpoint.needs {
        Needs::Nobody => return,
        Needs::Member(_, Some(_)) => vec!["password", "api_key"],
        Needs::Person | Needs::SuperAdmin | Needs::Member(_, None) => vec!["password"],
    };
    let needs = names.into_iter().map(|name| SecurityRequirement::new::<_, [&str; 0], &str>(name, []));
    operation.security = Some(needs.collect());
}

/// The description.
pub(super) fn document() -> Document {
    Api::openapi()
}

/// The description as text, the same for every build of one version.
pub(super) fn text() -> String {
    // A tree of names and texts is always JSON.
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
