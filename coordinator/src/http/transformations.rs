//! `/transformations`: SQL that is kept by name, and the tables that it may read.

use actix_web::http::StatusCode;
use actix_web::http::header::ETAG;
use actix_web::{HttpRequest, HttpResponse, Responder, body};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{IfMatch, Json, Named, Optional, Query};
use super::gate::Known;
use super::page::{self, ITEMS};
use super::pipelines::Export;
use super::problem::Problem;
use super::runs::RunItem;
use crate::accounts::{Caller, Tenant};
use crate::discovery::RowsView;
use crate::transformations::{
    CompileWish, CompiledSql, SourceItem, Sources, TransformationItem, TransformationPreviewWish,
    TransformationRunWish, TransformationWish, Transformations,
};

/// Which transformations.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only the one of this name.
    name: Option<String>,
    /// Those behind the one of this name: the `next` of the page before.
    after: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// Transformations, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TransformationPage {
    /// By name.
    transformations: Vec<TransformationItem>,
    /// The `after` of the next page; null where there is none.
    next: Option<String>,
}

/// What is made before.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Upstream {
    /// Whether those that it refers to are made first, and those that they refer to before them.
    #[serde(default)]
    upstream: bool,
}

/// A transformation, with its revision for `If-Match`.
pub(super) struct Tagged(TransformationItem, StatusCode);

impl Responder for Tagged {
    type Body = body::BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let tag = format!("\"{}\"", self.0.revision);
        HttpResponse::build(self.1).insert_header((ETAG, tag)).json(self.0)
    }
}

/// Which sources.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct SourceQuery {
    /// Those behind the one of this id: the `next` of the page before.
    after: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// Sources, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SourcePage {
    /// In the order in which they were loaded first.
    sources: Vec<SourceItem>,
    /// The `after` of the next page; null where there is none.
    next: Option<String>,
}

impl Site {
    /// What transformations read, where it is this process that leads.
    fn sources(&self) -> Result<Sources, Problem> {
        Ok(Sources::new(self.handle()?.store()))
    }

    /// Transformations, where it is this process that leads.
    pub(super) fn transformations(&self) -> Result<Transformations, Problem> {
        Ok(Transformations::new(self.handle()?, self.roster()?))
    }
}

/// The organization's transformations.
#[utoipa::path(get, path = "/transformations", tag = "transformations", params(Page),
    responses((status = 200, body = TransformationPage)))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<TransformationPage>, Problem> {
    let limit = ITEMS.of(page.limit);
    let wanted = (page.name.as_deref().unwrap_or_default(), page.after.as_deref().unwrap_or_default());
    let count = usize::try_from(limit).unwrap_or_default();
    let transformations = site.transformations()?.list(&tenant, wanted, count).await?;
    let next = page::next(&transformations, limit, |last| last.name.clone());
    Ok(Json(TransformationPage { transformations, next }))
}

/// Make a transformation. What its SQL refers to must be there, and nothing may need itself.
#[utoipa::path(post, path = "/transformations", tag = "transformations", request_body = TransformationWish,
    responses((status = 201, body = TransformationItem)))]
pub(super) async fn create(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<TransformationWish>,
) -> Result<Tagged, Problem> {
    Ok(Tagged(site.transformations()?.create(&caller, &tenant, wish).await?, StatusCode::CREATED))
}

/// One transformation.
#[utoipa::path(get, path = "/transformations/{transformation}", tag = "transformations",
    params(("transformation" = String, Path)), responses((status = 200, body = TransformationItem)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(transformation): Named,
) -> Result<Tagged, Problem> {
    Ok(Tagged(site.transformations()?.get(&tenant, &transformation).await?, StatusCode::OK))
}

/// Change what is sent; the rest stays. With `If-Match` only while nobody else has changed it.
#[utoipa::path(put, path = "/transformations/{transformation}", tag = "transformations",
    params(("transformation" = String, Path), ("if-match" = Option<String>, Header)),
    request_body = TransformationWish, responses((status = 200, body = TransformationItem)))]
