//! Reads the text of a place: a table of a connection, a query, files, or a URL of either.

use std::path::Path;

use super::connections::{self, Connections, check_options};
use crate::catalogue::Places;
use crate::pipeline::file::{Content, Node};
use crate::pipeline::problem::{ProblemCode, Problems, nearest};
use crate::pipeline::{ConnectionSpec, Reference, address};

/// Endings that make a text without a connection a file.
const ENDINGS: [&str; 7] = ["parquet", "csv", "tsv", "json", "ndjson", "jsonl", "xlsx"];

/// What the place is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    Source,
    Target,
}

/// Reads the place under `key`. `within` is the connection whose tables are meant, where the block has one of its own.
pub(super) fn read(
    key: &str,
    node: &Node,
    purpose: Use,
    within: Option<&str>,
    connections: &mut Connections<'_>,
    problems: &mut Problems,
) -> Option<Reference> {
    let mut reader = Reader { key, node, connections, problems };
    let place = match &node.content {
        Content::Text(text) => match within {
            Some(connection) => reader.table_within(connection, &text.text),
            None => reader.text(text.text.trim()),
        },
        Content::Map(_) if purpose == Use::Source => reader.query(),
        _ => {
            let accepted = if purpose == Use::Source {
                "a place: text, or a map of `connection` and `query`"
            } else {
                "a place: text"
            };
            let message = format!("`{key}` takes {accepted}, but this is {}", node.sort());
            reader.problems.add(node.at, ProblemCode::WrongType, message);
            None
        }
    };
    if let Some(place) = &place {
        connections.mark_used(place.connection(), node.at);
    }
    place
}

struct Reader<'r, 'a> {
    key: &'r str,
    node: &'r Node,
    connections: &'r mut Connections<'a>,
    problems: &'r mut Problems,
}

impl Reader<'_, '_> {
    fn wrong(&mut self, message: impl Into<String>, hint: Option<String>) -> Option<Reference> {
        self.problems.add_with(self.node.at, ProblemCode::WrongReference, message, hint);
        None
    }

    fn unknown_connection(&mut self, name: &str) -> Option<Reference> {
        let hint = Some(self.connections.hint(name));
        self.problems.add_with(
            self.node.at,
            ProblemCode::UnknownConnection,
            format!("unknown connection `{name}`"),
            hint,
        );
        None
    }

    fn text(&mut self, text: &str) -> Option<Reference> {
        let catalogue = self.connections.catalogue;
        if let Some(scheme) = address::scheme(text, |s| catalogue.connector_for_scheme(s).is_some()) {
            return self.url(text, scheme);
        }
        if text.contains("${") {
            return self.wrong(format!("`{}`: a secret can stand only in a connection", self.key), None);
        }
        if text.starts_with('/') || text.starts_with("./") || text.starts_with("../") {
            return self.local(text);
        }
        let end = text.find(['.', '/']).unwrap_or(text.len());
        let (head, rest) = (&text[..end], &text[end..]);
        if self.connections.is_known(head) {
            return self.named(head, rest);
        }
        let near = self.connections.nearest(head).map(str::to_owned);
        match near {
            Some(near) if rest.starts_with('/') => {
                let hint = format!("did you mean `{near}`? (a folder of that name is written `./{head}/...`)");
                let message = format!("unknown connection `{head}`");
                self.problems.add_with(self.node.at, ProblemCode::UnknownConnection, message, Some(hint));
                None
            }
            _ if rest.starts_with('/') || has_data_ending(text) => self.local(text),
            _ if rest.is_empty() || !connections::is_connection_name(head) => self.wrong(
                format!("`{text}` is no place"),
                Some("write `connection.schema.table`, `connection/path`, a file or a URL".to_owned()),
            ),
            _ => self.unknown_connection(head),
        }
    }

