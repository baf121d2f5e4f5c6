//! `/connections`: where an organization's systems are, tested and kept, with no secret in any answer.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::LINK;
use serde::Deserialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Json, Named, Query};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Caller, Refusal, Tenant};
use crate::connections::{
    ConnectionDetail, ConnectionQuery, ConnectionView, Connections, ExportWish, Exported, Import, Imported, TestAnswer,
    Wish,
};

/// Connections in one answer, where no number is asked for and at most.
const LIMIT: i64 = 1_000;

/// Which connections.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only those of this type, under any of its names.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    kind: Option<String>,
    /// The same.
    db_type: Option<String>,
    /// Only those that are said to be this: `source`, `destination` or `both`.
    direction: Option<String>,
    /// Only those in this folder; empty: in none.
    folder: Option<String>,
    /// Only those with this in their name or settings.
    search: Option<String>,
    /// Those that come behind the one of this id.
    after: Option<String>,
    /// How many at most: never more than 1000, which it is where it is left out.
    limit: Option<i64>,
}

/// How a connection is to be deleted.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Removal {
    /// Also while pipelines use it, which fail then.
    #[serde(default)]
    #[param(required = false)]
    force: bool,
}

/// A connection that is to be, or what is to change of one: its settings stand beside its own fields, or in `config`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "only its schema is used; what is sent is read as it comes")]
pub(super) struct ConnectionWish {
    /// One of its own among the organization's.
    name: Option<String>,
    /// `postgres`, `sqlite`, `s3`, `file`: a scheme that one of the connectors answers to. `db_type` means the same.
    #[schema(rename = "type")]
    kind: Option<String>,
    db_type: Option<String>,
    /// `source`, `destination` or `both`, as it is where nothing is said.
    direction: Option<String>,
    folder: Option<String>,
    host: Option<String>,
    port: Option<u16>,
    database: Option<String>,
    username: Option<String>,
    /// What is left out stays, and so does what is sent as `encrypted_value`.
    password: Option<String>,
    /// More settings, as the connector announces them.
    #[schema(value_type = Option<Object>)]
    config: Option<Value>,
}

impl Site {
    /// Connections, where it is this process that leads.
    fn connections(&self) -> Result<Connections, Problem> {
        let leads = self.seat.borrow().leads();
        let (handle, roster) = leads.map_err(|leader| Problem::stands_by(leader.as_deref()))?;
        Ok(Connections::new(handle.vault(), roster))
    }
}

/// The organization's connections, last changed first. Where there are more, the header `Link` says where.
#[utoipa::path(get, path = "/connections", tag = "connections", params(Page),
    responses((status = 200, body = [ConnectionView])))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Answer, Problem> {
    let connections = site.connections()?;
    let limit = page.limit.unwrap_or(LIMIT).clamp(1, LIMIT);
    let direction = page.direction.as_deref().map(|text| text.to_lowercase().parse()).transpose();
    let kinds = match page.kind.or(page.db_type) {
        Some(kind) => connections.kinds_like(&kind),
        None => Vec::new(),
    };
    let query = ConnectionQuery {
        organization: tenant.organization.id,
        kinds,
        direction: direction.map_err(|message| Refusal::wrong("direction", message))?,
        folder: page.folder,
        search: page.search.filter(|search| !search.is_empty()),
        after: page.after,
        limit,
    };
    let found: Vec<ConnectionView> = connections.list(&query).await?.into_iter().map(Into::into).collect();
    let full = found.len() as i64 == limit;
    let next = full.then(|| found.last().map(|last| last.id.clone())).flatten();
    Ok(Answer { found, next, limit })
}

/// A list, and from where on there may be more.
pub(super) struct Answer {
    found: Vec<ConnectionView>,
    next: Option<String>,
    limit: i64,
}

impl actix_web::Responder for Answer {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &actix_web::HttpRequest) -> HttpResponse {
        let mut answer = HttpResponse::Ok();
        if let Some(next) = self.next {
            answer.insert_header((LINK, format!("<?after={next}&limit={}>; rel=\"next\"", self.limit)));
        }
        answer.json(self.found)
    }
}

