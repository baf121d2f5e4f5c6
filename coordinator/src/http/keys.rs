//! `/organizations/{organization}/api-keys`: what programs call with.

use axum::extract::State;
use axum::http::StatusCode;

use super::Site;
use super::body::{Json, Named};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, ApiKey, Caller, NewKey, NewKeyWish, Tenant};

/// One's own keys; for admins, all of the organization.
#[utoipa::path(get, path = "/organizations/{organization}/api-keys", tag = "api-keys",
    params(("organization" = String, Path)), responses((status = 200, body = [ApiKey])))]
pub(super) async fn list(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<Vec<ApiKey>>, Problem> {
    Ok(Json(site.whole(async move { accounts.api_keys(&caller, &tenant).await }).await?))
}

/// Make a key that acts as oneself, within its scopes; it is shown this once.
#[utoipa::path(post, path = "/organizations/{organization}/api-keys", tag = "api-keys",
    params(("organization" = String, Path)), request_body = NewKeyWish, responses((status = 201, body = NewKey)))]
pub(super) async fn create(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<NewKeyWish>,
) -> Result<(StatusCode, Json<NewKey>), Problem> {
    let made = site.whole(async move { accounts.make_key(&caller, &tenant, wish).await }).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// End a key: one's own, or for admins anyone's.
#[utoipa::path(delete, path = "/organizations/{organization}/api-keys/{key}", tag = "api-keys",
    params(("organization" = String, Path), ("key" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(key): Named,
) -> Result<StatusCode, Problem> {
    site.whole(async move { accounts.end_key(&caller, &tenant, &key).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