    /// `connection.schema.table` or `connection/path`.
    fn named(&mut self, connection: &str, rest: &str) -> Option<Reference> {
        // A connection that is itself wrong was told about where it stands.
        let connector = self.connections.connector(connection)?;
        match (connector.places, rest.strip_prefix('.'), rest.strip_prefix('/')) {
            (Places::Tables, Some(table), _) => self.table(connection, table),
            (Places::Paths, _, Some(path)) if !path.is_empty() => {
                Some(Reference::Path { connection: connection.to_owned(), path: path.to_owned(), format: None })
            }
            (Places::Tables, ..) => self.wrong(
                format!("`{connection}{rest}` names no table, but `{connection}` ({}) holds tables", connector.label),
                Some(format!("write `{connection}.schema.table`")),
            ),
            (Places::Paths, ..) => self.wrong(
                format!("`{connection}{rest}` names no file, but `{connection}` ({}) holds files", connector.label),
                Some(format!("write `{connection}/path`")),
            ),
        }
    }

    fn table(&mut self, connection: &str, name: &str) -> Option<Reference> {
        match split_name(name) {
            Ok(mut parts) if parts.len() <= 2 => {
                let table = parts.pop()?;
                Some(Reference::Table { connection: connection.to_owned(), schema: parts.pop(), table })
            }
            Ok(parts) => self.wrong(
                format!("`{name}` has {} parts, but a table has a schema and a name", parts.len()),
                Some("a name that holds a dot stands in double quotes".to_owned()),
            ),
            Err(wrong) => self.wrong(wrong, None),
        }
    }

    /// `schema.table` of the connection that the block names elsewhere.
    fn table_within(&mut self, connection: &str, text: &str) -> Option<Reference> {
        if address::scheme(text, |_| false).is_some() || text.contains('/') {
            let message = format!("`{}` names a table inside `{connection}`", self.key);
            return self.wrong(message, Some("write `schema.table`".to_owned()));
        }
        let own = text.strip_prefix(connection).and_then(|rest| rest.strip_prefix('.'));
        match own.filter(|rest| split_name(rest).is_ok_and(|parts| parts.len() == 2)) {
            Some(rest) => self.table(connection, rest),
            None => self.table(connection, text),
        }
    }

    /// `{connection: shop, query: "select ..."}`.
    fn query(&mut self) -> Option<Reference> {
        let key = self.key;
        for (found, _) in self.node.entries() {
            if !["connection", "query"].contains(&found.text.as_str()) {
                let message = format!("unknown key `{}` in `{key}`", found.text);
                let hint = nearest(&found.text, ["connection", "query"])
                    .unwrap_or_else(|| "here can stand `connection` and `query`".to_owned());
                self.problems.add_with(found.at, ProblemCode::UnknownKey, message, Some(hint));
            }
        }
        let mut texts = Vec::new();
        for wanted in ["connection", "query"] {
            match self.node.get(wanted) {
                Some(node) => match node.text().filter(|text| !text.trim().is_empty()) {
                    Some(text) => texts.push(text.to_owned()),
                    None => {
                        let message = format!("`{wanted}` takes text, but this is {}", node.sort());
                        self.problems.add(node.at, ProblemCode::WrongType, message);
                    }
                },
                None => {
                    let message = format!("the key `{wanted}` is missing in `{key}`");
                    self.problems.add(self.node.at, ProblemCode::MissingKey, message);
                }
            }
        }
        let [connection, query] = <[String; 2]>::try_from(texts).ok()?;
        if !self.connections.is_known(&connection) {
            return self.unknown_connection(&connection);
        }
        if self.connections.connector(&connection)?.places != Places::Tables {
            return self.wrong(format!("`{connection}` holds files and cannot run a query"), None);
        }
        Some(Reference::Query { connection, query })
    }

