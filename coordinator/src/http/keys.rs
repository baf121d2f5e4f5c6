//! `/organizations/{organization}/api-keys`: what programs call with.

use actix_web::http::StatusCode;

use super::body::{Json, Named};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, ApiKey, Caller, NewKey, NewKeyWish, Tenant};

/// One's own keys; for admins, all of the organization.
#[utoipa::path(get, path = "/organizations/{organization}/api-keys", tag = "api-keys",
    params(("organization" = String, Path)), responses((status = 200, body = [ApiKey])))]
pub(super) async fn list(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<Vec<ApiKey>>, Problem> {
    Ok(Json(accounts.api_keys(&caller, &tenant).await?))
}

/// Make a key that acts as oneself, within its scopes; it is shown this once.
#[utoipa::path(post, path = "/organizations/{organization}/api-keys", tag = "api-keys",
    params(("organization" = String, Path)), request_body = NewKeyWish, responses((status = 201, body = NewKey)))]
pub(super) async fn create(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<NewKeyWish>,
) -> Result<(Json<NewKey>, StatusCode), Problem> {
    Ok((Json(accounts.make_key(&caller, &tenant, wish).await?), StatusCode::CREATED))
}

/// End a key: one's own, or for admins anyone's.
#[utoipa::path(delete, path = "/organizations/{organization}/api-keys/{key}", tag = "api-keys",
    params(("organization" = String, Path), ("key" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(key): Named,
) -> Result<(), Problem> {
    Ok(accounts.end_key(&caller, &tenant, &key).await?)
}
