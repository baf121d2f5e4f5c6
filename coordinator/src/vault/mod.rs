//! The vault: one key for each organization, which seals its secrets; open in memory, wrapped in the metadata database.
//!
//! [`fernet`] makes tokens and opens them, [`wrap`] wraps a vault's key by a key of the installation or by a master
//! password, [`keyring`] are those keys. [`Vault`] opens and locks, [`door`] does so for people.

mod door;
mod fernet;
mod keyring;
#[cfg(test)]
pub(crate) mod tests;
mod wrap;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flowetl_proto::pipeline::Secret;
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;

pub(crate) use self::door::{NewPassword, VaultStatus};
pub(crate) use self::fernet::Key;
pub use self::keyring::{Keyring, WrongKey};
pub(crate) use self::wrap::Wrap;
use self::wrap::{ITERATIONS, ITERATIONS_MAX, ITERATIONS_MIN, stretched};
use crate::accounts::{Refusal, Throttle};
use crate::store::Store;
use crate::{Error, Result, clock};

/// Master passwords that are hashed at once: what a flood of them may take of this machine's cores.
const AT_ONCE: usize = 2;

/// Why a vault gives nothing, or takes nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the vault is locked: an owner of the organization unlocks it with the master password")]
    Locked,
    #[error("this is not the master password")]
    WrongPassword,
    #[error(
        "the vault was wrapped by a key that this installation does not have: set `ENCRYPTION_KEY` to it, behind the new one and a comma"
    )]
    OtherKey,
    #[error("there is no key to seal secrets by: set `ENCRYPTION_KEY`, or give the organization a master password")]
    NoKey,
    #[error("the vault has no master password, so that nobody could unlock it again")]
    NoPassword,
    #[error("{0} cannot be opened, because it is not as it was sealed: enter it again")]
    Damaged(String),
}

/// The vaults of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Vault {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    keyring: Keyring,
    state: Mutex<State>,
    /// Told whenever a vault was opened.
    opened: watch::Sender<()>,
    throttle: Mutex<Throttle>,
    at_once: Arc<Semaphore>,
}

#[derive(Default)]
struct State {
    /// The keys of vaults that are open, by organization.
    open: HashMap<String, Key>,
    /// Vaults that were locked by hand: keys of the installation do not open them.
    locked: HashSet<String>,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}

