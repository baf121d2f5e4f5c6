//! Organizations: making, changing, handing over and ending them.

use flowetl_proto::run::Timestamp;
use serde::Deserialize;
use utoipa::ToSchema;

use super::{Accounts, Caller, Change, Organization, Person, Refusal, Role, Tenant, document, text};
use crate::store::Directory;
use crate::{Result, clock};

/// Slugs that are tried for a name before it takes a number that nobody else has.
const SLUG_TRIES: usize = 20;
/// Far more than executors work on.
const RUNS_AT_ONCE_MAX: i64 = 10_000;

/// What an organization is to be called.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OrganizationWish {
    pub name: Option<String>,
    /// 1 to 50 small letters, digits and `-` between them; made of the name where it is left out.
    pub slug: Option<String>,
    /// Runs that may be under way at once; others wait for their turn. 0 for as many as there are.
    pub runs_at_once: Option<i64>,
}

impl Accounts {
    /// All organizations, for whoever may see them.
    pub(crate) async fn organizations(&self) -> Result<Vec<Organization>> {
        self.store.directory().await?.organizations().await
    }

    /// Makes an organization that the caller owns.
    pub(crate) async fn found(&self, caller: &Caller, wish: OrganizationWish) -> Result<Organization, Refusal> {
        let person = caller.person()?;
        let name = wish.name.ok_or_else(|| Refusal::wrong("name", "an organization has a name"))?;
        let (name, slug) = (text::name(&name)?, wish.slug.as_deref().map(text::slug).transpose()?);
        let runs_at_once = limit(None, wish.runs_at_once)?;
        let mut directory = self.store.change_directory().await?;
        let organization = match slug {
            Some(slug) => {
                let organization = Organization { runs_at_once, ..new(name, slug) };
                if !directory.add_organization(&organization).await? {
                    return Err(taken());
                }
                organization
            }
            None => Organization { runs_at_once, ..make(&mut directory, &name).await? },
        };
        directory.change_organization(&organization).await?;
        own(&mut directory, caller, person, &organization).await?;
        directory.commit().await?;
        Ok(organization)
    }

    /// Changes the name, the slug, how many runs go at once.
    pub(crate) async fn rename(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        wish: OrganizationWish,
    ) -> Result<Organization, Refusal> {
        let before = &tenant.organization;
        let name = wish.name.as_deref().map_or_else(|| Ok(before.name.clone()), text::name)?;
        let slug = wish.slug.as_deref().map_or_else(|| Ok(before.slug.clone()), text::slug)?;
        let runs_at_once = limit(before.runs_at_once, wish.runs_at_once)?;
        let after = Organization { name, slug, runs_at_once, ..before.clone() };
        let mut directory = self.store.change_directory().await?;
        if !directory.change_organization(&after).await? {
            return Err(taken());
        }
        let change = Change {
            organization: Some(&after.id),
            action: "organization.changed",
            subject: &after.id,
            before: document(before),
            after: document(&after),
        };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        Ok(after)
    }

    /// Makes another member the owner, and the caller an admin, if the caller is the owner who hands over.
    pub(crate) async fn hand_over(&self, caller: &Caller, tenant: &Tenant, to: &str) -> Result<(), Refusal> {
        let (person, organization) = (caller.person()?, &tenant.organization.id);
        let mut directory = self.store.change_directory().await?;
        directory.lock_organization(organization).await?;
        let heir = directory.member(organization, to).await?;
        let heir = heir.ok_or_else(|| Refusal::NotFound(format!("there is no member `{to}`")))?;
        directory.set_role(organization, to, Role::Owner).await?;
        if person.id != to {
            directory.set_role(organization, &person.id, Role::Admin).await?;
        }
        let change = Change {
            organization: Some(organization),
            action: "organization.handed_over",
            subject: organization,
            before: document(&person.id),
            after: document(&heir.person),
        };
        directory.audit(&caller.entry(change)).await?;
        Ok(directory.commit().await?)
    }

    /// Ends an organization. The installation's default one stays: runs belong to it that no other owns.
    pub(crate) async fn dissolve(&self, caller: &Caller, tenant: &Tenant) -> Result<(), Refusal> {
        let organization = &tenant.organization;
        let mut directory = self.store.change_directory().await?;
        directory.lock_organization(&organization.id).await?;
        if directory.default_organization().await?.as_deref() == Some(organization.id.as_str()) {
            return Err(Refusal::Conflict("this is the installation's default organization, which stays".into()));
        }
        directory.remove_organization(&organization.id).await?;
        let change = Change {
            organization: Some(&organization.id),
            action: "organization.removed",
            subject: &organization.id,
            before: document(organization),
            after: None,
        };
        directory.audit(&caller.entry(change)).await?;
        Ok(directory.commit().await?)
    }
}

/// An organization of a name, under the first slug of it that is free.
pub(super) async fn make(directory: &mut Directory, name: &str) -> Result<Organization> {
    let slug = text::slug_of(name);
    for number in 1..=SLUG_TRIES {
        let slug = if number == 1 { slug.clone() } else { text::numbered(&slug, &number.to_string()) };
        let organization = new(name.to_owned(), slug);
        if directory.add_organization(&organization).await? {
            return Ok(organization);
        }
    }
    let mut organization = new(name.to_owned(), String::new());
    // The end of an id is random.
    let number: String = organization.id.chars().rev().take(12).collect();
    organization.slug = text::numbered(&slug, &number);
    directory.add_organization(&organization).await?;
    Ok(organization)
}

/// Makes a person the owner of an organization that was just made.
pub(super) async fn own(
    directory: &mut Directory,
    caller: &Caller,
    person: &Person,
    organization: &Organization,
) -> Result<(), Refusal> {
    directory.add_member(&organization.id, &person.id, Role::Owner, clock::now()).await?;
    let change = Change {
        organization: Some(&organization.id),
        action: "organization.made",
        subject: &organization.id,
        before: None,
        after: document(organization),
    };
    Ok(directory.audit(&caller.entry(change)).await?)
}

fn new(name: String, slug: String) -> Organization {
    Organization { id: clock::new_id(), name, slug, runs_at_once: None, created_at: Timestamp(clock::now()) }
}

/// How many runs may go at once, as a wish changes it.
fn limit(before: Option<i64>, wished: Option<i64>) -> Result<Option<i64>, Refusal> {
    match wished {
        None => Ok(before),
        Some(0) => Ok(None),
        Some(most) if (1..=RUNS_AT_ONCE_MAX).contains(&most) => Ok(Some(most)),
        Some(most) => {
            let message = format!("`{most}` is no number of runs from 1 to {RUNS_AT_ONCE_MAX}, or 0 for no limit");
            Err(Refusal::wrong("runs_at_once", message))
        }
    }
}

fn taken() -> Refusal {
    Refusal::Conflict("another organization has this slug".into())
}
