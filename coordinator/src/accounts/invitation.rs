//! Invitations: a link that lets the person of one address into an organization.

use flowetl_proto::run::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::secret::{Secret, hash};
use super::{Accounts, Caller, Change, Invitation, Person, Refusal, Role, Tenant, document, member, text};
use crate::store::Directory;
use crate::{Result, clock};

/// How long an invitation counts.
const LIFE_MS: i64 = 7 * 24 * 3_600_000;

/// Invitations that an organization has open at once: more than anyone reads through.
const OPEN_MAX: usize = 1_000;

/// An invitation that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct Invited {
    #[serde(flatten)]
    pub invitation: Invitation,
    /// Lets the person in who has the address; shown this once.
    pub secret: String,
    /// Where the person signs up or accepts, below this server's address.
    pub link: String,
    /// Whether it is sent by mail, too.
    pub mailed: bool,
}

impl Accounts {
    /// Invitations that are open, newest first.
    pub(crate) async fn invitations(&self, tenant: &Tenant) -> Result<Vec<Invitation>> {
        self.store.directory().await?.invitations(&tenant.organization.id, clock::now()).await
    }

    /// Invites whoever has an address. Nobody gives a role above their own.
    pub(crate) async fn invite(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        email: &str,
        role: Role,
    ) -> Result<Invited, Refusal> {
        let (person, email) = (caller.person()?, text::email(email)?);
        member::below(tenant, role)?;
        let (secret, now) = (Secret::generate("")?, clock::now());
        let invitation = Invitation {
            id: clock::new_id(),
            organization: tenant.organization.id.clone(),
            email,
            role,
            invited_by: person.id.clone(),
            created_at: Timestamp(now),
            expires_at: Timestamp(now + LIFE_MS),
        };
        let mut directory = self.store.change_directory().await?;
        directory.lock_organization(&invitation.organization).await?;
        directory.forget_invitations(&invitation.organization, now).await?;
        if directory.invitations(&invitation.organization, now).await?.len() >= OPEN_MAX {
            return Err(Refusal::Conflict(format!("{OPEN_MAX} invitations are open: take some back")));
        }
        directory.add_invitation(&invitation, &secret.hash).await?;
        let change = Change {
            organization: Some(&invitation.organization),
            action: "invitation.made",
            subject: &invitation.id,
            before: None,
            after: document(&invitation),
        };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        let link = format!("/signup?invitation={}", secret.text);
        Ok(Invited { invitation, secret: secret.text, link, mailed: false })
    }

    /// Takes an invitation back.
    pub(crate) async fn uninvite(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
        let mut directory = self.store.change_directory().await?;
        let removed = directory.remove_invitation(&tenant.organization.id, id).await?;
        let removed = removed.ok_or_else(|| Refusal::NotFound(format!("there is no invitation `{id}`")))?;
        let change = Change {
            organization: Some(&removed.organization),
            action: "invitation.removed",
            subject: id,
            before: document(&removed),
            after: None,
        };
        directory.audit(&caller.entry(change)).await?;
        Ok(directory.commit().await?)
    }

    /// Lets the caller into the organization that an invitation is for.
    pub(crate) async fn accept(&self, caller: &Caller, secret: &str) -> Result<(), Refusal> {
        let mut directory = self.store.change_directory().await?;
        take(&mut directory, caller, caller.person()?, secret, clock::now()).await?;
        Ok(directory.commit().await?)
    }
}

/// Uses an invitation up: the person belongs to its organization from then on.
pub(super) async fn take(
    directory: &mut Directory,
    caller: &Caller,
    person: &Person,
    secret: &str,
    now: i64,
) -> Result<(), Refusal> {
    let unknown = || Refusal::NotFound("this invitation does not count: ask for another one".into());
    let found = directory.invitation(&hash(secret), now).await?.ok_or_else(unknown)?;
    if found.email != person.email {
        return Err(Refusal::Forbidden("this invitation is for another address".into()));
    }
    // Whoever used it up in the meantime was first.
    directory.remove_invitation(&found.organization, &found.id).await?.ok_or_else(unknown)?;
    if !directory.add_member(&found.organization, &person.id, found.role, now).await? {
        return Err(Refusal::Conflict("you belong to this organization already".into()));
    }
    let change = Change {
        organization: Some(&found.organization),
        action: "member.joined",
        subject: &person.id,
        before: document(&found),
        after: document(&found.role),
    };
    Ok(directory.audit(&caller.entry(change)).await?)
}