    /// `postgres://etl@127.0.0.1/shop#public.orders`, `s3://lake/raw/*.parquet?endpoint=...`, `file:///data/x.csv`.
    fn url(&mut self, text: &str, scheme: &str) -> Option<Reference> {
        let (at, catalogue) = (self.node.at, self.connections.catalogue);
        let connector = connections::connector(self.key, scheme, at, catalogue, self.problems)?;
        let address = match address::parse(text, &connector.schemes[0], self.connections.folder) {
            Ok(address) => address,
            Err(wrong) => return self.wrong(format!("`{}`: {wrong}", self.key), None),
        };
        check_options(self.key, &address.spec, connector, at, self.problems);
        let mut spec = address.spec;
        match (connector.places, address.fragment) {
            (Places::Tables, Some(table)) => {
                let name = self.connections.add_anonymous(spec);
                self.table(&name, &table)
            }
            (Places::Tables, None) => {
                let message = format!("`{}` names no table of `{}`", self.key, spec.address());
                self.wrong(message, Some("write it after a `#`: `...#schema.table`".to_owned()))
            }
            (Places::Paths, Some(_)) => self.wrong(format!("`{}`: a path takes no `#`", self.key), None),
            (Places::Paths, None) if address::is_local(&spec.scheme) => self.local(&spec.path),
            (Places::Paths, None) => {
                let path = std::mem::take(&mut spec.path);
                if path.is_empty() {
                    return self.wrong(format!("`{}` names no file of `{}`", self.key, spec.address()), None);
                }
                let connection = self.connections.add_anonymous(spec);
                Some(Reference::Path { connection, path, format: None })
            }
        }
    }

    /// A path on this machine. Below the pipeline's folder that folder is the connection, elsewhere the nearest folder
    /// whose name holds no wildcard.
    fn local(&mut self, text: &str) -> Option<Reference> {
        let folder = self.connections.folder;
        let full = address::local_path(folder, text);
        let home = address::local_path(folder, ".");
        let below = full.strip_prefix(&home).and_then(|rest| rest.strip_prefix('/'));
        let (root, path) = match below {
            Some(path) => (home.clone(), path),
            None if home == "." && !full.starts_with(['/', '.']) => (home.clone(), full.as_str()),
            None => split_root(&full),
        };
        if path.is_empty() {
            return self.wrong(format!("`{text}` is a folder; say which files, for example `{text}/*.parquet`"), None);
        }
        let Some(connector) = self.connections.catalogue.connector_for_scheme("file") else {
            return self.wrong(format!("`{text}` is a file, and no connector reads files"), None);
        };
        let spec = ConnectionSpec {
            scheme: connector.schemes[0].clone(),
            host: None,
            port: None,
            user: None,
            password: None,
            path: root,
            options: Default::default(),
        };
        let connection = self.connections.add_anonymous(spec);
        Some(Reference::Path { connection, path: path.to_owned(), format: None })
    }
}

/// The folder before the first wildcard, and the rest.
fn split_root(full: &str) -> (String, &str) {
    let fixed = full.find(['*', '?', '[']).map_or(full.trim_end_matches('/'), |wildcard| &full[..wildcard]);
    let end = fixed.rfind('/').unwrap_or(0);
    let root = if end == 0 { "/" } else { &full[..end] };
    (root.to_owned(), full[end..].trim_start_matches('/'))
}

/// Whether a text ends like a file of data: `.csv`, `.parquet.zst`.
pub(super) fn has_data_ending(text: &str) -> bool {
    let name = text.strip_suffix(".gz").or_else(|| text.strip_suffix(".zst")).unwrap_or(text);
    Path::new(name).extension().and_then(|e| e.to_str()).is_some_and(|ending| ENDINGS.contains(&ending))
}

/// Cuts `schema."odd.table"` at its dots; quoted parts lose their quotes.
fn split_name(name: &str) -> Result<Vec<String>, String> {
    let odd = || format!("`{name}` is no table's name; odd names stand in double quotes");
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let (part, after) = match rest.strip_prefix('"') {
            Some(inside) => quoted_part(inside).ok_or_else(odd)?,
            None => {
                let end = rest.find('.').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        let is_quoted = rest.starts_with('"');
        let is_plain = part.chars().all(|c| c.is_alphanumeric() || "_$-".contains(c));
        if part.is_empty() || !(is_quoted || is_plain) {
            return Err(odd());
        }
        parts.push(part);
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(parts),
            None => return Err(odd()),
        }
    }
}

/// The text up to the closing quote, where two quotes are one, and what follows.
fn quoted_part(inside: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = inside;
    loop {
        let end = rest.find('"')?;
        part.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        match rest.strip_prefix('"') {
            Some(after) => {
                part.push('"');
                rest = after;
            }
            None => return Some((part, rest)),
        }
    }
}
