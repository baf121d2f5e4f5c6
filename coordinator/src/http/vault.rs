//! `/vault`: what keeps an organization's secrets, open or locked.

use serde::Deserialize;
use utoipa::ToSchema;

use super::Site;
use super::body::Json;
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Caller, Tenant};
use crate::vault::{NewPassword, VaultStatus};

/// What opens a vault.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Unlocking {
    /// The master password.
    password: String,
}

/// How the organization's vault stands.
#[utoipa::path(get, path = "/vault/status", tag = "vault", responses((status = 200, body = VaultStatus)))]
pub(super) async fn status(site: Site, Known(tenant): Known<Tenant>) -> Result<Json<VaultStatus>, Problem> {
    Ok(Json(site.handle()?.vault().status(&tenant.organization.id).await?))
}

/// Open it by its master password: runs that wait for that go on.
#[utoipa::path(post, path = "/vault/unlock", tag = "vault", request_body = Unlocking,
    responses((status = 200, body = VaultStatus)))]
pub(super) async fn unlock(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<Unlocking>,
) -> Result<Json<VaultStatus>, Problem> {
    Ok(Json(site.handle()?.vault().unlock(&caller, &tenant, wish.password).await?))
}

/// Forget its key until somebody unlocks it: runs wait, and those under way keep what they were given.
#[utoipa::path(post, path = "/vault/lock", tag = "vault", responses((status = 200, body = VaultStatus)))]
pub(super) async fn lock(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<VaultStatus>, Problem> {
    Ok(Json(site.handle()?.vault().lock(&caller, &tenant).await?))
}

/// Give it a master password, or another one. What is sealed stays as it is.
#[utoipa::path(put, path = "/vault/password", tag = "vault", request_body = NewPassword,
    responses((status = 200, body = VaultStatus)))]
pub(super) async fn set_password(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<NewPassword>,
) -> Result<Json<VaultStatus>, Problem> {
    Ok(Json(site.handle()?.vault().set_password(&caller, &tenant, wish).await?))
}
