//! `/organizations`: an installation's organizations, their profile, handing over and end.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use super::Site;
use super::body::Json;
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, Caller, Membership, Organization, OrganizationWish, Role, Tenant};

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Heir {
    /// The id of a member.
    person: String,
}

/// The organizations that one belongs to; for super admins, all there are.
#[utoipa::path(get, path = "/organizations", tag = "organizations", responses((status = 200, body = [Membership])))]
pub(super) async fn list(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
) -> Result<Json<Vec<Membership>>, Problem> {
    let memberships = site.whole(async move {
        let mut memberships = accounts.memberships(&caller).await?;
        if caller.person()?.super_admin {
            let mut others = accounts.organizations().await?;
            others.retain(|other| memberships.iter().all(|membership| membership.organization.id != other.id));
            let own = |organization| Membership { organization, role: Role::Owner };
            memberships.extend(others.into_iter().map(own));
        }
        Ok(memberships)
    });
    Ok(Json(memberships.await?))
}

/// Make an organization that one owns.
#[utoipa::path(post, path = "/organizations", tag = "organizations", request_body = OrganizationWish,
    responses((status = 201, body = Organization)))]
pub(super) async fn create(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(wish): Json<OrganizationWish>,
) -> Result<(StatusCode, Json<Organization>), Problem> {
    let made = site.whole(async move { accounts.found(&caller, wish).await }).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// One organization, by its id or slug.
#[utoipa::path(get, path = "/organizations/{organization}", tag = "organizations", params(("organization" = String, Path)),
    responses((status = 200, body = Membership)))]
pub(super) async fn get(Known(tenant): Known<Tenant>) -> Json<Membership> {
    Json(Membership { organization: tenant.organization, role: tenant.role })
}

/// Change the name or the slug.
#[utoipa::path(patch, path = "/organizations/{organization}", tag = "organizations",
    params(("organization" = String, Path)), request_body = OrganizationWish, responses((status = 200, body = Organization)))]
pub(super) async fn change(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<OrganizationWish>,
) -> Result<Json<Organization>, Problem> {
    Ok(Json(site.whole(async move { accounts.rename(&caller, &tenant, wish).await }).await?))
}

/// Hand the organization over to another member.
#[utoipa::path(post, path = "/organizations/{organization}/transfer", tag = "organizations",
    params(("organization" = String, Path)), request_body = Heir, responses((status = 204)))]
pub(super) async fn transfer(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(heir): Json<Heir>,
) -> Result<StatusCode, Problem> {
    site.whole(async move { accounts.hand_over(&caller, &tenant, &heir.person).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// End an organization, and all that belongs to it.
#[utoipa::path(delete, path = "/organizations/{organization}", tag = "organizations",
    params(("organization" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    State(site): State<Site>,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
) -> Result<StatusCode, Problem> {
    site.whole(async move { accounts.dissolve(&caller, &tenant).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