/// Keep a connection. Its secrets are sealed, and never shown again.
#[utoipa::path(post, path = "/connections", tag = "connections", request_body = ConnectionWish,
    responses((status = 201, body = ConnectionView)))]
pub(super) async fn create(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(document): Json<Map<String, Value>>,
) -> Result<(Json<ConnectionView>, StatusCode), Problem> {
    let made = site.connections()?.create(&caller, &tenant, Wish::read(document)?).await?;
    Ok((Json(made.into()), StatusCode::CREATED))
}

/// One connection, with the pipelines that use it.
#[utoipa::path(get, path = "/connections/{connection}", tag = "connections", params(("connection" = String, Path)),
    responses((status = 200, body = ConnectionDetail)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
) -> Result<Json<ConnectionDetail>, Problem> {
    Ok(Json(site.connections()?.detail(&tenant, &id).await?))
}

/// Change what is sent; the rest stays, and secrets do where `encrypted_value` is sent for them.
#[utoipa::path(put, path = "/connections/{connection}", tag = "connections", params(("connection" = String, Path)),
    request_body = ConnectionWish, responses((status = 200, body = ConnectionView)))]
pub(super) async fn change(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
    Json(document): Json<Map<String, Value>>,
) -> Result<Json<ConnectionView>, Problem> {
    Ok(Json(site.connections()?.change(&caller, &tenant, &id, Wish::read(document)?).await?.into()))
}

/// Delete a connection that no pipeline uses, or any with `force`. Runs that were begun with it fail where they need its
/// secrets again.
#[utoipa::path(delete, path = "/connections/{connection}", tag = "connections",
    params(("connection" = String, Path), Removal), responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
    Query(removal): Query<Removal>,
) -> Result<(), Problem> {
    Ok(site.connections()?.delete(&caller, &tenant, &id, removal.force).await?)
}

/// Try a connection before it is kept, or changed where its `id` is sent: an executor really signs in, within 5 s.
#[utoipa::path(post, path = "/connections/test", tag = "connections", request_body = ConnectionWish,
    responses((status = 200, body = TestAnswer)))]
pub(super) async fn test_draft(
    site: Site,
    Known(tenant): Known<Tenant>,
    Json(document): Json<Map<String, Value>>,
) -> Result<Json<TestAnswer>, Problem> {
    Ok(Json(site.connections()?.test_draft(&tenant, Wish::read(document)?).await?))
}

/// Try a connection, and keep what came of it.
#[utoipa::path(post, path = "/connections/{connection}/test", tag = "connections",
    params(("connection" = String, Path)), responses((status = 200, body = TestAnswer)))]
pub(super) async fn test(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
) -> Result<Json<TestAnswer>, Problem> {
    Ok(Json(site.connections()?.test(&tenant, &id).await?))
}

/// All connections as one document, without their secrets.
#[utoipa::path(get, path = "/connections/export", tag = "connections", responses((status = 200, body = Exported)))]
pub(super) async fn export(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<Exported>, Problem> {
    Ok(Json(site.connections()?.export(&caller, &tenant, None).await?))
}

/// All connections as one document, with their secrets under a passphrase.
#[utoipa::path(post, path = "/connections/export", tag = "connections", request_body = ExportWish,
    responses((status = 200, body = Exported)))]
pub(super) async fn export_sealed(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<ExportWish>,
) -> Result<Json<Exported>, Problem> {
    Ok(Json(site.connections()?.export(&caller, &tenant, Some(wish.passphrase)).await?))
}

/// Keep the connections of such a document, each by itself.
#[utoipa::path(post, path = "/connections/import", tag = "connections", request_body = Import,
    responses((status = 200, body = Imported)))]
pub(super) async fn import(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<Import>,
) -> Result<Json<Imported>, Problem> {
    Ok(Json(site.connections()?.import(&caller, &tenant, wish).await?))
}
