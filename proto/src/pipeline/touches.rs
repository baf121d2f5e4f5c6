//! Which places a pipeline touches: what it reads and writes outside itself.

use serde_json::Value;

use super::{Block, Pipeline, Reference, sql};
use crate::catalogue::Catalogue;

/// The places that a pipeline reads and writes, each once, in the order of its blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Touches {
    /// Without what it writes itself before.
    pub reads: Vec<Reference>,
    pub writes: Vec<Reference>,
}

impl Pipeline {
    /// Its places. A query, and the SQL that a database itself runs, are the tables that they name; a query that cannot be
    /// read, because the database's dialect is another, stays as it is.
    pub fn touches(&self, catalogue: &Catalogue) -> Touches {
        let mut found = Touches::default();
        for block in self.blocks.values() {
            block.touch(catalogue, &mut found);
        }
        let Touches { reads, writes } = &mut found;
        reads.retain(|place| !writes.contains(place));
        found
    }
}

impl Pipeline {
    /// Lets every place that a block's settings name be another one.
    pub fn change_places(&mut self, catalogue: &Catalogue, change: impl Fn(Reference) -> Reference) {
        for block in self.blocks.values_mut() {
            let Some(known) = catalogue.block(&block.kind).and_then(|kind| kind.settings["properties"].as_object())
            else {
                continue;
            };
            for (key, _) in known.iter().filter(|(_, schema)| schema["x-reference"].is_string()) {
                let Some(value) = block.settings.get_mut(key) else { continue };
                if let Ok(place) = serde_json::from_value::<Reference>(value.clone())
                    && let Ok(changed) = serde_json::to_value(change(place))
                {
                    *value = changed;
                }
            }
        }
    }
}

impl Block {
    fn touch(&self, catalogue: &Catalogue, found: &mut Touches) {
        let Some(known) = catalogue.block(&self.kind).and_then(|kind| kind.settings["properties"].as_object()) else {
            return;
        };
        let within = known.iter().find(|(_, schema)| schema["x-connection"] == true);
        let within = within.and_then(|(key, _)| self.settings.get(key)?.as_str());
        for (key, schema) in known {
            let Some(value) = self.settings.get(key) else { continue };
            match (schema["x-reference"].as_str(), schema["x-input"].as_str(), value) {
                (Some(purpose), _, _) => {
                    let Ok(place) = serde_json::from_value::<Reference>(value.clone()) else { continue };
                    let places = if purpose == "target" { &mut found.writes } else { &mut found.reads };
                    let of_query = match &place {
                        Reference::Query { connection, query } => named(connection, query),
                        _ => Vec::new(),
                    };
                    add(places, if of_query.is_empty() { vec![place] } else { of_query });
                }
                (None, Some("relations"), Value::String(query)) => {
                    add(&mut found.reads, within.map(|connection| named(connection, query)).unwrap_or_default());
                }
                _ => {}
            }
        }
    }
}

/// The tables of a connection that a query names; none where it cannot be read.
fn named(connection: &str, query: &str) -> Vec<Reference> {
    let tables = sql::tables(query).unwrap_or_default();
    let place = |mut parts: Vec<String>| {
        let table = parts.pop()?;
        Some(Reference::Table { connection: connection.to_owned(), schema: parts.pop(), table })
    };
    tables.into_iter().filter_map(|table| place(table.parts)).collect()
}

fn add(places: &mut Vec<Reference>, more: Vec<Reference>) {
    for place in more {
        if !places.contains(&place) {
            places.push(place);
        }
    }
}
