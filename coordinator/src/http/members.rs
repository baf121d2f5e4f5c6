//! `/organizations/{organization}/members` and `/invitations`: who belongs to an organization, and who may come to.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Site;
use super::body::{Json, Named};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, Caller, Invitation, Invited, Member, Role, Tenant};

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
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<Vec<Member>>, Problem> {
    Ok(Json(site.whole(async move { Ok(accounts.members(&tenant).await?) }).await?))
}

/// Give a member another role, none above one's own.
#[utoipa::path(patch, path = "/organizations/{organization}/members/{person}", tag = "members",
    params(("organization" = String, Path), ("person" = String, Path)), request_body = NewRole,
    responses((status = 200, body = Member)))]
pub(super) async fn change(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(person): Named,
    Json(wish): Json<NewRole>,
) -> Result<Json<Member>, Problem> {
    let changed = site.whole(async move { accounts.change_role(&caller, &tenant, &person, wish.role).await });
    Ok(Json(changed.await?))
}

/// Take a member out of the organization.
#[utoipa::path(delete, path = "/organizations/{organization}/members/{person}", tag = "members",
    params(("organization" = String, Path), ("person" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(person): Named,
) -> Result<StatusCode, Problem> {
    site.whole(async move { accounts.remove_member(&caller, &tenant, &person).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Invitations that are open.
#[utoipa::path(get, path = "/organizations/{organization}/invitations", tag = "members",
    params(("organization" = String, Path)), responses((status = 200, body = [Invitation])))]
pub(super) async fn invitations(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(tenant): Known<Tenant>,
) -> Result<Json<Vec<Invitation>>, Problem> {
    Ok(Json(site.whole(async move { Ok(accounts.invitations(&tenant).await?) }).await?))
}

/// Invite whoever has an address; the link is shown this once, for one to pass on.
#[utoipa::path(post, path = "/organizations/{organization}/invitations", tag = "members",
    params(("organization" = String, Path)), request_body = NewInvitation, responses((status = 201, body = Invited)))]
pub(super) async fn invite(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<NewInvitation>,
) -> Result<(StatusCode, Json<Invited>), Problem> {
    let made = site.whole(async move { accounts.invite(&caller, &tenant, &wish.email, wish.role).await });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Take an invitation back.
#[utoipa::path(delete, path = "/organizations/{organization}/invitations/{invitation}", tag = "members",
    params(("organization" = String, Path), ("invitation" = String, Path)), responses((status = 204)))]
pub(super) async fn uninvite(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Named(invitation): Named,
) -> Result<StatusCode, Problem> {
    site.whole(async move { accounts.uninvite(&caller, &tenant, &invitation).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Accept an invitation to one's own address.
#[utoipa::path(post, path = "/invitations/accept", tag = "members", request_body = Acceptance,
    responses((status = 204)))]
pub(super) async fn accept(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(acceptance): Json<Acceptance>,
) -> Result<StatusCode, Problem> {
    site.whole(async move { accounts.accept(&caller, &acceptance.secret).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
