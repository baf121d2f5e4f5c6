//! A connection: where a system is and how to sign in, with secrets kept as references until the moment of use.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::address;
use super::secrets::{self, Piece, Secrets};
use crate::code::{Class, Failure};

/// A connection as the pipeline says it. Every text may hold `${env:NAME}` and `${file:/path}`; nothing is resolved yet.
///
/// `Display` and `Debug` show a literal password, or another option that is a secret by its name, as `***`. The
/// serialised form keeps every text as it was written, so that it can be resolved later: store it, never print it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSpec {
    /// `postgres`, `sqlite`, `file`, `s3`: the usual scheme of its connector.
    pub scheme: String,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    /// A reference such as `${env:SHOP_PASSWORD}`, or the literal text of a hasty person; printed as `***` when literal.
    pub password: Option<String>,
    /// The database for a database server; a file or folder for `sqlite` and `file`; the prefix for `s3`, whose bucket is `host`.
    pub path: String,
    /// The URL's query, or the map's other keys.
    pub options: IndexMap<String, String>,
}

impl ConnectionSpec {
    /// The URL without password and options: names the system for a person.
    pub fn address(&self) -> String {
        let mut text = format!("{}://", self.scheme);
        self.push_authority(&mut text, false);
        self.push_path(&mut text);
        text
    }

    /// Replaces every reference to a secret. The error names the connection and what is missing.
    pub fn resolve(&self, name: &str, secrets: &dyn Secrets) -> Result<Connection, Failure> {
        let resolve = |text: &str| {
            secrets::resolve(text, secrets)
                .map_err(|missing| Failure::new(Class::User, format!("connection `{name}`: {missing}")))
        };
        let optional = |text: &Option<String>| text.as_deref().map(resolve).transpose();
        let mut options = IndexMap::new();
        for (key, value) in &self.options {
            options.insert(key.clone(), Secret::new(resolve(value)?));
        }
        Ok(Connection {
            name: name.to_owned(),
            scheme: self.scheme.clone(),
            host: optional(&self.host)?,
            port: self.port,
            user: optional(&self.user)?,
            password: optional(&self.password)?.map(Secret::new),
            path: resolve(&self.path)?,
            options,
        })
    }

    /// The paths of what it needs from a service's vault.
    pub fn sealed(&self) -> impl Iterator<Item = &str> {
        let pieces = self.texts().filter_map(|text| secrets::pieces(text).ok()).flatten();
        pieces.filter_map(|piece| match piece {
            Piece::Vault(path) => Some(path),
            _ => None,
        })
    }

    /// The same with every literal secret replaced by `***`.
    pub(super) fn redacted(&self) -> Self {
        let mut shown = self.clone();
        shown.password = self.password.as_deref().map(redact);
        for (key, value) in &mut shown.options {
            if is_secret(key) {
                *value = redact(value);
            }
        }
        shown
    }

    /// Every text that may hold references.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let optional = [self.host.as_deref(), self.user.as_deref(), self.password.as_deref(), Some(self.path.as_str())];
        optional.into_iter().flatten().chain(self.options.values().map(String::as_str))
    }

    fn push_authority(&self, text: &mut String, with_password: bool) {
        if let Some(user) = &self.user {
            text.push_str(user);
        }
        if let Some(password) = self.password.as_deref().filter(|_| with_password) {
            text.push(':');
            text.push_str(password);
        }
        if self.user.is_some() || (with_password && self.password.is_some()) {
            text.push('@');
        }
        match &self.host {
            Some(host) if host.contains(':') && !host.contains('$') => text.push_str(&format!("[{host}]")),
            Some(host) => text.push_str(host),
            None => {}
        }
        if let Some(port) = self.port {
            text.push_str(&format!(":{port}"));
        }
    }

    fn push_path(&self, text: &mut String) {
        if !address::is_local(&self.scheme) && !self.path.is_empty() && !self.path.starts_with('/') {
            text.push('/');
        }
        text.push_str(&self.path);
    }
}

impl fmt::Display for ConnectionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.redacted();
        let mut text = format!("{}://", shown.scheme);
        shown.push_authority(&mut text, true);
        shown.push_path(&mut text);
        for (i, (key, value)) in shown.options.iter().enumerate() {
            text.push_str(&format!("{}{key}={value}", if i == 0 { '?' } else { '&' }));
        }
        f.write_str(&text)
    }
}

impl fmt::Debug for ConnectionSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionSpec({self})")
    }
}

/// Whether an option of this name holds a secret.
pub(super) fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    ["password", "passwd", "passphrase", "secret", "token", "credential"].iter().any(|word| key.contains(word))
        || key.ends_with("access_key")
        || key.ends_with("access_key_id")
        || key.ends_with("api_key")
        || key.ends_with("private_key")
        || key.ends_with("sslkey")
        || key.ends_with("ssh_key")
}

fn redact(text: &str) -> String {
    if secrets::is_reference(text) { text.to_owned() } else { "***".to_owned() }
}

/// A connection with its secrets resolved: lives only where the connecting is done, and cannot be serialised.
#[derive(Clone, Debug)]
pub struct Connection {
    pub name: String,
    pub scheme: String,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub path: String,
    /// Any option may be a secret (an access key), so all are treated as one.
    pub options: IndexMap<String, Secret>,
}

/// A text that no log, error or debug print shows, and that is overwritten in memory where it goes out of use.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one call that signs in.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
