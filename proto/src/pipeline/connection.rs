//! A connection: where a system is and how to sign in, with secrets kept as references until the moment of use.

use std::fmt;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

/// A connection as the pipeline says it. Every text may hold `${env:NAME}` and `${file:/path}`; nothing is resolved yet,
/// so this may be stored, printed and sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConnectionSpec {
    /// `postgres`, `sqlite`, `file`, `s3`: the URL's scheme or the map's `type`.
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

/// A text that no log, error or debug print shows.
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

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}
