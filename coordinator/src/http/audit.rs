//! `/audit`: who changed what.

use serde::Deserialize;
use utoipa::IntoParams;

use super::body::{Json, Query};
use super::gate::Known;
use super::page::ITEMS;
use super::problem::Problem;
use crate::accounts::{Accounts, AuditEntry, Tenant};

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
    Known(accounts): Known<Accounts>,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    read(&accounts, Some(&tenant.organization.id), page).await
}

/// What was changed in the whole installation, newest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(Page), responses((status = 200, body = [AuditEntry])))]
pub(super) async fn of_installation(
    Known(accounts): Known<Accounts>,
    Query(page): Query<Page>,
) -> Result<Json<Vec<AuditEntry>>, Problem> {
    read(&accounts, None, page).await
}

async fn read(accounts: &Accounts, organization: Option<&str>, page: Page) -> Result<Json<Vec<AuditEntry>>, Problem> {
    let limit = ITEMS.of(page.limit);
    Ok(Json(accounts.audit_log(organization, page.before.as_deref(), limit).await?))
}
