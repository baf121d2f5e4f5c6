//! A connection's settings as PostgreSQL needs them: address, sign-in, encryption.

use std::path::PathBuf;
use std::sync::Arc;

use flowetl_proto::pipeline::{Connection, Secret};
use schemars::JsonSchema;
use serde_json::Value;

use crate::{Error, Result};

/// The usual port of a PostgreSQL server.
const PORT: u16 = 5432;

/// Where to sign in, and how.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The connection's name in the pipeline, for messages.
    pub connection: Arc<str>,
    /// A host name or address; with a leading `/` the folder of a Unix socket.
    pub host: String,
    pub port: u16,
    pub user: String,
    pub password: Option<Secret>,
    pub database: String,
    pub encryption: Encryption,
    /// Certificates that sign the server's; those of the public authorities where it is left out.
    pub root_certificates: Option<PathBuf>,
}

/// libpq's `sslmode`, without `allow`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Encryption {
    Disable,
    #[default]
    Prefer,
    Require,
    VerifyCa,
    VerifyFull,
}

/// The map form of a connection, as `flowetl schema` and the console show it.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
#[expect(dead_code, reason = "only its schema is used; values come from the connection")]
struct Keys {
    /// Host name, address, or the folder of a Unix socket.
    host: Option<String>,
    /// 5432 where it is left out.
    #[schemars(range(min = 1, max = 65535), extend("default" = 5432))]
    port: Option<u16>,
    username: Option<String>,
    #[schemars(extend("writeOnly" = true, "format" = "password"))]
    password: Option<String>,
    /// That of the user's name where it is left out.
    database: Option<String>,
    /// `disable`, `prefer` (default), `require`, `verify-ca` or `verify-full`.
    #[schemars(extend("enum" = ["disable", "prefer", "require", "verify-ca", "verify-full"]))]
    sslmode: Option<String>,
    /// File of PEM certificates that sign the server's.
    sslrootcert: Option<String>,
}

/// JSON Schema of a connection's keys.
pub(super) fn schema() -> Value {
    schemars::schema_for!(Keys).into()
}

impl Settings {
    /// Checks the options by name; a wrong one is a user's error.
    pub(super) fn new(connection: Connection) -> Result<Self> {
        let name = connection.name;
        let mut encryption = Encryption::default();
        let mut root_certificates = None;
        for (key, value) in &connection.options {
            match key.as_str() {
                "sslmode" => encryption = encryption_of(&name, value.reveal())?,
                "sslrootcert" => root_certificates = Some(PathBuf::from(value.reveal())),
                _ => {
                    return Err(Error::user(format!(
                        "connection `{name}`: option `{key}` is not known; there are `sslmode` and `sslrootcert`"
                    )));
                }
            }
        }
        let user = connection.user.unwrap_or_else(|| "postgres".into());
        let database = connection.path.trim_matches('/');
        Ok(Self {
            connection: name.into(),
            host: connection.host.unwrap_or_else(|| "localhost".into()),
            port: connection.port.unwrap_or(PORT),
            database: if database.is_empty() { user.clone() } else { database.to_owned() },
            user,
            password: connection.password,
            encryption,
            root_certificates,
        })
    }

    /// `host:port`, for messages.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn encryption_of(connection: &str, text: &str) -> Result<Encryption> {
    Ok(match text {
        "disable" => Encryption::Disable,
        "prefer" => Encryption::Prefer,
        "require" => Encryption::Require,
        "verify-ca" => Encryption::VerifyCa,
        "verify-full" => Encryption::VerifyFull,
        _ => {
            return Err(Error::user(format!(
                "connection `{connection}`: `sslmode` must be disable, prefer, require, verify-ca or verify-full"
            )));
        }
    })
}
