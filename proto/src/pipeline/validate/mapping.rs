//! `map` of a load: which columns it writes, and that whatever else names columns of its target names those.

use crate::pipeline::file::{Content, Node};
use crate::pipeline::problem::{ProblemCode, Problems, nearest};

/// Keys of a load that name columns of what it writes.
const NAMING: [&str; 2] = ["key", "partition_by"];

/// Checks the load that `block` says. The rules themselves are checked as SQL where settings are.
pub(super) fn check(block: &Node, problems: &mut Problems) {
    let Some(map) = block.get("map").filter(|map| matches!(map.content, Content::Map(_))) else { return };
    if map.entries().is_empty() {
        let hint = Some("leave it out to write all columns".to_owned());
        problems.add_with(map.at, ProblemCode::WrongValue, "`map` names no column", hint);
        return;
    }
    if let Some((column, _)) = map.entries().iter().find(|(column, _)| column.text.is_empty()) {
        problems.add(column.at, ProblemCode::WrongValue, "`map`: a column has no name");
    }
    for key in NAMING {
        let Some(node) = block.get(key) else { continue };
        let items = match &node.content {
            Content::List(items) => items.as_slice(),
            _ => std::slice::from_ref(node),
        };
        for item in items {
            let Some(name) = item.text().filter(|name| map.get(name).is_none()) else { continue };
            let renamed = map.entries().iter().find(|(_, rule)| rule.text() == Some(name));
            let hint = match renamed {
                Some((column, _)) => Some(format!("did you mean `{}`, which holds it?", column.text)),
                None => nearest(name, map.entries().iter().map(|(column, _)| column.text.as_str())),
            };
            let message = format!("`{key}` names `{name}`, but `map` writes no such column");
            problems.add_with(item.at, ProblemCode::WrongValue, message, hint);
        }
    }
}
