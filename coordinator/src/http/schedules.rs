//! `/schedules`: when an organization's pipelines and transformations run by themselves.

use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Json, Named, Query};
use super::gate::Known;
use super::page::{self, ITEMS};
use super::problem::Problem;
use crate::accounts::{Caller, Tenant};
use crate::schedule::{Preview, PreviewWish, ScheduleItem, ScheduleWish, Schedules};

/// Which schedules.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only those of the pipeline of this id.
    pipeline: Option<String>,
    /// Only those of the transformation of this id.
    transformation: Option<String>,
    /// Those behind the one of this id: the `next` of the page before.
    after: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// Schedules, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SchedulePage {
    /// Oldest first.
    schedules: Vec<ScheduleItem>,
    /// The `after` of the next page; null where there is none.
    next: Option<String>,
}

impl Site {
    /// Schedules, where it is this process that leads.
    fn schedules(&self) -> Result<Schedules, Problem> {
        Ok(Schedules::new(self.handle()?, self.roster()?))
    }
}

/// The organization's schedules, with their next times and their last runs.
#[utoipa::path(get, path = "/schedules", tag = "schedules", params(Page), responses((status = 200, body = SchedulePage)))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<SchedulePage>, Problem> {
    let limit = ITEMS.of(page.limit);
    let target = page.pipeline.or(page.transformation).unwrap_or_default();
    let schedules = site.schedules()?.list(&tenant, &target, &page.after.unwrap_or_default(), limit).await?;
    let next = page::next(&schedules, limit, |last| last.id.clone());
    Ok(Json(SchedulePage { schedules, next }))
}

/// Make a schedule of a pipeline or of a part of one, or of a transformation, alone or with all that it needs.
#[utoipa::path(post, path = "/schedules", tag = "schedules", request_body = ScheduleWish,
    responses((status = 201, body = ScheduleItem)))]
pub(super) async fn create(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<ScheduleWish>,
) -> Result<(Json<ScheduleItem>, StatusCode), Problem> {
    Ok((Json(site.schedules()?.create(&caller, &tenant, wish).await?), StatusCode::CREATED))
}

/// What a cron line means: in words, and its next five times.
#[utoipa::path(post, path = "/schedules/preview", tag = "schedules", request_body = PreviewWish,
    responses((status = 200, body = Preview)))]
pub(super) async fn preview(site: Site, Json(wish): Json<PreviewWish>) -> Result<Json<Preview>, Problem> {
    site.handle()?;
    Ok(Json(Schedules::preview(&wish)?))
}

/// One schedule.
#[utoipa::path(get, path = "/schedules/{schedule}", tag = "schedules", params(("schedule" = String, Path)),
    responses((status = 200, body = ScheduleItem)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(schedule): Named,
) -> Result<Json<ScheduleItem>, Problem> {
    Ok(Json(site.schedules()?.get(&tenant, &schedule).await?))
}

/// Change, enable or disable a schedule. One that stands in its pipeline's file can only be enabled and disabled.
#[utoipa::path(put, path = "/schedules/{schedule}", tag = "schedules", params(("schedule" = String, Path)),
    request_body = ScheduleWish, responses((status = 200, body = ScheduleItem)))]
pub(super) async fn update(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(schedule): Named,
    Json(wish): Json<ScheduleWish>,
) -> Result<Json<ScheduleItem>, Problem> {
    Ok(Json(site.schedules()?.update(&caller, &tenant, &schedule, wish).await?))
}

/// Remove a schedule.
#[utoipa::path(delete, path = "/schedules/{schedule}", tag = "schedules", params(("schedule" = String, Path)),
    responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(schedule): Named,
) -> Result<(), Problem> {
    Ok(site.schedules()?.remove(&caller, &tenant, &schedule).await?)
}
