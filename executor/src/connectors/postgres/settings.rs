//! A connection's settings as PostgreSQL needs them: address, sign-in, encryption.

use std::ops::RangeInclusive;
use std::sync::Arc;

use flowetl_proto::pipeline::{Connection, Secret};
use schemars::JsonSchema;
use serde_json::Value;

use crate::connectors::pem::Pem;
use crate::connectors::tunnel::{self, Gateway};
use crate::{Error, Result};

/// The usual port of a PostgreSQL server.
const PORT: u16 = 5432;

/// Sessions at once where nothing is said: enough for pipelines of many tables, and fewer than the hundred that a server allows
/// by itself.
const POOL_SIZE: usize = 64;
/// Reading takes a session that keeps the state and one that reads it; more than a thousand is a slip of the hand.
const POOL_SIZES: RangeInclusive<usize> = 2..=1000;

/// Where to sign in, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    pub root_certificates: Option<Pem>,
    /// The certificate that this end shows, with those that signed it, and its private key.
    pub client_certificate: Option<(Pem, Pem)>,
    /// The SSH server that the way leads through.
    pub gateway: Option<Gateway>,
    /// Sessions that this process has at once, whatever they are for.
    pub pool_size: usize,
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
    /// Certificates that sign the server's: a file of PEM, or its text.
    sslrootcert: Option<String>,
    /// Certificate to show to the server: a file of PEM, or its text. Needs `sslkey`.
    #[schemars(title = "Client certificate")]
    sslcert: Option<String>,
    /// Private key of `sslcert`, not encrypted: a file of PEM, or its text.
    #[schemars(title = "Client key", extend("writeOnly" = true))]
    sslkey: Option<String>,
    /// Sessions that one executor has at once: 64 where it is left out. Reading takes one, and one for each table.
    #[schemars(title = "Sessions at once", range(min = 2, max = 1000))]
    pool_size: Option<u16>,
}

/// JSON Schema of a connection's keys.
pub(super) fn schema() -> Value {
    tunnel::with_keys(schemars::schema_for!(Keys).into())
}

impl Settings {
    /// Checks the options by name; a wrong one is a user's error.
    pub(super) fn new(mut connection: Connection) -> Result<Self> {
        let name = connection.name;
        let gateway = Gateway::take(&name, &mut connection.options)?;
        let mut encryption = Encryption::default();
        let (mut root_certificates, mut certificate, mut key, mut pool_size) = (None, None, None, POOL_SIZE);
        for (option, value) in connection.options {
            match option.as_str() {
                "sslmode" => encryption = encryption_of(&name, value.reveal())?,
                "sslrootcert" => root_certificates = Some(Pem::new(value)),
                "sslcert" => certificate = Some(Pem::new(value)),
                "sslkey" => key = Some(Pem::new(value)),
                "pool_size" => pool_size = pool_size_of(&name, value.reveal())?,
                _ => {
                    let known =
                        "`sslmode`, `sslrootcert`, `sslcert`, `sslkey`, `pool_size`, and those that begin with `ssh_`";
                    let message = format!("connection `{name}`: option `{option}` is not known; there are {known}");
                    return Err(Error::user(message));
                }
            }
        }
        let client_certificate = match (certificate, key) {
            (None, None) => None,
            (Some(_), Some(_)) if encryption == Encryption::Disable => {
                return Err(Error::user(format!(
                    "connection `{name}`: `sslcert` is shown only where the connection is encrypted, and `sslmode` is disable"
                )));
            }
            (Some(certificate), Some(key)) => Some((certificate, key)),
            (Some(_), None) => return Err(Error::user(format!("connection `{name}`: `sslcert` needs its `sslkey`"))),
            (None, Some(_)) => return Err(Error::user(format!("connection `{name}`: `sslkey` needs its `sslcert`"))),
        };
        if gateway.is_some() && connection.host.as_ref().is_some_and(|host| host.starts_with('/')) {
            let message =
                format!("connection `{name}`: through `ssh_host` goes a network connection, and `host` is a folder");
            return Err(Error::user(message));
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
            client_certificate,
            gateway,
            pool_size,
        })
    }

    /// `host:port`, for messages.
    pub(super) fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

fn pool_size_of(connection: &str, text: &str) -> Result<usize> {
    text.parse().ok().filter(|size| POOL_SIZES.contains(size)).ok_or_else(|| {
        let (min, max) = (POOL_SIZES.start(), POOL_SIZES.end());
        let why = "one session keeps the state of the database that the others read";
        Error::user(format!("connection `{connection}`: `pool_size` must be a number from {min} to {max}: {why}"))
    })
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
