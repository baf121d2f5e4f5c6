//! API keys: they act as who made them, in one organization, within their scopes, until they expire.

use std::net::IpAddr;

use chrono::DateTime;
use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::{Secret, hash};
use super::{Accounts, ApiKey, Caller, Change, Refusal, Role, Scope, Tenant, document, text};
use crate::{Result, clock};

/// What every key begins with, so that it is known for one wherever it turns up.
pub(super) const PREFIX: &str = "flowetl_";
/// Characters that are kept of a key: what every one begins with, and six by which people know theirs.
const SHOWN: usize = PREFIX.len() + 6;
/// Keys of one organization: more than anyone keeps apart.
const KEYS_MAX: usize = 1_000;
/// The use of a key is written down no more often than this.
const USE_MS: i64 = 60_000;

/// An API key that is to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewKeyWish {
    pub name: String,
    pub scopes: Vec<Scope>,
    /// It counts for ever where this is left out.
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
}

/// An API key that was just made.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewKey {
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// Goes into the header `Authorization: Bearer ...` of each call; shown this once.
    pub key: String,
}

impl Accounts {
    /// The keys of an organization: one's own, or all for its admins.
    pub(crate) async fn api_keys(&self, caller: &Caller, tenant: &Tenant) -> Result<Vec<ApiKey>, Refusal> {
        let own = &caller.person()?.id;
        let mut keys = self.store.directory().await?.api_keys(&tenant.organization.id).await?;
        keys.retain(|key| tenant.role >= Role::Admin || key.person == *own);
        Ok(keys)
    }

    /// Makes a key that acts as the caller.
    pub(crate) async fn make_key(&self, caller: &Caller, tenant: &Tenant, wish: NewKeyWish) -> Result<NewKey, Refusal> {
        let (person, name, now) = (caller.person()?, text::name(&wish.name)?, clock::now());
        let expires_at = wish.expires_at.as_deref().map(|text| moment(text, now)).transpose()?;
        if wish.scopes.is_empty() {
            return Err(Refusal::wrong("scopes", "a key without scopes could do nothing"));
        }
        let secret = Secret::generate(PREFIX)?;
        let api_key = ApiKey {
            id: clock::new_id(),
            organization: tenant.organization.id.clone(),
            person: person.id.clone(),
            name,
            prefix: secret.text.chars().take(SHOWN).collect(),
            scopes: wish.scopes,
            created_at: Timestamp(now),
            expires_at,
            last_used_at: None,
        };
        let mut directory = self.store.change_directory().await?;
        directory.lock_organization(&api_key.organization).await?;
        if directory.api_keys(&api_key.organization).await?.len() >= KEYS_MAX {
            return Err(Refusal::Conflict(format!("the organization has {KEYS_MAX} API keys: end some")));
        }
        directory.add_api_key(&api_key, &secret.hash).await?;
        let change = Change {
            organization: Some(&api_key.organization),
            action: "api_key.made",
            subject: &api_key.id,
            before: None,
            after: document(&api_key),
        };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        Ok(NewKey { api_key, key: secret.text })
    }

    /// Ends a key: one's own, or anyone's for admins.
    pub(crate) async fn end_key(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
        let own = &caller.person()?.id;
        let mut directory = self.store.change_directory().await?;
        let key = directory.api_key(&tenant.organization.id, id).await?;
        let key = key.filter(|key| tenant.role >= Role::Admin || key.person == *own);
        let key = key.ok_or_else(|| Refusal::NotFound(format!("there is no API key `{id}`")))?;
        directory.remove_api_key(id).await?;
        let change = Change {
            organization: Some(&key.organization),
            action: "api_key.removed",
            subject: id,
            before: document(&key),
            after: None,
        };
        directory.audit(&caller.entry(change)).await?;
        Ok(directory.commit().await?)
    }

    pub(super) async fn caller_of_key(&self, secret: &str, address: IpAddr) -> Result<Option<Caller>> {
        let now = clock::now();
        let found = self.store.directory().await?.api_key_of(&hash(secret), now).await?;
        let Some((key, person)) = found else { return Ok(None) };
        if key.last_used_at.is_none_or(|at| now - at.0 >= USE_MS) {
            let mut directory = self.store.change_directory().await?;
            directory.used_api_key(&key.id, now).await?;
            directory.commit().await?;
        }
        Ok(Some(Caller { person: Some(person), session: None, key: Some(key), address }))
    }
}

/// A time after `now`.
fn moment(text: &str, now: i64) -> Result<Timestamp, Refusal> {
    let at = DateTime::parse_from_rfc3339(text).ok().map(|at| at.timestamp_millis()).filter(|at| *at > now);
    at.map(Timestamp).ok_or_else(|| {
        Refusal::wrong("expires_at", "this is to be a time in the future, as RFC 3339 writes it: 2027-01-31T12:00:00Z")
    })
}
