//! A vault's key, wrapped: sealed by a key of the installation, or by one that a master password makes. Pure but for chance.

use std::num::NonZeroU32;

use flowetl_proto::pipeline::Secret;
use ring::pbkdf2;
use zeroize::Zeroizing;

use super::fernet::{KEY_BYTES, Key};
use crate::{Result, clock};

/// How often a master password is hashed: OWASP's recommendation for PBKDF2-HMAC-SHA256, some 0.3 s of one core.
pub(crate) const ITERATIONS: u32 = if cfg!(test) { ITERATIONS_MIN } else { 600_000 };
/// What is never gone below, whoever wrote it.
pub(crate) const ITERATIONS_MIN: u32 = 100_000;
/// Above this, unlocking would take many seconds of a core.
pub(super) const ITERATIONS_MAX: u32 = 10_000_000;
const SALT_BYTES: usize = 16;

/// One way to open a vault, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Wrap {
    /// By a key of the installation.
    Key { sealed: String },
    /// By a master password.
    Password { sealed: String, salt: String, iterations: u32 },
}

impl Wrap {
    pub(super) fn by_key(own: &Key, key: &Key) -> Result<Self> {
        Ok(Self::Key { sealed: key.seal(own.bytes())? })
    }

    /// Takes as long as guessing the password once.
    pub(super) fn by_password(own: &Key, password: &Secret, iterations: u32) -> Result<Self> {
        let salt = clock::random::<SALT_BYTES>()?;
        let salt = salt.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let iterations = iterations.clamp(ITERATIONS_MIN, ITERATIONS_MAX);
        let sealed = stretched(password, &salt, iterations).seal(own.bytes())?;
        Ok(Self::Password { sealed, salt, iterations })
    }

    /// The vault's key, where `key` is what wrapped it.
    pub(super) fn open_by_key(&self, key: &Key) -> Option<Key> {
        match self {
            Self::Key { sealed } => open(sealed, key),
            Self::Password { .. } => None,
        }
    }

    /// The vault's key, where `password` is what wrapped it. Takes as long as it took to wrap it.
    pub(super) fn open_by_password(&self, password: &Secret) -> Option<Key> {
        match self {
            Self::Password { sealed, salt, iterations } if (ITERATIONS_MIN..=ITERATIONS_MAX).contains(iterations) => {
                open(sealed, &stretched(password, salt, *iterations))
            }
            _ => None,
        }
    }
}

fn open(sealed: &str, key: &Key) -> Option<Key> {
    let opened = key.open(sealed)?;
    Some(Key::new(<[u8; KEY_BYTES]>::try_from(opened.as_slice()).ok()?))
}

/// The key that a password makes.
pub(super) fn stretched(password: &Secret, salt: &str, iterations: u32) -> Key {
    let mut bytes = Zeroizing::new([0; KEY_BYTES]);
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    let text = password.reveal().as_bytes();
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, iterations, salt.as_bytes(), text, &mut *bytes);
    Key::new(*bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn se_3_a_password_is_stretched_as_pbkdf2_says() {
        let key = |iterations| stretched(&Secret::new("password"), "salt", iterations);
        let hex = |key: Key| key.bytes().iter().map(|b| format!("{b:02x}")).collect::<String>();
        // Known answers of PBKDF2-HMAC-SHA256.
        assert_eq!(hex(key(1)), "120fb6cffcf8b32c43e7225256c4f837a86548c92ccc35480805987cb70be17b");
        assert_eq!(hex(key(4096)), "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a");
    }

    #[test]
    fn se_3_a_wrap_opens_by_what_made_it_alone() {
        let (own, key, other) = (Key::generate().unwrap(), Key::generate().unwrap(), Key::generate().unwrap());
        let password = Secret::new("correct horse");
        let wrap = Wrap::by_key(&own, &key).unwrap();
        assert_eq!(wrap.open_by_key(&key), Some(own.clone()));
        assert_eq!((wrap.open_by_key(&other), wrap.open_by_password(&password)), (None, None));
        let wrap = Wrap::by_password(&own, &password, 1).unwrap();
        let Wrap::Password { iterations, sealed, salt } = &wrap else { panic!("{wrap:?}") };
        assert_eq!(*iterations, ITERATIONS_MIN, "never below");
        assert_eq!(wrap.open_by_password(&password), Some(own));
        assert_eq!((wrap.open_by_password(&Secret::new("Correct horse")), wrap.open_by_key(&key)), (None, None));
        let weak = Wrap::Password { sealed: sealed.clone(), salt: salt.clone(), iterations: 1000 };
        assert_eq!(weak.open_by_password(&password), None);
    }
}
