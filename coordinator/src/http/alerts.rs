//! `/alerts`: who is told when a pipeline fails or stands still, and what they were told.

use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Json, Named, Query};
use super::gate::Known;
use super::page::{self, ITEMS};
use super::problem::Problem;
use crate::accounts::{Caller, Tenant};
use crate::notify::{DeliveryItem, DeliveryQuery, DeliveryState, Desk, DestinationItem, DestinationWish, Made};

/// Which deliveries.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only those to the destination of this id.
    destination: Option<String>,
    /// Only those that stand there: `waiting`, `delivered` or `given_up`.
    state: Option<DeliveryState>,
    /// Those older than the one of this id: the `next` of the page before.
    before: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// Deliveries, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryPage {
    /// Newest first.
    deliveries: Vec<DeliveryItem>,
    /// The `before` of the next page; null where there is none.
    next: Option<String>,
}

impl Site {
    /// Destinations of alerts, where it is this process that leads.
    fn desk(&self) -> Result<Desk, Problem> {
        Ok(Desk::new(self.handle()?))
    }
}

/// The organization's destinations, by name.
#[utoipa::path(get, path = "/alerts/destinations", tag = "alerts",
    responses((status = 200, body = [DestinationItem])))]
pub(super) async fn list(site: Site, Known(tenant): Known<Tenant>) -> Result<Json<Vec<DestinationItem>>, Problem> {
    Ok(Json(site.desk()?.list(&tenant).await?))
}

/// Make a destination: a webhook, Slack's incoming webhook, or addresses for mail.
#[utoipa::path(post, path = "/alerts/destinations", tag = "alerts", request_body = DestinationWish,
    responses((status = 201, body = Made)))]
pub(super) async fn create(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<DestinationWish>,
) -> Result<(Json<Made>, StatusCode), Problem> {
    Ok((Json(site.desk()?.create(&caller, &tenant, wish).await?), StatusCode::CREATED))
}

/// One destination.
#[utoipa::path(get, path = "/alerts/destinations/{destination}", tag = "alerts",
    params(("destination" = String, Path)), responses((status = 200, body = DestinationItem)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
) -> Result<Json<DestinationItem>, Problem> {
    Ok(Json(site.desk()?.get(&tenant, &id).await?))
}

/// Change what is sent; the rest stays, secrets too.
#[utoipa::path(put, path = "/alerts/destinations/{destination}", tag = "alerts",
    params(("destination" = String, Path)), request_body = DestinationWish,
    responses((status = 200, body = DestinationItem)))]
pub(super) async fn change(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
    Json(wish): Json<DestinationWish>,
) -> Result<Json<DestinationItem>, Problem> {
    Ok(Json(site.desk()?.change(&caller, &tenant, &id, wish).await?))
}

/// Remove a destination, with all that is and was on its way to it.
#[utoipa::path(delete, path = "/alerts/destinations/{destination}", tag = "alerts",
    params(("destination" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
) -> Result<(), Problem> {
    Ok(site.desk()?.remove(&caller, &tenant, &id).await?)
}

/// Send a test, once and now: what came of it is the answer.
#[utoipa::path(post, path = "/alerts/destinations/{destination}/test", tag = "alerts",
    params(("destination" = String, Path)), responses((status = 200, body = DeliveryItem)))]
pub(super) async fn test(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
) -> Result<Json<DeliveryItem>, Problem> {
    Ok(Json(site.desk()?.test(&caller, &tenant, &id).await?))
}

/// What is and was on its way to destinations, newest first.
#[utoipa::path(get, path = "/alerts/deliveries", tag = "alerts", params(Page),
    responses((status = 200, body = DeliveryPage)))]
pub(super) async fn deliveries(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<DeliveryPage>, Problem> {
    let limit = ITEMS.of(page.limit);
    let query = DeliveryQuery {
        organization: tenant.organization.id,
        destination: page.destination.unwrap_or_default(),
        state: page.state,
        before: page.before.unwrap_or_default(),
        limit,
    };
    let deliveries = site.desk()?.deliveries(&query).await?;
    let next = page::next(&deliveries, limit, |last| last.id.clone());
    Ok(Json(DeliveryPage { deliveries, next }))
}

/// One delivery, with what its last try was answered with.
#[utoipa::path(get, path = "/alerts/deliveries/{delivery}", tag = "alerts", params(("delivery" = String, Path)),
    responses((status = 200, body = DeliveryItem)))]
pub(super) async fn delivery(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
) -> Result<Json<DeliveryItem>, Problem> {
    Ok(Json(site.desk()?.delivery(&tenant, &id).await?))
}

/// Try a delivery again from the beginning, under its id.
#[utoipa::path(post, path = "/alerts/deliveries/{delivery}/redeliver", tag = "alerts",
    params(("delivery" = String, Path)), responses((status = 200, body = DeliveryItem)))]
pub(super) async fn redeliver(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(id): Named,
) -> Result<Json<DeliveryItem>, Problem> {
    Ok(Json(site.desk()?.redeliver(&caller, &tenant, &id).await?))
}
