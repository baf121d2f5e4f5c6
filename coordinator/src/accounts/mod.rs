//! People and organizations: who may sign in, who belongs where, and what may be done as whom. Every change is written down.
//!
//! [`Accounts`] is how the outside asks; `entry` is signing up and in, one file per thing that is owned has the rest.
//! Passwords, secrets and the slowing of guesses are apart.

mod entry;
mod identity;
mod invitation;
mod key;
mod member;
mod model;
mod organization;
mod password;
mod refusal;
mod role;
mod secret;
pub(crate) mod text;
mod throttle;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use flowetl_proto::id::RunId;
use flowetl_proto::run::Timestamp;
use serde::Serialize;
use serde_json::Value;

pub(crate) use self::entry::{Registration, Tokens};
pub(crate) use self::identity::Identity;
pub(crate) use self::invitation::Invited;
pub(crate) use self::key::{NewKey, NewKeyWish};
pub(crate) use self::model::{ApiKey, AuditEntry, Invitation, Member, Membership, Organization, Person};
pub(crate) use self::organization::OrganizationWish;
pub(crate) use self::password::Hasher;
pub(crate) use self::refusal::Refusal;
pub(crate) use self::role::{Role, Scope};
pub(crate) use self::secret::{Secret, SigningKey, hash};
pub(crate) use self::throttle::{Throttle, network};
use crate::store::{Directory, Store};
use crate::{Error, Result, clock};

/// What outlives the leading of a coordinator. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Doors {
    pub hasher: Hasher,
    pub throttle: Arc<Mutex<Throttle>>,
}

impl Doors {
    pub(crate) fn new() -> Self {
        Self { hasher: Hasher::new(), throttle: Arc::default() }
    }
}

/// People and organizations, in a metadata database. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Accounts {
    store: Store,
    key: Arc<SigningKey>,
    doors: Doors,
}

/// Who makes a call, and from where.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// `None` where nobody has signed in.
    pub person: Option<Person>,
    /// The sign-in, where it is one.
    pub session: Option<String>,
    /// The API key, where it is one.
    pub key: Option<ApiKey>,
    pub address: IpAddr,
}

/// The organization that a call is about, and what the caller may do there.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub organization: Organization,
    pub role: Role,
}

/// A change, as the audit log has it.
pub(crate) struct Change<'a> {
    pub organization: Option<&'a str>,
    pub action: &'static str,
    pub subject: &'a str,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

impl Caller {
    /// Someone who has not signed in.
    pub(crate) fn nobody(address: IpAddr) -> Self {
        Self { person: None, session: None, key: None, address }
    }

    /// Whoever has signed in.
    pub(crate) fn person(&self) -> Result<&Person, Refusal> {
        self.person.as_ref().ok_or_else(|| Refusal::Forbidden("this needs someone who has signed in".into()))
    }

    pub(crate) fn entry(&self, change: Change<'_>) -> AuditEntry {
        AuditEntry {
            id: clock::new_id(),
            organization: change.organization.map(str::to_owned),
            person: self.person.as_ref().map(|person| person.id.clone()),
            api_key: self.key.as_ref().map(|key| key.id.clone()),
            address: self.address.to_string(),
            action: change.action.to_owned(),
            subject: change.subject.to_owned(),
            before: change.before,
            after: change.after,
            at: Timestamp(clock::now()),
        }
    }
}

impl Accounts {
    /// Those of `store`; makes the key that tokens are signed with, if there is none.
    pub(crate) async fn open(store: &Store, doors: &Doors) -> Result<Self> {
        let mut directory = store.change_directory().await?;
        let text = directory.signing_key(SigningKey::generate()?).await?;
        directory.commit().await?;
        let key = SigningKey::parse(&text).ok_or(Error::SigningKey)?;
        Ok(Self { store: store.clone(), key: Arc::new(key), doors: doors.clone() })
    }

    /// Who shows `secret`, an access token or an API key; `None` where it is none that counts.
    pub(crate) async fn caller(&self, secret: &str, address: IpAddr) -> Result<Option<Caller>> {
        match secret.starts_with(key::PREFIX) {
            true => self.caller_of_key(secret, address).await,
            false => self.caller_of_session(secret, address).await,
        }
    }

