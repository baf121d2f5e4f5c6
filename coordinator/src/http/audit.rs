//! `/audit`: who changed what.

use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::Site;
use super::body::{Json, Query};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, AuditEntry, Tenant};

/// Entries in one answer, where none are asked for and at most.
const LIMIT: i64 = 50;
const LIMIT_MAX: i64 = 500;

/// Which part of the log.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Entries that are older than the one of this id.
    before: Option<String>,
    /// How many at most: 50 where it is left out, never more than 500.
    limit: Option<i64>,
}

/// What was changed in an organization, newest first.
#[utoipa::path(get, path = "/organizations/{organization}/audit", tag = "audit",
    params(("organization" = String, Path), Page), responses((status = 200, body = [AuditEntry])))]
pub(super) async fn of_organization(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    read(&site, accounts, Some(tenant.organization.id), page).await
}

/// What was changed in the whole installation, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Page), responses((status = 200, body = [AuditEntry])))]
pub(super) async fn of_installation(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    read(&site, accounts, None, page).await
}

async fn read(
    site: &Site,
    accounts: Accounts,
    organization: Option<String>,
    page: Page,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    let limit = page.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let log = site
        .whole(async move { Ok(accounts.audit_log(organization.as_deref(), page.before.as_deref(), limit).await?) });
    Ok(Json(log.await?))
}
