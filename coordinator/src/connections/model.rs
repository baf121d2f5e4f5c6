//! A connection as it is kept and as it is shown.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::ConnectionUser;

/// What stands in the place of every secret.
pub(crate) const SEALED: &str = "encrypted_value";

/// Where rows may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Direction {
    Source,
    Destination,
    #[default]
    Both,
}

impl Direction {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::Destination => "destination",
            Self::Both => "both",
        }
    }
}

impl FromStr for Direction {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let all = [Self::Source, Self::Destination, Self::Both];
        let found = all.into_iter().find(|direction| direction.as_str() == text);
        found.ok_or_else(|| format!("`{text}` is none of `source`, `destination` and `both`"))
    }
}

/// A connection. Its secrets are tokens of its organization's vault.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Connection {
    pub id: String,
    pub organization: String,
    pub name: String,
    /// A scheme that one of the connectors answers to, as it was written.
    pub kind: String,
    pub direction: Direction,
    /// Empty: in none.
    pub folder: String,
    /// The settings that are no secrets.
    pub config: Map<String, Value>,
    /// Those that are, as tokens.
    pub sealed: BTreeMap<String, String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Of these very settings; `None` where there was none yet.
    pub test: Option<LastTest>,
}

/// What was found at a test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LastTest {
    pub at: Timestamp,
    pub success: bool,
    pub version: Option<String>,
    pub message: String,
}

impl LastTest {
    pub(crate) fn status(&self) -> &'static str {
        if self.success { "success" } else { "failed" }
    }
}

/// Which connections of an organization.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionQuery {
    pub organization: String,
    /// Of any of these types; of any at all where there are none.
    pub kinds: Vec<String>,
    pub direction: Option<Direction>,
    /// In this folder; in any where it is `None`.
    pub folder: Option<String>,
    /// With this in their name or settings.
    pub search: Option<String>,
    /// Those that come behind this one.
    pub after: Option<String>,
    pub limit: i64,
}

/// A connection as the API shows it: its settings stand beside its other fields as well as in `config`.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionView {
    pub id: String,
    /// The same.
    pub _id: String,
    pub name: String,
    /// `postgres`, `sqlite`, `s3`, `file`: a scheme that one of the connectors answers to.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same.
    pub db_type: String,
    pub direction: Direction,
    /// Whether pipelines may read from it.
    pub is_source: bool,
    /// Null where it lies in none.
    pub folder: Option<String>,
    /// `host`, `port`, `database`, `username` and what else its connector announces; `encrypted_value` for each secret.
    #[schema(value_type = Object)]
    pub config: Config,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// When it was tested last; null where it was not since its settings changed.
    pub last_tested_at: Option<Timestamp>,
    /// `success` or `failed`.
    pub last_test_status: Option<&'static str>,
    /// The server's, as it says it itself.
    pub last_test_version: Option<String>,
    pub last_test_message: Option<String>,
    /// The settings once more.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub settings: Settings,
}

/// A connection's settings as they are shown.
#[derive(Clone, Debug)]
pub(crate) struct Config(Arc<Map<String, Value>>);

/// The same beside the connection's own fields, which come first.
#[derive(Debug)]
pub(crate) struct Settings(Config);

impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl Serialize for Settings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Config(all) = &self.0;
        serializer.collect_map(all.iter().filter(|(key, _)| !OWN.contains(&key.as_str())))
    }
}

/// A connection with the pipelines that use it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectionDetail {
    #[serde(flatten)]
    pub connection: ConnectionView,
    /// Those that can run and name it, by name: up to 500.
    pub used_by: Vec<ConnectionUser>,
}

/// Names of a connection's own: settings of the same name stand in `config` alone.
pub(super) const OWN: [&str; 16] = [
    "id",
    "_id",
    "name",
    "type",
    "db_type",
    "direction",
    "is_source",
    "folder",
    "config",
    "created_at",
    "updated_at",
    "last_tested_at",
    "last_test_status",
    "last_test_version",
    "last_test_message",
    "used_by",
];

impl From<Connection> for ConnectionView {
    fn from(connection: Connection) -> Self {
        let mut config = connection.config;
        config.extend(connection.sealed.into_keys().map(|key| (key, json!(SEALED))));
        let config = Config(Arc::new(config));
        let test = connection.test;
        Self {
            _id: connection.id.clone(),
            id: connection.id,
            name: connection.name,
            db_type: connection.kind.clone(),
            kind: connection.kind,
            direction: connection.direction,
            is_source: connection.direction != Direction::Destination,
            folder: Some(connection.folder).filter(|folder| !folder.is_empty()),
            settings: Settings(config.clone()),
            config,
            created_at: connection.created_at,
            updated_at: connection.updated_at,
            last_tested_at: test.as_ref().map(|test| test.at),
            last_test_status: test.as_ref().map(LastTest::status),
            last_test_version: test.as_ref().and_then(|test| test.version.clone()),
            last_test_message: test.map(|test| test.message),
        }
    }
}
