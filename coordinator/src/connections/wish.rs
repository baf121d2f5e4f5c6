//! What is wanted of a connection: read from a document, laid over what there is, and checked against its connector. Pure.

use std::collections::BTreeMap;

use flowetl_proto::catalogue::{Catalogue, ConnectorDescription};
use flowetl_proto::pipeline::{ConnectionSpec, Parser, Secret, is_reference, usual_key};
use flowetl_proto::run::Timestamp;
use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::model::{OWN, SEALED};
use super::{Connection, Direction, path};
use crate::accounts::{Refusal, text};

/// What a folder's name has at most.
const FOLDER_CHARS_MAX: usize = 200;
/// These stand between the parts of a place in a pipeline file, or make it something else.
const NOT_IN_NAMES: [char; 6] = ['.', '/', ':', '"', '$', '#'];
/// Names of the type; they mean the same.
const KIND: [&str; 3] = ["type", "db_type", "connector_type"];

/// What was sent of a connection. Settings may hold secrets, so that this has no debug print.
#[derive(Default)]
pub(crate) struct Wish {
    /// The connection that it is about, where a draft is tested.
    pub id: Option<String>,
    pub name: Option<String>,
    pub kind: Option<String>,
    pub direction: Option<Direction>,
    pub folder: Option<String>,
    /// From beside the connection's own fields, and from `config`.
    pub beside: Map<String, Value>,
    pub config: Map<String, Value>,
}

/// A connection as it is to be, with the secrets that are new and not sealed yet.
pub(crate) struct Draft {
    pub connection: Connection,
    pub secrets: BTreeMap<String, Secret>,
}

impl Wish {
    /// Settings may stand beside a connection's own fields or in `config`. What only the service writes is left out.
    pub(crate) fn read(document: Map<String, Value>) -> Result<Self, Refusal> {
        let mut wish = Self::default();
        for (key, value) in document {
            match key.as_str() {
                "name" => wish.name = word("name", value)?,
                "id" | "_id" => wish.id = word("id", value)?,
                "direction" => {
                    let direction = word("direction", value)?.map(|text| text.to_lowercase().parse());
                    wish.direction = direction.transpose().map_err(|e: String| Refusal::wrong("direction", e))?;
                }
                "folder" => wish.folder = Some(word("folder", value)?.unwrap_or_default()),
                "config" => match value {
                    Value::Object(config) => wish.config = config,
                    Value::Null => {}
                    _ => return Err(Refusal::wrong("config", "`config` takes an object of settings")),
                },
                _ if KIND.contains(&key.as_str()) => {
                    let kind = word("type", value)?;
                    if kind.is_some() && wish.kind.is_some() && wish.kind != kind {
                        return Err(Refusal::wrong("type", "`type` and `db_type` mean the same, and differ here"));
                    }
                    wish.kind = kind.or(wish.kind);
                }
                own if OWN.contains(&own) => {}
                _ => drop(wish.beside.insert(key, value)),
            }
        }
        Ok(wish)
    }

    /// Lays the wish over `base`, which is new where it has no type yet.
    pub(crate) fn over(self, base: Connection, catalogue: &Catalogue) -> Result<Draft, Refusal> {
        let is_new = base.kind.is_empty();
        let kind = self.kind.unwrap_or_else(|| base.kind.clone());
        if kind.is_empty() {
            return Err(Refusal::wrong("type", "a connection has a `type`"));
        }
        let connector = connector(catalogue, &kind)?;
        let mut draft = Draft { connection: Connection { kind, ..base }, secrets: BTreeMap::new() };
        let connection = &mut draft.connection;
        connection.name = name(self.name.as_deref().unwrap_or(&connection.name))?;
        connection.direction = self.direction.unwrap_or(connection.direction);
        if let Some(folder) = self.folder {
            connection.folder = self::folder(&folder)?;
        }
        if is_new {
            connection.config.extend(defaults(connector));
        }
        connection.sealed.retain(|key, _| connector.secrets().any(|secret| secret == key));
        for (key, value) in settled(connection, connector, self.beside, self.config)? {
            draft.set(connector, key, value)?;
        }
        draft.spec(catalogue)?;
        Ok(draft)
    }
}

impl Draft {
    /// One setting; null takes it away, and what stands for a secret leaves that as it is.
    fn set(&mut self, connector: &ConnectorDescription, key: String, value: Value) -> Result<(), Refusal> {
        let is_secret = connector.secrets().any(|secret| secret == key);
        if is_secret && value == SEALED {
            return Ok(());
        }
        if is_secret {
            self.connection.sealed.remove(&key);
        }
        match value {
            Value::Null => drop(self.connection.config.shift_remove(&key)),
            Value::String(text) if is_secret && text.is_empty() => drop(self.connection.config.shift_remove(&key)),
            Value::String(text) if is_secret && !is_reference(&text) => {
                self.connection.config.shift_remove(&key);
                self.secrets.insert(key, Secret::new(text));
            }
            Value::Number(_) | Value::Bool(_) | Value::Array(_) | Value::Object(_) if is_secret => {
                return Err(Refusal::wrong("config", format!("`{key}` takes text")));
            }
            value => drop(self.connection.config.insert(key, value)),
        }
        Ok(())
    }