pub(super) async fn update(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(transformation): Named,
    IfMatch(revision): IfMatch,
    Json(wish): Json<TransformationWish>,
) -> Result<Tagged, Problem> {
    let changed = site.transformations()?.update(&caller, &tenant, (&transformation, revision), wish).await?;
    Ok(Tagged(changed, StatusCode::OK))
}

/// Remove a transformation that no other refers to. Its table or view stays.
#[utoipa::path(delete, path = "/transformations/{transformation}", tag = "transformations",
    params(("transformation" = String, Path), ("if-match" = Option<String>, Header)), responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(transformation): Named,
    IfMatch(revision): IfMatch,
) -> Result<(), Problem> {
    Ok(site.transformations()?.remove(&caller, &tenant, (&transformation, revision)).await?)
}

/// The SQL as the database gets it, of what is kept or of what is sent in its place. The database is asked whether it
/// understands it; nothing is made.
#[utoipa::path(post, path = "/transformations/{transformation}/compile", tag = "transformations",
    params(("transformation" = String, Path)), request_body(content = Option<CompileWish>),
    responses((status = 200, body = CompiledSql)))]
pub(super) async fn compile(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(transformation): Named,
    Optional(wish): Optional<CompileWish>,
) -> Result<Json<CompiledSql>, Problem> {
    Ok(Json(site.transformations()?.compile(&tenant, &transformation, wish).await?))
}

/// The first rows that its SQL gives now, of what is kept or of what is sent in its place. What it refers to is read as it is;
/// nothing is made.
#[utoipa::path(post, path = "/transformations/{transformation}/preview", tag = "transformations",
    params(("transformation" = String, Path)), request_body(content = Option<TransformationPreviewWish>),
    responses((status = 200, body = RowsView)))]
pub(super) async fn preview(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(transformation): Named,
    Optional(wish): Optional<TransformationPreviewWish>,
) -> Result<Json<RowsView>, Problem> {
    Ok(Json(site.transformations()?.preview(&tenant, &transformation, wish).await?))
}

/// Begin a run that makes its table or view, and tests it.
#[utoipa::path(post, path = "/transformations/{transformation}/run", tag = "transformations",
    params(("transformation" = String, Path), Upstream), request_body(content = Option<TransformationRunWish>),
    responses((status = 202, body = RunItem)))]
pub(super) async fn run(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(transformation): Named,
    Query(upstream): Query<Upstream>,
    Optional(wish): Optional<TransformationRunWish>,
) -> Result<(Json<RunItem>, StatusCode), Problem> {
    let what = (transformation.as_str(), upstream.upstream);
    let run = site.transformations()?.run(&caller, &tenant, what, wish).await?;
    Ok((Json(run.into()), StatusCode::ACCEPTED))
}

/// The tables that pipelines have loaded, which transformations may read.
#[utoipa::path(get, path = "/transformations/sources", tag = "transformations", params(SourceQuery),
    responses((status = 200, body = SourcePage)))]
pub(super) async fn sources(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<SourceQuery>,
) -> Result<Json<SourcePage>, Problem> {
    let limit = ITEMS.of(page.limit);
    let sources = site.sources()?.list(&tenant, &page.after.unwrap_or_default(), limit).await?;
    let next = page::next(&sources, limit, |last| last.id.clone());
    Ok(Json(SourcePage { sources, next }))
}

/// The same as dbt's `sources.yml`, all of them.
#[utoipa::path(get, path = "/transformations/sources.yml", tag = "transformations",
    responses((status = 200, body = serde_json::Value, content_type = "application/yaml")))]
pub(super) async fn sources_file(site: Site, Known(tenant): Known<Tenant>) -> Result<Export, Problem> {
    Ok(Export { name: "sources".to_owned(), text: site.sources()?.file(&tenant).await? })
}
