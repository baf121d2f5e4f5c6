//! `/auth`: signing up, in and out, and who one is.

use actix_web::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::body::{Form, Json};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, Caller, Membership, Person, Registration, Tokens};

/// The form of OAuth2's password flow; what else it may have does not count here.
#[derive(Deserialize, ToSchema)]
pub(super) struct SignIn {
    /// The e-mail address.
    username: String,
    #[schema(format = Password)]
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Refresh {
    refresh_token: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewPassword {
    #[schema(format = Password)]
    old: String,
    /// At least 8 characters.
    #[schema(format = Password)]
    new: String,
}

/// Who calls.
#[derive(Serialize, ToSchema)]
pub(super) struct Me {
    #[serde(flatten)]
    person: Person,
    memberships: Vec<Membership>,
}

/// Make an account, with an organization of one's own or in that of an invitation.
#[utoipa::path(post, path = "/auth/register", tag = "auth", request_body = Registration,
    responses((status = 201, body = Tokens)))]
pub(super) async fn register(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(wish): Json<Registration>,
) -> Result<(Json<Tokens>, StatusCode), Problem> {
    Ok((Json(accounts.register(wish, caller.address).await?), StatusCode::CREATED))
}

/// Sign in.
#[utoipa::path(post, path = "/auth/login", tag = "auth",
    request_body(content = SignIn, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Tokens)))]
pub(super) async fn login(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Form(form): Form<SignIn>,
) -> Result<Json<Tokens>, Problem> {
    let SignIn { username, password } = form;
    Ok(Json(accounts.sign_in(&username, password, caller.address).await?))
}

/// Exchange a refresh token for new tokens; each counts once.
#[utoipa::path(post, path = "/auth/refresh", tag = "auth", request_body = Refresh,
    responses((status = 200, body = Tokens)))]
pub(super) async fn refresh(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(shown): Json<Refresh>,
) -> Result<Json<Tokens>, Problem> {
    Ok(Json(accounts.refresh(&shown.refresh_token, caller.address).await?))
}

/// Sign out: no token of this session counts any more.
#[utoipa::path(post, path = "/auth/logout", tag = "auth", responses((status = 204)))]
pub(super) async fn logout(Known(accounts): Known<Accounts>, Known(caller): Known<Caller>) -> Result<(), Problem> {
    Ok(accounts.sign_out(&caller).await?)
}

/// Change one's password; all one's other sessions end.
#[utoipa::path(post, path = "/auth/password", tag = "auth", request_body = NewPassword, responses((status = 204)))]
pub(super) async fn change_password(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(wish): Json<NewPassword>,
) -> Result<(), Problem> {
    Ok(accounts.change_password(&caller, wish.old, wish.new).await?)
}

/// Who calls, and where they belong.
#[utoipa::path(get, path = "/auth/me", tag = "auth", responses((status = 200, body = Me)))]
pub(super) async fn me(Known(accounts): Known<Accounts>, Known(caller): Known<Caller>) -> Result<Json<Me>, Problem> {
    Ok(Json(Me { person: caller.person()?.clone(), memberships: accounts.memberships(&caller).await? }))
}
