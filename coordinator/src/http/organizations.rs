//! `/organizations`: an installation's organizations, their profile, handing over and end.

use actix_web::http::StatusCode;
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
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
) -> Result<Json<Vec<Membership>>, Problem> {
    // Nobody: without authentication whoever is here owns them all, the default one first.
    let (mut memberships, is_of_all) = match &caller.person {
        Some(person) => (accounts.memberships(&caller).await?, person.super_admin),
        None => {
            let Tenant { organization, role } = accounts.open_tenant(None).await?;
            (vec![Membership { organization, role }], true)
        }
    };
    if is_of_all {
        let mut others = accounts.organizations().await?;
        others.retain(|other| memberships.iter().all(|membership| membership.organization.id != other.id));
        let own = |organization| Membership { organization, role: Role::Owner };
        memberships.extend(others.into_iter().map(own));
    }
    Ok(Json(memberships))
}

/// Make an organization that one owns.
#[utoipa::path(post, path = "/organizations", tag = "organizations", request_body = OrganizationWish,
    responses((status = 201, body = Organization)))]
pub(super) async fn create(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Json(wish): Json<OrganizationWish>,
) -> Result<(Json<Organization>, StatusCode), Problem> {
    Ok((Json(accounts.found(&caller, wish).await?), StatusCode::CREATED))
}

/// One organization, by its id or slug.
#[utoipa::path(get, path = "/organizations/{organization}", tag = "organizations", params(("organization" = String, Path)),
    responses((status = 200, body = Membership)))]
pub(super) async fn get(Known(tenant): Known<Tenant>) -> Json<Membership> {
    Json(Membership { organization: tenant.organization, role: tenant.role })
}

/// Change the name, the slug, how many runs go at once.
#[utoipa::path(patch, path = "/organizations/{organization}", tag = "organizations",
    params(("organization" = String, Path)), request_body = OrganizationWish, responses((status = 200, body = Organization)))]
pub(super) async fn change(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    site: Site,
    Json(wish): Json<OrganizationWish>,
) -> Result<Json<Organization>, Problem> {
    let organization = accounts.rename(&caller, &tenant, wish).await?;
    // Where another process decides about runs it reads the limit when the next one is asked for.
    if let Ok(handle) = site.handle() {
        let limit = organization.runs_at_once.and_then(|limit| usize::try_from(limit).ok());
        handle.turns().limit(&organization.id, limit);
    }
    Ok(Json(organization))
}

/// Hand the organization over to another member.
#[utoipa::path(post, path = "/organizations/{organization}/transfer", tag = "organizations",
    params(("organization" = String, Path)), request_body = Heir, responses((status = 204)))]
pub(super) async fn transfer(
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(heir): Json<Heir>,
) -> Result<(), Problem> {
    Ok(accounts.hand_over(&caller, &tenant, &heir.person).await?)
}

/// End an organization, and all that belongs to it: its schemas in the built-in warehouse are dropped with every table in them.
#[utoipa::path(delete, path = "/organizations/{organization}", tag = "organizations",
    params(("organization" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(accounts): Known<Accounts>,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
) -> Result<(), Problem> {
    accounts.dissolve(&caller, &tenant).await?;
    site.forget_files(&tenant.organization.id).await
}
