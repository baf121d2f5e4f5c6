//! Who opens and locks a vault: an organization's owners. Its secrets are theirs, so that the master password is, too; whoever
//! runs the installation has its key, and as super admin an owner's rights.

use std::sync::PoisonError;

use flowetl_proto::pipeline::Secret;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::wrap::ITERATIONS;
use super::{Fault, Key, Vault, Wrap};
use crate::accounts::{Caller, Change, Refusal, Tenant, text};
use crate::{Error, Result, clock};

/// How a vault stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct VaultStatus {
    /// Whether it takes the master password before a connection can be tested or a run begin.
    pub locked: bool,
    /// Whether there is a vault: the first secret makes it.
    pub exists: bool,
    /// Whether a key of the installation opens it, so that it is open after every start.
    pub key: bool,
    /// Whether a master password opens it.
    pub password: bool,
    /// How often that is hashed.
    pub iterations: Option<u32>,
}

/// A master password that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewMasterPassword)]
pub(crate) struct NewPassword {
    /// The one that counts so far, where there is one.
    pub current: Option<String>,
    pub password: String,
    /// Whether it alone opens the vault from now on: it is locked after every start then, and the secrets are lost with the
    /// password.
    #[serde(default)]
    pub only: bool,
}

impl Vault {
    pub(crate) async fn status(&self, organization: &str) -> Result<VaultStatus, Refusal> {
        let wraps = self.wraps(organization).await?;
        let iterations = wraps.iter().find_map(|wrap| match wrap {
            Wrap::Password { iterations, .. } => Some(*iterations),
            Wrap::Key { .. } => None,
        });
        Ok(VaultStatus {
            locked: match self.is_locked(organization).await {
                // Nobody's password helps, but nothing can be opened either.
                Err(Error::Vault(Fault::OtherKey)) => true,
                locked => locked?,
            },
            exists: !wraps.is_empty(),
            key: wraps.iter().any(|wrap| matches!(wrap, Wrap::Key { .. })),
            password: iterations.is_some(),
            iterations,
        })
    }

    /// Opens a vault by its master password.
    pub(crate) async fn unlock(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        password: String,
    ) -> Result<VaultStatus, Refusal> {
        let organization = &tenant.organization.id;
        let wraps = self.wraps(organization).await?;
        if !wraps.iter().any(|wrap| matches!(wrap, Wrap::Password { .. })) {
            return Err(Error::from(Fault::NoPassword).into());
        }
        let key = self.guess(caller, organization, wraps, Secret::new(password)).await?;
        self.write(caller, tenant, "vault.unlocked").await?;
        self.remember(organization, key);
        self.status(organization).await
    }

    /// Forgets a vault's key until somebody unlocks it. Attempts of runs that are under way keep what they were given.
    pub(crate) async fn lock(&self, caller: &Caller, tenant: &Tenant) -> Result<VaultStatus, Refusal> {
        let organization = &tenant.organization.id;
        if !self.wraps(organization).await?.iter().any(|wrap| matches!(wrap, Wrap::Password { .. })) {
            return Err(Error::from(Fault::NoPassword).into());
        }
        self.write(caller, tenant, "vault.locked").await?;
        self.forget(organization);
        self.status(organization).await
    }

    /// Gives a vault a master password, or another one. Only the wraps change: what is sealed stays as it is.
    pub(crate) async fn set_password(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        new: NewPassword,
    ) -> Result<VaultStatus, Refusal> {
        let organization = &tenant.organization.id;
        let NewPassword { current, password, only } = new;
        let (current, password) = (current.map(Secret::new), Secret::new(password));
        text::password(password.reveal())?;
        let wraps = self.wraps(organization).await?;
        let has_password = wraps.iter().any(|wrap| matches!(wrap, Wrap::Password { .. }));
        let key = match (has_password, current) {
            (true, Some(current)) => self.guess(caller, organization, wraps.clone(), current).await?,
            (true, None) => return Err(Refusal::wrong("current", "say the master password that counts so far")),
            (false, _) => match self.key(organization).await? {
                Some(key) => key,
                None => Key::generate()?,
            },
        };
        let own = key.clone();
        let by_password = self.away(move || Wrap::by_password(&own, &password, ITERATIONS)).await?;
        let by_key = if only { None } else { self.inner.keyring.first()? };
        let by_key = by_key.map(|by| Wrap::by_key(&key, &by)).transpose()?;
        let mut directory = self.store().change_directory().await?;
        directory.lock_organization(organization).await?;
        // Made of what was read: nobody else may have changed it since.
        if directory.wraps(organization).await? != wraps {
            return Err(Refusal::Conflict("somebody else has changed the vault meanwhile: try again".into()));
        }
        let now = clock::now();
        directory.put_wrap(organization, &by_password, now).await?;
        match by_key {
            Some(wrap) => directory.put_wrap(organization, &wrap, now).await?,
            None if only => directory.remove_key_wrap(organization).await?,
            None => {}
        }
        directory.audit(&caller.entry(change(tenant, "vault.password_set"))).await?;
        directory.commit().await?;
        self.remember(organization, key);
        self.status(organization).await
    }

    /// The vault's key, if `password` is the right one; guessing gets slower.
    async fn guess(
        &self,
        caller: &Caller,
        organization: &str,
        wraps: Vec<Wrap>,
        password: Secret,
    ) -> Result<Key, Refusal> {
        let now = clock::now();
        let begun = {
            let mut throttle = self.inner.throttle.lock().unwrap_or_else(PoisonError::into_inner);
            throttle.begin(organization, caller.address, now)
        };
        begun.map_err(|wait_ms| Refusal::TooOften { wait_ms })?;
        let opened = self.away(move || Ok(wraps.iter().find_map(|wrap| wrap.open_by_password(&password)))).await?;
        let Some(key) = opened else {
            tracing::warn!(organization, address = %caller.address, "a wrong master password was tried");
            return Err(Error::from(Fault::WrongPassword).into());
        };
        let mut throttle = self.inner.throttle.lock().unwrap_or_else(PoisonError::into_inner);
        throttle.succeeded(organization, caller.address);
        Ok(key)
    }

    async fn write(&self, caller: &Caller, tenant: &Tenant, action: &'static str) -> Result<()> {
        let mut directory = self.store().change_directory().await?;
        directory.audit(&caller.entry(change(tenant, action))).await?;
        directory.commit().await
    }
}

fn change<'a>(tenant: &'a Tenant, action: &'static str) -> Change<'a> {
    let organization = tenant.organization.id.as_str();
    Change { organization: Some(organization), action, subject: organization, before: None, after: None }
}
