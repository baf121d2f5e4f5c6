//! The connections that a file may use: its own, those given from outside, and those that URLs and paths make.

use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Value, json};

use super::walk::Walk;
use super::words::Formats;
use crate::catalogue::{Catalogue, ConnectorDescription};
use crate::pipeline::file::{Content, Key, Node};
use crate::pipeline::problem::{At, ProblemCode, Problems, nearest, nearest_word, one_of};
use crate::pipeline::secrets::{self, Secrets};
use crate::pipeline::{ConnectionSpec, address};

/// Keys of a connection in map form that every connector shares, and the field of [`ConnectionSpec`] each one is.
const FIELDS: [(&str, Field); 9] = [
    ("host", Field::Host),
    ("bucket", Field::Host),
    ("port", Field::Port),
    ("user", Field::User),
    ("username", Field::User),
    ("password", Field::Password),
    ("database", Field::Path),
    ("path", Field::Path),
    ("prefix", Field::Path),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Host,
    Port,
    User,
    Password,
    Path,
}

/// The key that a connector's settings have for what `key` means: `user` and `username` are one, `host` and `bucket`.
pub fn usual_key<'a>(connector: &'a ConnectorDescription, key: &'a str) -> &'a str {
    let field = |key: &str| FIELDS.iter().find(|(name, _)| *name == key).map(|(_, field)| *field);
    let Some(meant) = field(key) else { return key };
    let known = connector.settings["properties"].as_object().into_iter().flat_map(|known| known.keys());
    known.map(String::as_str).find(|name| field(name) == Some(meant)).unwrap_or(key)
}

/// Puts a text where the key of a connection's map form has it.
pub(super) fn put(spec: &mut ConnectionSpec, key: &str, text: String) {
    match FIELDS.iter().find(|(field, _)| *field == key).map(|(_, field)| field) {
        Some(Field::Host) => spec.host = Some(text),
        Some(Field::User) => spec.user = Some(text),
        Some(Field::Password) => spec.password = Some(text),
        Some(Field::Path) => spec.path = text,
        // A number, and never a secret.
        Some(Field::Port) => {}
        None => drop(spec.options.insert(key.to_owned(), text)),
    }
}

/// Every connection by name, and which of them are used.
pub(super) struct Connections<'a> {
    pub catalogue: &'a Catalogue,
    pub folder: &'a Path,
    specs: IndexMap<String, ConnectionSpec>,
    /// Where the file itself says them.
    said: BTreeMap<String, At>,
    /// Named by the file, but wrong: they are known, and their problem is told once.
    broken: Vec<String>,
    /// Where each one is used first.
    used: IndexMap<String, At>,
}

impl<'a> Connections<'a> {
    pub fn new(catalogue: &'a Catalogue, folder: &'a Path, given: &IndexMap<String, ConnectionSpec>) -> Self {
        let specs = given.clone();
        Self { catalogue, folder, specs, said: BTreeMap::new(), broken: Vec::new(), used: IndexMap::new() }
    }

    /// Reads a map of connections; they stand before given ones of the same name.
    pub fn read(&mut self, node: &Node, problems: &mut Problems) {
        let Content::Map(entries) = &node.content else {
            let message = format!("`connections` takes a map of names and URLs, but this is {}", node.sort());
            problems.add(node.at, ProblemCode::WrongType, message);
            return;
        };
        for (name, value) in entries {
            if !is_connection_name(&name.text) {
                let message = format!("`{}` is no name for a connection; use letters, digits, `_` and `-`", name.text);
                problems.add(name.at, ProblemCode::WrongValue, message);
                continue;
            }
            match read_one(&name.text, value, self.catalogue, self.folder, problems) {
                Some(spec) => {
                    self.specs.insert(name.text.clone(), spec);
                    self.said.insert(name.text.clone(), value.at);
                }
                None => self.broken.push(name.text.clone()),
            }
        }
    }

    /// Connections that win over all of the same name.
    pub fn stand_before(&mut self, overrides: &IndexMap<String, ConnectionSpec>) {
        for (name, spec) in overrides {
            self.specs.insert(name.clone(), spec.clone());
            self.said.remove(name);
        }
    }

    pub fn specs(self) -> IndexMap<String, ConnectionSpec> {
        self.specs
    }

    /// Whether this is the name of a connection, right or wrong.
    pub fn is_known(&self, name: &str) -> bool {
        self.specs.contains_key(name) || self.broken.iter().any(|broken| broken == name)
    }

