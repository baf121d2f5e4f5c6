//! `/organizations/{organization}/members` and `/invitations`: who belongs to an organization, and who may come to.

use actix_web::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Site;
use super::body::{Json, Named};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, Caller, Invitation, Invited, Member, Role, Tenant};
use crate::notify;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRole {
    role: Role,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInvitation {
    email: String,
    role: Role,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Acceptance {
    /// That of the invitation.
    secret: String,
}

/// Who belongs to the organization.
#[utoipa::path(get, path = "/organizations/{organization}/members", tag = "members",
    params(("organization" = String, Path)), responses((status = 200, body = [Member])))]
pub(super) async fn list(
    Known(accounts): Known<Accounts>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<Vec<Member>>, Problem> {
    Ok(Json(accounts.members(&tenant).await?))
}

/// Give a member another role, none above one's own.
#[utoipa::path(patch, path = "/organizations/{organization}/members/{person}", tag = "members",
    params(("organization" = String, Path), ("person" = String, Path)), request_body = NewRole,
    responses((status = 200, body = Member)))]
pub(super) async fn change(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(person): Named,
    Json(wish): Json<NewRole>,
) -> Result<Json<Member>, Problem> {
    Ok(Json(accounts.change_role(&caller, &tenant, &person, wish.role).await?))
}

/// Take a member out of the organization.
#[utoipa::path(delete, path = "/organizations/{organization}/members/{person}", tag = "members",
    params(("organization" = String, Path), ("person" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(person): Named,
) -> Result<(), Problem> {
    Ok(accounts.remove_member(&caller, &tenant, &person).await?)
}

/// Leave the organization. Whoever alone owns it cannot.
#[utoipa::path(delete, path = "/organizations/{organization}/members/me", tag = "members",
    params(("organization" = String, Path)), responses((status = 204)))]
pub(super) async fn leave(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
) -> Result<(), Problem> {
    let person = caller.person()?.id.clone();
    Ok(accounts.remove_member(&caller, &tenant, &person).await?)
}

/// Invitations that are open.
#[utoipa::path(get, path = "/organizations/{organization}/invitations", tag = "members",
    params(("organization" = String, Path)), responses((status = 200, body = [Invitation])))]
pub(super) async fn invitations(
    Known(accounts): Known<Accounts>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<Vec<Invitation>>, Problem> {
    Ok(Json(accounts.invitations(&tenant).await?))
}

/// Invite whoever has an address. The link is sent by mail where a mail server is set, and shown this once, to pass on.
#[utoipa::path(post, path = "/organizations/{organization}/invitations", tag = "members",
    params(("organization" = String, Path)), request_body = NewInvitation, responses((status = 201, body = Invited)))]
pub(super) async fn invite(
    site: Site,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<NewInvitation>,
) -> Result<(Json<Invited>, StatusCode), Problem> {
    let mut invited = accounts.invite(&caller, &tenant, &wish.email, wish.role).await?;
    invited.mailed = notify::invite(&site.handle()?.inner.around, &invited, caller.person()?, &tenant);
    Ok((Json(invited), StatusCode::CREATED))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/organizations/{organization}/invitations/{invitation}", tag = "members",
    params(("organization" = String, Path), ("invitation" = String, Path)), responses((status = 204)))]
pub(super) async fn uninvite(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(invitation): Named,
) -> Result<(), Problem> {
    Ok(accounts.uninvite(&caller, &tenant, &invitation).await?)
}

/// Accept an invitation to one's own address.
#[utoipa::path(post, path = "/invitations/accept", tag = "members", request_body = Acceptance,
    responses((status = 204)))]
pub(super) async fn accept(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(acceptance): Json<Acceptance>,
) -> Result<(), Problem> {
    Ok(accounts.accept(&caller, &acceptance.secret).await?)
}
