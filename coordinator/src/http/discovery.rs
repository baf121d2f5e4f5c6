//! `/connections/{connection}/discover`, `schemas` and `tables`: what lies behind a connection, and rows of it.

use actix_web::http::StatusCode;
use actix_web::web::Path;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Json, Query};
use super::gate::Known;
use super::page::{self, PageSize};
use super::problem::Problem;
use crate::accounts::{Caller, Refusal, Tenant};
use crate::connections::Connections;
use crate::discovery::{Discovery, LookView, RowsView, SchemaItem, TableDetail, TableItem, TableQuery};

const TABLES: PageSize = PageSize::new(100, 1_000);

/// The schemas that were found.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Schemas {
    /// When it was looked.
    found_at: Timestamp,
    schemas: Vec<SchemaItem>,
}

/// Tables that were found, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TablePage {
    /// When it was looked.
    found_at: Timestamp,
    /// By schema and name.
    tables: Vec<TableItem>,
    /// The `cursor` of the next page; null where there is none.
    next: Option<String>,
}

/// Which tables.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only those with this in `schema.name`.
    search: Option<String>,
    /// Only those of this schema.
    schema: Option<String>,
    /// The `next` of the page before.
    cursor: Option<String>,
    /// How many at most: 100 where it is left out, never more than 1000.
    limit: Option<i64>,
}

/// How many rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Rows {
    /// 100 where it is left out, which is the most.
    limit: Option<usize>,
}

impl Site {
    /// What lies behind connections, where it is this process that leads.
    fn discovery(&self) -> Result<Discovery, Problem> {
        let leads = self.seat.borrow().leads();
        let (handle, roster) = leads.map_err(|leader| Problem::stands_by(leader.as_deref()))?;
        Ok(Discovery::new(Connections::new(handle.vault(), roster), handle.looks()))
    }
}

/// Look at what lies behind a connection: an executor reads the system's catalogue, in the background. One look at a time: who
/// asks meanwhile is told of the one that is under way.
#[utoipa::path(post, path = "/connections/{connection}/discover", tag = "discovery",
    params(("connection" = String, Path)), responses((status = 202, body = LookView)))]
pub(super) async fn start(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    connection: Path<String>,
) -> Result<(Json<LookView>, StatusCode), Problem> {
    let view = site.discovery()?.start(&caller, &tenant, &connection).await?;
    Ok((Json(view), StatusCode::ACCEPTED))
}

/// How it stands with looking, how old what is known is, and how it differs from the look before.
#[utoipa::path(get, path = "/connections/{connection}/discover", tag = "discovery",
    params(("connection" = String, Path)), responses((status = 200, body = LookView)))]
pub(super) async fn status(
    site: Site,
    Known(tenant): Known<Tenant>,
    connection: Path<String>,
) -> Result<Json<LookView>, Problem> {
    Ok(Json(site.discovery()?.status(&tenant, &connection).await?))
}

/// The schemas that were found behind a connection.
#[utoipa::path(get, path = "/connections/{connection}/schemas", tag = "discovery",
    params(("connection" = String, Path)), responses((status = 200, body = Schemas)))]
pub(super) async fn schemas(
    site: Site,
    Known(tenant): Known<Tenant>,
    connection: Path<String>,
) -> Result<Json<Schemas>, Problem> {
    let (found, schemas) = site.discovery()?.schemas(&tenant, &connection).await?;
    Ok(Json(Schemas { found_at: found.at, schemas }))
}

/// The tables that were found behind a connection, by schema and name.
#[utoipa::path(get, path = "/connections/{connection}/tables", tag = "discovery",
    params(("connection" = String, Path), Page), responses((status = 200, body = TablePage)))]
pub(super) async fn tables(
    site: Site,
    Known(tenant): Known<Tenant>,
    connection: Path<String>,
    Query(page): Query<Page>,
) -> Result<Json<TablePage>, Problem> {
    let limit = TABLES.of(page.limit);
    let query = TableQuery {
        schema: page.schema.filter(|schema| !schema.is_empty()),
        search: page.search.filter(|search| !search.is_empty()),
        after: page.cursor.as_deref().map(place).transpose()?,
        limit,
    };
    let (found, tables) = site.discovery()?.tables(&tenant, &connection, &query).await?;
    let next = page::next(&tables, limit, cursor);
    Ok(Json(TablePage { found_at: found.at, tables, next }))
}

/// One table with its columns and keys. In the path `/` is written `%2F`.
#[utoipa::path(get, path = "/connections/{connection}/tables/{schema}/{table}", tag = "discovery",
    params(("connection" = String, Path), ("schema" = String, Path), ("table" = String, Path)),
    responses((status = 200, body = TableDetail)))]
pub(super) async fn table(
    site: Site,
    Known(tenant): Known<Tenant>,
    path: Path<(String, String, String)>,
) -> Result<Json<TableDetail>, Problem> {
    let (connection, schema, table) = path.into_inner();
    Ok(Json(site.discovery()?.table(&tenant, &connection, (&schema, &table)).await?))
}

/// The first rows of a table, read by an executor in a transaction that cannot write, within 10 s and 1 MiB.
#[utoipa::path(get, path = "/connections/{connection}/tables/{schema}/{table}/preview", tag = "discovery",
    params(("connection" = String, Path), ("schema" = String, Path), ("table" = String, Path), Rows),
    responses((status = 200, body = RowsView)))]
pub(super) async fn preview(
    site: Site,
    Known(tenant): Known<Tenant>,
    path: Path<(String, String, String)>,
    Query(rows): Query<Rows>,
) -> Result<Json<RowsView>, Problem> {
    let (connection, schema, table) = path.into_inner();
    Ok(Json(site.discovery()?.rows(&tenant, &connection, (&schema, &table), rows.limit).await?))
}

/// Where a page ends.
fn cursor(last: &TableItem) -> String {
    // Two texts are always JSON.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&(&last.schema, &last.name)).unwrap_or_default())
}

fn place(cursor: &str) -> Result<(String, String), Refusal> {
    let read = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.ok_or_else(|| Refusal::wrong("cursor", "`cursor` is the `next` of a page before"))
}
