//! The three-line form: `from`, `to` and `sync` become an extract block and a load block.

use serde_json::Value;

use super::place::has_data_ending;
use crate::catalogue::Catalogue;
use crate::pipeline::file::{Content, Key, Node};
use crate::pipeline::problem::{At, ProblemCode, Problems};

/// The names of the two blocks.
const EXTRACT: &str = "extract";
const LOAD: &str = "load";

/// The keys of the short form: its own, and those of the two kinds of block.
pub(super) fn keys(catalogue: &Catalogue) -> Vec<&str> {
    let mut keys = vec!["from", "to"];
    for kind in [EXTRACT, LOAD] {
        let properties =
            catalogue.block(kind).and_then(|kind| kind.settings.get("properties")).and_then(Value::as_object);
        let own = properties.into_iter().flat_map(|map| map.keys()).map(String::as_str);
        keys.extend(own.filter(|key| ![EXTRACT, LOAD, "to"].contains(key)));
    }
    keys
}

/// Whether the file is written in the short form.
pub(super) fn is_short(root: &Node) -> bool {
    root.get("blocks").is_none() && (root.get("from").is_some() || root.get("to").is_some())
}

/// The two blocks; every value keeps its place in the file.
pub(super) fn blocks(root: &Node, catalogue: &Catalogue, problems: &mut Problems) -> Vec<(Key, Node)> {
    for wanted in ["from", "to"] {
        if root.get(wanted).is_none() {
            problems.add(root.at, ProblemCode::MissingKey, format!("the key `{wanted}` is missing"));
            return Vec::new();
        }
    }
    let settings = |kind: &str| {
        let kind = catalogue.block(kind).map(|kind| &kind.settings["properties"]);
        kind.cloned().unwrap_or_default()
    };
    let (extract_keys, load_keys) = (settings(EXTRACT), settings(LOAD));
    // Keys that both know (`format`, `delimiter`) speak of the side that is files; of the source if both are.
    let source_is_files = root.get("from").and_then(Node::text).is_some_and(looks_like_files);
    let (mut extract, mut load) = (Vec::new(), vec![(Key::new(LOAD), Node::text_of(EXTRACT))]);
    for (key, value) in root.entries() {
        let entry = (key.clone(), value.clone());
        match key.text.as_str() {
            "from" => extract.push((Key { at: key.at, text: EXTRACT.to_owned() }, value.clone())),
            "to" => load.push(entry),
            name => match (extract_keys.get(name).is_some(), load_keys.get(name).is_some()) {
                (true, true) if source_is_files => extract.push(entry),
                (true, false) => extract.push(entry),
                (_, true) => load.push(entry),
                (false, false) => {}
            },
        }
    }
    default_write(root, &mut load);
    let from = root.entries().iter().find(|(key, _)| key.text == "from").map_or(root.at, |(key, _)| key.at);
    let to = root.entries().iter().find(|(key, _)| key.text == "to").map_or(root.at, |(key, _)| key.at);
    vec![block(EXTRACT, from, extract), block(LOAD, to, load)]
}

fn block(name: &str, at: At, entries: Vec<(Key, Node)>) -> (Key, Node) {
    (Key { at, text: name.to_owned() }, Node::map(at, entries))
}

/// With `sync` and a key the rows are merged, with `sync` alone appended, else the target is replaced.
fn default_write(root: &Node, load: &mut Vec<(Key, Node)>) {
    let Some(sync) = root.get("sync") else { return };
    let key = root.get("key").or_else(|| sync.get("key")).filter(|key| !key.is_null());
    if root.get("write").is_none() {
        let write = if key.is_some() { "merge" } else { "append" };
        let node = Node { at: sync.at, content: Node::text_of(write).content };
        load.push((Key { at: sync.at, text: "write".to_owned() }, node));
    }
    if root.get("key").is_none()
        && let Some(key) = key
    {
        load.push((Key { at: key.at, text: "key".to_owned() }, key.clone()));
    }
}

fn looks_like_files(from: &str) -> bool {
    !from.contains('#') && (from.contains('/') || has_data_ending(from))
}

/// A copy from the command line, as the file that would say the same.
pub(super) fn file(copy: &super::Copy) -> Node {
    let at = At::default();
    let text = |text: &str| Node::text_of(text);
    let name = (Key::new("name"), text("copy"));
    let mut entries = vec![name, (Key::new("from"), text(&copy.from)), (Key::new("to"), text(&copy.to))];
    let key = (!copy.key.is_empty()).then(|| Node::list(at, copy.key.iter().map(|name| text(name)).collect()));
    if let Some(cursor) = &copy.cursor {
        let mut sync = vec![(Key::new("cursor"), text(cursor))];
        sync.extend(key.clone().map(|key| (Key::new("key"), key)));
        entries.push((Key::new("sync"), Node { at, content: Content::Map(sync) }));
    }
    entries.extend(key.map(|key| (Key::new("key"), key)));
    entries.extend(copy.write.as_deref().map(|write| (Key::new("write"), text(write))));
    Node::map(at, entries)
}