    /// The organization `named` by its id or slug, or else the only one that the caller can mean; with the caller's role.
    pub(crate) async fn tenant(&self, caller: &Caller, named: Option<&str>) -> Result<Tenant, Refusal> {
        let mut directory = self.store.directory().await?;
        let own = caller.key.as_ref().map(|key| key.organization.as_str());
        let organization = match (named, own) {
            (Some(named), _) => directory.organization(named).await?,
            (None, Some(own)) => directory.organization(own).await?,
            (None, None) => Some(only_one(&mut directory, caller).await?),
        };
        // Whoever does not belong to it is not told that it is there.
        let nothing = || Refusal::NotFound(format!("there is no organization `{}`", named.unwrap_or_default()));
        let organization = organization.ok_or_else(nothing)?;
        if own.is_some_and(|own| own != organization.id) {
            return Err(nothing());
        }
        let Some(person) = &caller.person else { return Err(nothing()) };
        let role = match directory.member(&organization.id, &person.id).await? {
            _ if person.super_admin => Role::Owner,
            Some(member) => member.role,
            None => return Err(nothing()),
        };
        Ok(Tenant { organization, role })
    }

    /// The tenant of calls where nobody has to sign in: the organization that is `named`, or else the default one, which is
    /// made if it is not there.
    pub(crate) async fn open_tenant(&self, named: Option<&str>) -> Result<Tenant, Refusal> {
        let mut directory = self.store.directory().await?;
        if let Some(named) = named {
            let organization = directory.organization(named).await?;
            let nothing = || Refusal::NotFound(format!("there is no organization `{named}`"));
            return Ok(Tenant { organization: organization.ok_or_else(nothing)?, role: Role::Owner });
        }
        if let Some(id) = directory.default_organization().await?
            && let Some(organization) = directory.organization(&id).await?
        {
            return Ok(Tenant { organization, role: Role::Owner });
        }
        drop(directory);
        let mut directory = self.store.change_directory().await?;
        directory.lock().await?;
        let organization = match directory.default_organization().await? {
            Some(id) => directory.organization(&id).await?,
            None => None,
        };
        let organization = match organization {
            Some(organization) => organization,
            None => organization::make(&mut directory, "Default").await?,
        };
        directory.set_default_organization(&organization.id).await?;
        directory.commit().await?;
        Ok(Tenant { organization, role: Role::Owner })
    }

    /// Writes down that a run was cancelled.
    pub(crate) async fn cancelled(&self, caller: &Caller, tenant: &Tenant, run: &RunId) -> Result<()> {
        self.run_was(caller, tenant, run, "run.cancelled").await
    }

    /// Writes down that a run was gone on with.
    pub(crate) async fn retried(&self, caller: &Caller, tenant: &Tenant, run: &RunId) -> Result<()> {
        self.run_was(caller, tenant, run, "run.retried").await
    }

    /// Writes down that an executor was taken out of work.
    pub(crate) async fn drained(&self, caller: &Caller, executor: &str) -> Result<()> {
        let mut directory = self.store.change_directory().await?;
        let change =
            Change { organization: None, action: "executor.drained", subject: executor, before: None, after: None };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await
    }

    async fn run_was(&self, caller: &Caller, tenant: &Tenant, run: &RunId, action: &'static str) -> Result<()> {
        let mut directory = self.store.change_directory().await?;
        let organization = Some(tenant.organization.id.as_str());
        let change = Change { organization, action, subject: run.as_str(), before: None, after: None };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await
    }

    /// What was changed, newest first, before the entry `before` if there is one: in one organization, or everywhere.
    pub(crate) async fn audit_log(
        &self,
        organization: Option<&str>,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<AuditEntry>> {
        self.store.directory().await?.audit_log(organization, before, limit).await
    }

    /// A link that says `words` until the time `until`, to whoever has it.
    pub(crate) fn link(&self, words: &[&str], until: i64) -> String {
        self.key.link(words, until)
    }

    /// What a link says that counts at the time `now`.
    pub(crate) fn linked(&self, link: &str, now: i64) -> Option<Vec<String>> {
        self.key.linked(link, now)
    }

    fn throttle<T>(&self, act: impl FnOnce(&mut Throttle) -> T) -> T {
        act(&mut self.doors.throttle.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The only organization that a person belongs to.
async fn only_one(directory: &mut Directory, caller: &Caller) -> Result<Organization, Refusal> {
    let mut memberships = directory.memberships(&caller.person()?.id).await?;
    match (memberships.pop(), memberships.is_empty()) {
        (Some(membership), true) => Ok(membership.organization),
        (Some(_), false) => Err(Refusal::wrong("x-organization", "you belong to several: name one in this header")),
        (None, _) => Err(Refusal::Forbidden("you belong to no organization".into())),
    }
}

/// A document as the audit log keeps it.
pub(crate) fn document<T: Serialize>(value: &T) -> Option<Value> {
    serde_json::to_value(value).ok()
}