impl Vault {
    pub(crate) fn new(store: Store, keyring: Keyring) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                keyring,
                state: Mutex::default(),
                opened: watch::Sender::new(()),
                throttle: Mutex::default(),
                at_once: Arc::new(Semaphore::new(AT_ONCE)),
            }),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.inner.store
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A token of a secret, under the organization's key, which is made if there is none.
    pub(crate) async fn seal(&self, organization: &str, secret: &Secret) -> Result<String> {
        let key = match self.key(organization).await? {
            Some(key) => key,
            None => self.make(organization).await?,
        };
        key.seal(secret.reveal().as_bytes())
    }

    /// The secret in a token; `what` it is, for messages.
    pub(crate) async fn open(&self, organization: &str, token: &str, what: &str) -> Result<Secret> {
        let damaged = || Fault::Damaged(what.to_owned());
        let key = self.key(organization).await?.ok_or_else(damaged)?;
        let plain = key.open(token).ok_or_else(damaged)?;
        let text = std::str::from_utf8(&plain).map_err(|_| damaged())?;
        Ok(Secret::new(text))
    }

    /// Whether it takes a master password to open anything.
    pub(crate) async fn is_locked(&self, organization: &str) -> Result<bool> {
        match self.key(organization).await {
            Ok(_) => Ok(false),
            Err(Error::Vault(Fault::Locked)) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Told whenever a vault was opened.
    pub(crate) fn opened(&self) -> watch::Receiver<()> {
        self.inner.opened.subscribe()
    }

    /// Waits until none of these is locked. What else is wrong with them shows when they are used.
    pub(crate) async fn unlocked(&self, organizations: &[String]) {
        let mut opened = self.inner.opened.subscribe();
        loop {
            let mut any_locked = false;
            for organization in organizations {
                any_locked |= self.is_locked(organization).await.unwrap_or(false);
            }
            // The sender is ours.
            if !any_locked || opened.changed().await.is_err() {
                return;
            }
        }
    }

    /// The key of an organization's vault, from a key of the installation where it is not open yet; `None` where there is no
    /// vault.
    async fn key(&self, organization: &str) -> Result<Option<Key>> {
        {
            let state = self.state();
            if let Some(key) = state.open.get(organization) {
                return Ok(Some(key.clone()));
            }
            if state.locked.contains(organization) {
                return Err(Fault::Locked.into());
            }
        }
        let wraps = self.wraps(organization).await?;
        if wraps.is_empty() {
            return Ok(None);
        }
        let keys = self.inner.keyring.keys()?;
        let opened = wraps.iter().find_map(|wrap| keys.iter().find_map(|key| wrap.open_by_key(key)));
        let Some(key) = opened else {
            let has_password = wraps.iter().any(|wrap| matches!(wrap, Wrap::Password { .. }));
            return Err(if has_password { Fault::Locked } else { Fault::OtherKey }.into());
        };
        let mut state = self.state();
        if state.locked.contains(organization) {
            return Err(Fault::Locked.into());
        }
        state.open.insert(organization.to_owned(), key.clone());
        Ok(Some(key))
    }

    /// Makes an organization's vault, wrapped by the installation's key.
    async fn make(&self, organization: &str) -> Result<Key> {
        let by = self.inner.keyring.first()?.ok_or(Fault::NoKey)?;
        let key = Key::generate()?;
        let wrap = Wrap::by_key(&key, &by)?;
        let mut directory = self.store().change_directory().await?;
        directory.lock_organization(organization).await?;
        if !directory.wraps(organization).await?.is_empty() {
            // Another call has made it meanwhile.
            drop(directory);
            return self.key(organization).await?.ok_or_else(|| Fault::OtherKey.into());
        }
        directory.put_wrap(organization, &wrap, clock::now()).await?;
        directory.commit().await?;
        self.remember(organization, key.clone());
        Ok(key)
    }

    async fn wraps(&self, organization: &str) -> Result<Vec<Wrap>> {
        self.store().directory().await?.wraps(organization).await
    }

    fn remember(&self, organization: &str, key: Key) {
        let mut state = self.state();
        state.locked.remove(organization);
        state.open.insert(organization.to_owned(), key);
        drop(state);
        self.inner.opened.send_replace(());
    }

    pub(crate) fn forget(&self, organization: &str) {
        let mut state = self.state();
        state.open.remove(organization);
        state.locked.insert(organization.to_owned());
    }

    /// Wraps every vault that an older key of the installation opens by its first key. What is sealed in them stays as it is.
    pub(crate) async fn rewrap(&self) -> Result<()> {
        let keys = self.inner.keyring.keys()?;
        let Some((first, older)) = keys.split_first() else { return Ok(()) };
        let organizations = self.store().directory().await?.vaults_with_key().await?;
        for organization in organizations {
            let wraps = self.wraps(&organization).await?;
            if wraps.iter().any(|wrap| wrap.open_by_key(first).is_some()) {
                continue;
            }
            let opened = wraps.iter().find_map(|wrap| older.iter().find_map(|key| wrap.open_by_key(key)));
            let Some(key) = opened else {
                tracing::warn!(organization, "no key of this installation opens the organization's vault");
                continue;
            };
            let wrap = Wrap::by_key(&key, first)?;
            let mut directory = self.store().change_directory().await?;
            directory.put_wrap(&organization, &wrap, clock::now()).await?;
            directory.commit().await?;
            tracing::info!(organization, "the organization's vault is wrapped by the new key");
        }
        Ok(())
    }

    /// How often a password is hashed that is set now.
    pub(crate) fn iterations(&self) -> u32 {
        ITERATIONS
    }

    /// The key that a passphrase makes.
    pub(crate) async fn stretch(&self, passphrase: Secret, salt: &str, iterations: u32) -> Result<Key, Refusal> {
        if !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations) {
            let message = format!("`iterations` is from {ITERATIONS_MIN} to {ITERATIONS_MAX}");
            return Err(Refusal::wrong("encryption", message));
        }
        let salt = salt.to_owned();
        Ok(self.away(move || Ok(stretched(&passphrase, &salt, iterations))).await?)
    }

    /// Does what takes a core for a while away from the threads that answer.
    async fn away<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
        // It is never closed; the call that waits has a limit of its own.
        let turn = Arc::clone(&self.inner.at_once).acquire_owned().await.map_err(|e| Error::Hash(e.to_string()))?;
        let work = move || {
            let done = work();
            drop(turn);
            done
        };
        spawn_blocking(work).await.map_err(|e| Error::Hash(e.to_string()))?
    }
}