    /// The connector of a named connection; `None` where the connection is wrong.
    pub fn connector(&self, name: &str) -> Option<&'a ConnectorDescription> {
        self.catalogue.connector_for_scheme(&self.specs.get(name)?.scheme)
    }

    pub fn mark_used(&mut self, name: &str, at: At) {
        self.used.entry(name.to_owned()).or_insert(at);
    }

    pub fn nearest(&self, name: &str) -> Option<&str> {
        nearest_word(name, self.specs.keys().map(String::as_str))
    }

    pub fn hint(&self, name: &str) -> String {
        match self.nearest(name) {
            Some(near) => format!("did you mean `{near}`?"),
            None if self.specs.is_empty() => format!("name it: `connections: {{{name}: URL}}`"),
            None => format!("known are {}", one_of(self.specs.keys().map(String::as_str)).replace(" or ", " and ")),
        }
    }

    /// Adds a connection that a URL or a path made, and returns its name: its address, without secrets.
    pub fn add_anonymous(&mut self, spec: ConnectionSpec) -> String {
        let address = spec.address();
        let mut name = address.clone();
        let mut number = 1;
        // The same address with other options is another connection.
        while self.specs.get(&name).is_some_and(|other| *other != spec) {
            number += 1;
            name = format!("{address} ({number})");
        }
        self.specs.entry(name.clone()).or_insert(spec);
        name
    }

    /// The connections that are used, in the order of first use.
    pub fn used(&self) -> IndexMap<String, ConnectionSpec> {
        self.used.keys().filter_map(|name| Some((name.clone(), self.specs.get(name)?.clone()))).collect()
    }

    /// Tells which used connections need a secret that is not there.
    pub fn check_secrets(&self, secrets: &dyn Secrets, problems: &mut Problems) {
        for (name, first_use) in &self.used {
            let Some(spec) = self.specs.get(name) else { continue };
            let at = self.said.get(name).copied().unwrap_or(*first_use);
            for text in spec.texts() {
                if let Err(missing) = secrets::resolve(text, secrets) {
                    problems.add(at, ProblemCode::MissingSecret, format!("connection `{name}`: {missing}"));
                }
            }
        }
    }
}

pub(super) fn is_connection_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Reads one connection: a URL, or a map with `type`.
pub(super) fn read_one(
    name: &str,
    node: &Node,
    catalogue: &Catalogue,
    folder: &Path,
    problems: &mut Problems,
) -> Option<ConnectionSpec> {
    let before = problems.len();
    let spec = match &node.content {
        Content::Text(url) => from_url(name, &url.text, node.at, catalogue, folder, problems),
        Content::Map(_) => from_map(name, node, catalogue, folder, problems),
        _ => {
            let message = format!("connection `{name}` is a URL or a map with `type`, but this is {}", node.sort());
            problems.add(node.at, ProblemCode::WrongType, message);
            None
        }
    };
    spec.filter(|_| problems.len() == before)
}

fn from_url(
    name: &str,
    url: &str,
    at: At,
    catalogue: &Catalogue,
    folder: &Path,
    problems: &mut Problems,
) -> Option<ConnectionSpec> {
    let Some(scheme) = address::scheme(url, |s| catalogue.connector_for_scheme(s).is_some()) else {
        let message = format!("connection `{name}` is no URL");
        let hint = "write `scheme://...`; a secret can be any part of it but the scheme".to_owned();
        problems.add_with(at, ProblemCode::WrongValue, message, Some(hint));
        return None;
    };
    let connector = connector(name, scheme, at, catalogue, problems)?;
    let address = match address::parse(url, &connector.schemes[0], folder) {
        Ok(address) => address,
        Err(wrong) => {
            problems.add(at, ProblemCode::WrongValue, format!("connection `{name}`: {wrong}"));
            return None;
        }
    };
    if address.fragment.is_some() {
        let message = format!("connection `{name}`: what stands after `#` belongs to a block, not to a connection");
        problems.add(at, ProblemCode::WrongValue, message);
    }
    check_options(name, &address.spec, connector, at, problems);
    Some(address.spec)
}

/// The connector of a scheme, whose own first scheme is the usual one.
pub(super) fn connector<'a>(
    name: &str,
    scheme: &str,
    at: At,
    catalogue: &'a Catalogue,
    problems: &mut Problems,
) -> Option<&'a ConnectorDescription> {
    let found = catalogue.connector_for_scheme(scheme);
    if found.is_none() {
        let known: Vec<&str> = catalogue.connectors.iter().flat_map(|c| &c.schemes).map(String::as_str).collect();
        let hint = nearest(scheme, known.iter().copied()).unwrap_or_else(|| format!("known are {}", one_of(known)));
        let message = format!("connection `{name}`: no connector answers to `{scheme}`");
        problems.add_with(at, ProblemCode::WrongValue, message, Some(hint));
    }
    found
}

