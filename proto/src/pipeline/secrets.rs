//! References to secrets inside a connection's texts: `${env:NAME}` and `${file:/path}`, and `${vault:PATH}`, which only a
//! service writes.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::{fmt, io};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::Secret;

/// Where secrets come from. Only the program's own edge implements this; nothing else reads the environment.
pub trait Secrets {
    /// The value of an environment variable, `None` where it is not set.
    fn env(&self, name: &str) -> Option<String>;

    /// The text of a file.
    fn file(&self, path: &str) -> io::Result<String> {
        std::fs::read_to_string(path)
    }

    /// What a service keeps sealed at `path`, `None` where it was not opened for this.
    fn vault(&self, _path: &str) -> Option<&Secret> {
        None
    }
}

/// Secrets that a service has opened for one attempt or one look, by their paths in its vault. They go to where the
/// connecting is done, and are stored nowhere; no debug print shows them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Unsealed(BTreeMap<String, Secret>);

impl Unsealed {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn insert(&mut self, path: String, secret: Secret) {
        self.0.insert(path, secret);
    }

    /// These together with all others.
    pub fn over(&self, others: Arc<dyn Secrets + Send + Sync>) -> Arc<dyn Secrets + Send + Sync> {
        Arc::new(Over { unsealed: self.clone(), others })
    }
}

impl fmt::Debug for Unsealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} secrets", self.0.len())
    }
}

impl Serialize for Unsealed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(path, secret)| (path, secret.reveal())))
    }
}

impl<'de> Deserialize<'de> for Unsealed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = BTreeMap::<String, String>::deserialize(deserializer)?;
        Ok(Self(texts.into_iter().map(|(path, text)| (path, Secret::new(text))).collect()))
    }
}

struct Over {
    unsealed: Unsealed,
    others: Arc<dyn Secrets + Send + Sync>,
}

impl Secrets for Over {
    fn env(&self, name: &str) -> Option<String> {
        self.others.env(name)
    }

    fn file(&self, path: &str) -> io::Result<String> {
        self.others.file(path)
    }

    fn vault(&self, path: &str) -> Option<&Secret> {
        self.unsealed.0.get(path).or_else(|| self.others.vault(path))
    }
}

const NOT_UNDERSTOOD: &str = "a `${...}` is not understood; write `${env:NAME}` or `${file:/path}`";

/// A stretch of a text: as it stands, or a reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    Plain(&'t str),
    Env(&'t str),
    File(&'t str),
    Vault(&'t str),
}

/// Cuts a text that a person wrote, who names nothing in a vault: as one would read what belongs to others.
pub(super) fn written(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let pieces = pieces(text)?;
    let is_sealed = pieces.iter().any(|piece| matches!(piece, Piece::Vault(_)));
    if is_sealed { Err(NOT_UNDERSTOOD.to_owned()) } else { Ok(pieces) }
}

/// The reference to what lies at `path` in a service's vault.
pub(super) fn in_vault(path: &str) -> String {
    format!("${{vault:{path}}}")
}

/// Cuts a text at its references. The error never shows the text itself, which may be a password.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if start > 0 {
            pieces.push(Piece::Plain(&rest[..start]));
        }
        let inside = &rest[start + 2..];
        let end = inside.find('}').ok_or("a `${` has no `}`")?;
        pieces.push(reference(&inside[..end])?);
        rest = &inside[end + 1..];
    }
    if !rest.is_empty() {
        pieces.push(Piece::Plain(rest));
    }
    Ok(pieces)
}

fn reference(inside: &str) -> Result<Piece<'_>, String> {
    match inside.split_once(':') {
        Some(("env", name)) if is_variable(name) => Ok(Piece::Env(name)),
        Some(("env", _)) => Err("`${env:...}` needs the name of an environment variable".to_owned()),
        Some(("file", path)) if !path.is_empty() => Ok(Piece::File(path)),
        Some(("vault", path)) if !path.is_empty() => Ok(Piece::Vault(path)),
        _ => Err(NOT_UNDERSTOOD.to_owned()),
    }
}

fn is_variable(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Whether a text is nothing but one reference, and so may be shown.
pub fn is_reference(text: &str) -> bool {
    matches!(pieces(text).as_deref(), Ok([Piece::Env(_) | Piece::File(_) | Piece::Vault(_)]))
}

/// The text with every reference replaced; the error names the variable or file that is missing.
pub(super) fn resolve(text: &str, secrets: &dyn Secrets) -> Result<String, String> {
    let mut resolved = String::new();
    for piece in pieces(text)? {
        match piece {
            Piece::Plain(plain) => resolved.push_str(plain),
            Piece::Env(name) => match secrets.env(name) {
                Some(value) => resolved.push_str(&value),
                None => return Err(format!("the environment variable `{name}` is not set")),
            },
            // Editors and `echo` end a file with a line break that is no part of the secret.
            Piece::File(path) => match secrets.file(path) {
                Ok(text) => resolved.push_str(text.trim_end_matches(['\r', '\n'])),
                Err(e) => return Err(format!("cannot read the secret file `{path}`: {}", e.kind())),
            },
            Piece::Vault(path) => match secrets.vault(path) {
                Some(secret) => resolved.push_str(secret.reveal()),
                None => return Err("its secret lies in a vault and was not opened".to_owned()),
            },
        }
    }
    Ok(resolved)
}
