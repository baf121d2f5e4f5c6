//! Passwords: hashed with Argon2id away from the threads that answer, a few at a time.

use std::sync::{Arc, LazyLock};

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use super::Refusal;
use crate::{Error, Result, clock};

/// What one hash costs: 19 MiB and two passes, the least that OWASP recommends for Argon2id; some 20 ms of one core.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes made at once: what a flood of sign-ins may take of this machine, in cores and in twenties of MiB.
const AT_ONCE: usize = 2;
/// Sign-ins that wait for that: two seconds' worth. More are refused, since whoever made them will have gone.
const WAITING_MAX: usize = 64;

/// Compared with where there is no such person, so that it takes as long as a wrong password.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_now("", &[0; SALT_BYTES]).unwrap_or_default());

const SALT_BYTES: usize = 16;

/// Hashes passwords and compares them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Hasher {
    at_once: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Hasher {
    pub(crate) fn new() -> Self {
        Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), waiting: Arc::new(Semaphore::new(WAITING_MAX)) }
    }

    /// The hash of a password, with a new salt and its cost, as it is stored.
    pub(super) async fn hash(&self, password: String) -> Result<String, Refusal> {
        let salt = clock::random::<SALT_BYTES>()?;
        self.away(move || hash_now(&password, &salt)).await
    }

    /// Whether `password` is that of `hash`; takes as long where there is no hash.
    pub(super) async fn matches(&self, password: String, hash: Option<String>) -> Result<bool, Refusal> {
        self.away(move || {
            let is_known = hash.is_some();
            let hash = hash.unwrap_or_else(|| NOBODY.clone());
            let stored = PasswordHash::new(&hash).map_err(|e| Error::Hash(e.to_string()))?;
            Ok(hasher()?.verify_password(password.as_bytes(), &stored).is_ok() && is_known)
        })
        .await
    }

    async fn away<T: Send + 'static>(&self, work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T, Refusal> {
        let waits = Arc::clone(&self.waiting).try_acquire_owned().map_err(|_| Refusal::Crowded)?;
        // It is never closed; the call that waits has a limit of its own.
        let turn = Arc::clone(&self.at_once).acquire_owned().await.map_err(|_| Refusal::Crowded)?;
        // Held until the work is done, also when nobody waits for it any more.
        let work = move || {
            let done = work();
            drop((turn, waits));
            done
        };
        Ok(spawn_blocking(work).await.map_err(|e| Error::Hash(e.to_string()))??)
    }
}

fn hasher() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|e| Error::Hash(e.to_string()))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn hash_now(password: &str, salt: &[u8]) -> Result<String> {
    let hashed = hasher()?.hash_password_with_salt(password.as_bytes(), salt);
    Ok(hashed.map_err(|e| Error::Hash(e.to_string()))?.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn au_3_a_hash_has_its_salt_and_todays_cost() {
        let hasher = Hasher::new();
        let (one, other) = (hasher.hash("secret".into()).await.unwrap(), hasher.hash("secret".into()).await.unwrap());
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert_ne!(one, other);
        assert!(hasher.matches("secret".into(), Some(one.clone())).await.unwrap());
        assert!(!hasher.matches("Secret".into(), Some(one)).await.unwrap());
        assert!(!hasher.matches(String::new(), None).await.unwrap(), "nobody has the password that nobody has");
    }
}