/// Checks a URL's options against the connector's settings, as far as these are closed.
pub(super) fn check_options(
    name: &str,
    spec: &ConnectionSpec,
    connector: &ConnectorDescription,
    at: At,
    problems: &mut Problems,
) {
    let entries = spec.options.iter().map(|(key, value)| {
        let mut node = Node::text_of(value);
        node.at = at;
        match connector.meant(key, value) {
            Value::Number(number) => node.content = Content::Number(number),
            Value::Bool(truth) => node.content = Content::Bool(truth),
            _ => {}
        }
        (Key { at, text: key.clone() }, node)
    });
    check_keys(name, &Node::map(at, entries.collect()), connector, problems);
}

fn check_keys(name: &str, node: &Node, connector: &ConnectorDescription, problems: &mut Problems) {
    let settings = &connector.settings;
    if settings.get("properties").is_none() {
        return;
    }
    // What must be there is the connector's own to say: a URL keeps host and database elsewhere.
    let mut schema = settings.clone();
    schema["required"] = json!([]);
    let open = node.entries().iter().filter(|(key, value)| {
        let is_field = key.text == "type" || FIELDS.iter().any(|(field, _)| *field == key.text);
        let is_pending = value.text().is_some_and(|text| text.contains("${"));
        let is_known = settings["properties"].get(&key.text).is_some();
        // Secrets are not looked at, so that no message can hold one; nor are texts that are known only later.
        !is_field && !(is_known && (is_pending || crate::pipeline::connection::is_secret(&key.text)))
    });
    let open = Node::map(node.at, open.cloned().collect());
    let mut found = Problems::new("");
    let mut walk = Walk { root: &schema, others: &["type"], words: Formats, problems: &mut found };
    walk.check("connection", &schema, &open);
    for problem in found.into_sorted() {
        let message = format!("connection `{name}`: {}", problem.message);
        problems.add_with(problem.at, problem.code, message, problem.hint);
    }
}

fn from_map(
    name: &str,
    node: &Node,
    catalogue: &Catalogue,
    folder: &Path,
    problems: &mut Problems,
) -> Option<ConnectionSpec> {
    let Some(scheme) = node.get("type").and_then(Node::text) else {
        let message = format!("connection `{name}`: the key `type` is missing");
        problems.add(node.at, ProblemCode::MissingKey, message);
        return None;
    };
    let connector = connector(name, scheme, node.get("type")?.at, catalogue, problems)?;
    check_keys(name, node, connector, problems);
    let mut spec = ConnectionSpec {
        scheme: connector.schemes[0].clone(),
        host: None,
        port: None,
        user: None,
        password: None,
        path: String::new(),
        options: IndexMap::new(),
    };
    for (key, value) in node.entries().iter().filter(|(key, _)| key.text != "type") {
        let text = match &value.content {
            Content::Text(text) => text.text.clone(),
            Content::Number(number) => number.to_string(),
            Content::Bool(truth) => truth.to_string(),
            Content::Null => continue,
            Content::List(_) | Content::Map(_) => {
                let message = format!("connection `{name}`: `{}` takes text, but this is {}", key.text, value.sort());
                problems.add(value.at, ProblemCode::WrongType, message);
                continue;
            }
        };
        if let Err(wrong) = secrets::written(&text) {
            problems.add(value.at, ProblemCode::WrongValue, format!("connection `{name}`: {wrong}"));
        }
        match FIELDS.iter().find(|(field, _)| *field == key.text).map(|(_, field)| field) {
            Some(Field::Host) => spec.host = Some(text),
            Some(Field::User) => spec.user = Some(text),
            Some(Field::Password) => spec.password = Some(text),
            Some(Field::Path) if address::is_local(&spec.scheme) => spec.path = address::local_path(folder, &text),
            Some(Field::Path) => spec.path = text,
            Some(Field::Port) => match text.parse() {
                Ok(port) if port > 0 => spec.port = Some(port),
                _ => {
                    let message = format!("connection `{name}`: `port` takes a number from 1 to 65535");
                    problems.add(value.at, ProblemCode::WrongValue, message);
                }
            },
            None => {
                spec.options.insert(key.text.clone(), text);
            }
        }
    }
    Some(spec)
}
