//! `/pipelines/.../preview` and `/state`: rows of a pipeline's blocks, and what it remembers between runs.

use actix_web::web::Path;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Json, Named, Query};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Caller, Tenant};
use crate::discovery::RowsView;
use crate::pipelines::{PreviewFile, StateItem};

/// Which rows.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct PreviewQuery {
    /// The name of the block.
    block: String,
    /// How many: 100 where it is left out, never more than 1000.
    limit: Option<usize>,
}

/// From where on to read.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StateWish {
    /// As the state shows it: what is greater is read.
    value: String,
}

/// The first rows of a block of a file, computed from its sources. Nothing is written anywhere; a `load` shows what it would
/// write.
#[utoipa::path(post, path = "/pipelines/preview", tag = "pipelines", request_body = PreviewFile,
    responses((status = 200, body = RowsView)))]
pub(super) async fn preview_file(
    site: Site,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<PreviewFile>,
) -> Result<Json<RowsView>, Problem> {
    Ok(Json(site.pipelines()?.preview_file(&tenant, wish).await?))
}

/// The first rows of a block of a pipeline as it is now.
#[utoipa::path(get, path = "/pipelines/{pipeline}/preview", tag = "pipelines",
    params(("pipeline" = String, Path), PreviewQuery), responses((status = 200, body = RowsView)))]
pub(super) async fn preview(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
    Query(wish): Query<PreviewQuery>,
) -> Result<Json<RowsView>, Problem> {
    Ok(Json(site.pipelines()?.preview(&tenant, &pipeline, &wish.block, wish.limit).await?))
}

/// Where the next incremental read of each block starts.
#[utoipa::path(get, path = "/pipelines/{pipeline}/state", tag = "pipelines", params(("pipeline" = String, Path)),
    responses((status = 200, body = [StateItem])))]
pub(super) async fn state(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(pipeline): Named,
) -> Result<Json<Vec<StateItem>>, Problem> {
    Ok(Json(site.pipelines()?.state(&tenant, &pipeline).await?))
}

/// Set where the next incremental read of a block starts. Refused while the pipeline runs.
#[utoipa::path(put, path = "/pipelines/{pipeline}/state/{block}", tag = "pipelines",
    params(("pipeline" = String, Path), ("block" = String, Path)), request_body = StateWish,
    responses((status = 200, body = [StateItem])))]
pub(super) async fn set_state(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    path: Path<(String, String)>,
    Json(wish): Json<StateWish>,
) -> Result<Json<Vec<StateItem>>, Problem> {
    let (pipeline, block) = path.into_inner();
    Ok(Json(site.pipelines()?.set_state(&caller, &tenant, (&pipeline, &block), Some(wish.value)).await?))
}

/// Forget how far a block has read: its next read starts from the beginning. Refused while the pipeline runs.
#[utoipa::path(delete, path = "/pipelines/{pipeline}/state/{block}", tag = "pipelines",
    params(("pipeline" = String, Path), ("block" = String, Path)), responses((status = 200, body = [StateItem])))]
pub(super) async fn reset_state(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    path: Path<(String, String)>,
) -> Result<Json<Vec<StateItem>>, Problem> {
    let (pipeline, block) = path.into_inner();
    Ok(Json(site.pipelines()?.set_state(&caller, &tenant, (&pipeline, &block), None).await?))
}
