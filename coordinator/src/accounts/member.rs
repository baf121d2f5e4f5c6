//! Who belongs to an organization: changing roles, leaving and removing. Someone always owns it.

use super::{Accounts, Caller, Change, Member, Refusal, Role, Tenant, document};
use crate::Result;
use crate::store::Directory;

impl Accounts {
    pub(crate) async fn members(&self, tenant: &Tenant) -> Result<Vec<Member>> {
        self.store.directory().await?.members(&tenant.organization.id).await
    }

    /// Gives a member another role. Nobody gives or takes a role above their own.
    pub(crate) async fn change_role(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        person: &str,
        role: Role,
    ) -> Result<Member, Refusal> {
        let organization = &tenant.organization.id;
        let mut directory = self.store.change_directory().await?;
        let before = self.settled(&mut directory, tenant, person).await?;
        below(tenant, before.role.max(role))?;
        if before.role == Role::Owner && role != Role::Owner {
            keep_an_owner(&mut directory, organization).await?;
        }
        directory.set_role(organization, person, role).await?;
        let after = Member { role, ..before.clone() };
        let change = Change {
            organization: Some(organization),
            action: "member.changed",
            subject: person,
            before: document(&before),
            after: document(&after),
        };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        Ok(after)
    }

    /// Takes a member out of the organization, and the API keys that act as it.
    pub(crate) async fn remove_member(&self, caller: &Caller, tenant: &Tenant, person: &str) -> Result<(), Refusal> {
        let organization = &tenant.organization.id;
        let mut directory = self.store.change_directory().await?;
        let before = self.settled(&mut directory, tenant, person).await?;
        below(tenant, before.role)?;
        if before.role == Role::Owner {
            keep_an_owner(&mut directory, organization).await?;
        }
        directory.remove_member(organization, person).await?;
        let change = Change {
            organization: Some(organization),
            action: "member.removed",
            subject: person,
            before: document(&before),
            after: None,
        };
        directory.audit(&caller.entry(change)).await?;
        Ok(directory.commit().await?)
    }

    /// A member, whom nobody else changes until the transaction ends.
    async fn settled(&self, directory: &mut Directory, tenant: &Tenant, person: &str) -> Result<Member, Refusal> {
        directory.lock_organization(&tenant.organization.id).await?;
        let member = directory.member(&tenant.organization.id, person).await?;
        member.ok_or_else(|| Refusal::NotFound(format!("there is no member `{person}`")))
    }
}

/// Refuses what concerns a role above the caller's own.
pub(super) fn below(tenant: &Tenant, role: Role) -> Result<(), Refusal> {
    if role <= tenant.role {
        return Ok(());
    }
    let (role, own) = (role.as_str(), tenant.role.as_str());
    Err(Refusal::Forbidden(format!("this concerns the role `{role}`, and yours is `{own}`")))
}

async fn keep_an_owner(directory: &mut Directory, organization: &str) -> Result<(), Refusal> {
    match directory.owners(organization).await? {
        0 | 1 => Err(Refusal::Conflict("someone must own the organization: hand it over first".into())),
        _ => Ok(()),
    }
}
