//! Connections that a service keeps: their settings as JSON, without the secrets.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Parser, connections};
use crate::pipeline::problem::{At, Problem, ProblemCode, Problems};
use crate::pipeline::{ConnectionSpec, address, file, secrets};

impl Parser<'_> {
    /// Reads a connection by its settings. `sealed` are those that are secrets, with their paths in the service's vault. Paths
    /// of this machine are absolute: a service has no folder that they could start from.
    pub fn stored(
        &self,
        name: &str,
        scheme: &str,
        config: &Map<String, Value>,
        sealed: &BTreeMap<String, String>,
    ) -> Result<ConnectionSpec, Vec<Problem>> {
        let mut problems = Problems::new(self.file);
        let mut keys = config.clone();
        keys.insert("type".to_owned(), json!(scheme));
        let node = file::read(&Value::Object(keys).to_string(), &mut problems);
        let read = node.and_then(|node| connections::read_one(name, &node, self.catalogue, self.folder, &mut problems));
        let Some(mut spec) = read else { return Err(problems.into_sorted()) };
        let connector = self.catalogue.connector_for_scheme(scheme);
        let required = connector.and_then(|c| c.settings["required"].as_array()).into_iter().flatten();
        for key in required.filter_map(Value::as_str).filter(|key| *key != "type") {
            let is_said = config.get(key).is_some_and(|value| !value.is_null() && value != "");
            if !is_said && !sealed.contains_key(key) {
                let message = format!("connection `{name}`: the key `{key}` is missing");
                problems.add(At::default(), ProblemCode::MissingKey, message);
            }
        }
        let path = ["path", "database"].iter().find_map(|key| config.get(*key)?.as_str());
        let is_absolute = path.is_none_or(|path| path.is_empty() || path.starts_with('/') || path.starts_with("${"));
        if address::is_local(&spec.scheme) && !is_absolute {
            let message = format!("connection `{name}`: `path` begins with `/`");
            problems.add(At::default(), ProblemCode::WrongValue, message);
        }
        for (key, path) in sealed {
            connections::put(&mut spec, key, secrets::in_vault(path));
        }
        problems.or(spec)
    }
}
