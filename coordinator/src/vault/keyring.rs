//! The keys of an installation, which wrap those of its vaults.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flowetl_proto::pipeline::Secret;

use super::fernet::Key;
use crate::{Error, Result, clock};

/// Keys that a vault may be wrapped by. The first one wraps; the others only open, while keys are changed.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<Key>,
    /// Where the one key lies, or is made at the first use, where there are no others.
    file: Option<PathBuf>,
}

/// A text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a key is 32 bytes in URL-safe base64, as `flowetl keygen` makes them; several stand with commas between, the new one first"
)]
pub struct WrongKey;

impl Keyring {
    /// Keys with commas between.
    pub fn parse(text: &str) -> Result<Self, WrongKey> {
        let keys = text.split(',').map(|key| Key::parse(key.trim()).ok_or(WrongKey)).collect::<Result<_, _>>()?;
        Ok(Self { keys, file: None })
    }

    /// A key of this installation's own, which no other machine shares.
    pub fn in_file(path: impl Into<PathBuf>) -> Self {
        Self { keys: Vec::new(), file: Some(path.into()) }
    }

    /// A new key, as people write it.
    pub fn generate() -> Result<Secret> {
        Ok(Key::generate()?.text())
    }

    /// The keys that are there.
    pub(super) fn keys(&self) -> Result<Vec<Key>> {
        match &self.file {
            Some(path) if self.keys.is_empty() => Ok(read(path)?.into_iter().collect()),
            _ => Ok(self.keys.clone()),
        }
    }

    /// The key that wraps, made if this installation keeps its own and has none yet. `None` where it has to be set.
    pub(super) fn first(&self) -> Result<Option<Key>> {
        if let Some(key) = self.keys()?.into_iter().next() {
            return Ok(Some(key));
        }
        let Some(path) = &self.file else { return Ok(None) };
        make(path).map_err(|source| Error::File { doing: "make the key", path: path.clone(), source })?;
        tracing::warn!(
            path = %path.display(),
            "secrets are sealed under a key that was made now: keep a copy of this file, for without it they are lost"
        );
        read(path)
    }
}

fn read(path: &Path) -> Result<Option<Key>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => Secret::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(Error::File { doing: "read the key", path: path.to_owned(), source }),
    };
    let damaged = || Error::File {
        doing: "read the key",
        path: path.to_owned(),
        source: io::Error::new(io::ErrorKind::InvalidData, WrongKey),
    };
    Key::parse(text.reveal().trim()).map(Some).ok_or_else(damaged)
}

/// Makes a file with a new key that only its owner may read; leaves one that is there as it is.
fn make(path: &Path) -> io::Result<()> {
    let key = Key::generate().map_err(io::Error::other)?.text();
    let draft = path.with_extension(clock::new_id());
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = file.write_all(key.reveal().as_bytes()).and_then(|()| file.sync_all());
    // A link takes the name all at once, and never another's place.
    let named = written.and_then(|()| fs::hard_link(&draft, path));
    fs::remove_file(&draft)?;
    match named {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        named => named,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn se_2_a_local_installation_makes_its_own_key_once() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("vault.key");
        let keyring = Keyring::in_file(&path);
        assert_eq!(keyring.keys().unwrap(), []);
        let key = keyring.first().unwrap().unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Keyring::in_file(&path).first().unwrap().unwrap(), key);
        make(&path).unwrap();
        assert_eq!(keyring.keys().unwrap(), [key], "never written over");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
        fs::write(&path, "secret").unwrap();
        let error = keyring.keys().unwrap_err().chain();
        assert!(error.contains("vault.key") && !error.contains("secret`"), "{error}");
    }

    #[test]
    fn se_2_keys_are_read_with_commas_between() {
        let (one, two) = (Keyring::generate().unwrap(), Keyring::generate().unwrap());
        let keyring = Keyring::parse(&format!("{}, {}", one.reveal(), two.reveal())).unwrap();
        assert_eq!(keyring.first().unwrap().unwrap().text(), one);
        assert_eq!(keyring.keys().unwrap().len(), 2);
        assert_eq!(Keyring::parse("").unwrap_err(), WrongKey);
        assert_eq!(format!("{keyring:?}"), "Keyring { keys: [Key, Key], file: None }");
    }
}