    /// The connection for whoever does the connecting, with references to its secrets.
    pub(crate) fn spec(&self, catalogue: &Catalogue) -> Result<ConnectionSpec, Refusal> {
        spec(&self.connection, self.secrets.keys(), catalogue)
    }
}

/// A connection for whoever does the connecting, with references to its secrets.
pub(crate) fn spec<'a>(
    connection: &'a Connection,
    new: impl Iterator<Item = &'a String>,
    catalogue: &Catalogue,
) -> Result<ConnectionSpec, Refusal> {
    let none = IndexMap::new();
    let parser = Parser {
        file: "connection",
        folder: std::path::Path::new("/"),
        catalogue,
        connections: &none,
        overrides: &none,
        secrets: None,
    };
    let keys = connection.sealed.keys().chain(new);
    let sealed = keys.map(|key| (key.clone(), path(&connection.organization, &connection.id, key))).collect();
    parser.stored(&connection.name, &connection.kind, &connection.config, &sealed).map_err(|problems| {
        let said = problems.into_iter().map(|problem| match problem.hint {
            Some(hint) => format!("{} ({hint})", problem.message),
            None => problem.message,
        });
        Refusal::wrong("config", said.collect::<Vec<_>>().join("; "))
    })
}

/// The connector that answers to a type.
pub(crate) fn connector<'a>(catalogue: &'a Catalogue, kind: &str) -> Result<&'a ConnectorDescription, Refusal> {
    catalogue.connector_for_scheme(kind).ok_or_else(|| {
        let known = catalogue.connectors.iter().flat_map(|connector| &connector.schemes);
        let known = known.map(|scheme| format!("`{scheme}`")).collect::<Vec<_>>().join(", ");
        Refusal::wrong("type", format!("no connector answers to `{kind}`: there are {known}"))
    })
}

/// The settings of both places under their usual names. Whoever sends a connection back as it was shown, but for one place,
/// means the change.
fn settled(
    connection: &Connection,
    connector: &ConnectorDescription,
    beside: Map<String, Value>,
    config: Map<String, Value>,
) -> Result<Map<String, Value>, Refusal> {
    let mut settled = Map::new();
    for (key, value) in beside.into_iter().chain(config) {
        let usual = usual_key(connector, &key);
        let is_as_before = |value: &Value| match connection.config.get(usual) {
            Some(before) => before == value,
            None => value.is_null() || value == SEALED,
        };
        match settled.get(usual) {
            Some(other) if *other == value || is_as_before(&value) => {}
            Some(other) if !is_as_before(other) => {
                return Err(Refusal::wrong("config", format!("`{usual}` is said twice, and differs")));
            }
            _ => drop(settled.insert(usual.to_owned(), value)),
        }
    }
    Ok(settled)
}

/// The settings that are known where nothing is said, such as the usual port.
fn defaults(connector: &ConnectorDescription) -> impl Iterator<Item = (String, Value)> {
    let known = connector.settings["properties"].as_object().into_iter().flatten();
    known.filter_map(|(key, property)| Some((key.clone(), property.get("default")?.clone())))
}

fn word(field: &'static str, value: Value) -> Result<Option<String>, Refusal> {
    match value {
        Value::String(text) => Ok(Some(text)),
        Value::Null => Ok(None),
        _ => Err(Refusal::wrong(field, format!("`{field}` takes text"))),
    }
}

/// A name that can stand in a pipeline file.
fn name(name: &str) -> Result<String, Refusal> {
    let name = text::name(name)?;
    match name.contains(NOT_IN_NAMES) {
        true => Err(Refusal::wrong("name", "a connection's name has none of `.`, `/`, `:`, `\"`, `$` and `#`")),
        false => Ok(name),
    }
}

fn folder(folder: &str) -> Result<String, Refusal> {
    let folder = folder.trim().trim_matches('/');
    match folder.chars().count() > FOLDER_CHARS_MAX || folder.chars().any(char::is_control) {
        true => {
            Err(Refusal::wrong("folder", format!("a folder has at most {FOLDER_CHARS_MAX} characters in one line")))
        }
        false => Ok(folder.to_owned()),
    }
}

/// A connection of which nothing is known yet.
pub(crate) fn blank(id: String, organization: &str, now: i64) -> Connection {
    Connection {
        id,
        organization: organization.to_owned(),
        name: String::new(),
        kind: String::new(),
        direction: Direction::default(),
        folder: String::new(),
        config: Map::new(),
        sealed: BTreeMap::new(),
        created_at: Timestamp(now),
        updated_at: Timestamp(now),
        test: None,
    }
}
