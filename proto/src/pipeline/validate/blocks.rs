//! Blocks one by one: which kind each is, whether its settings fit, and what it reads.

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value};

use super::connections::Connections;
use super::place::{self, Use};
use super::walk::{Walk, Words};
use super::words::Formats;
use crate::catalogue::{BlockDescription, Catalogue, Places};
use crate::id::BlockId;
use crate::pipeline::file::{Content, Key, Node};
use crate::pipeline::problem::{At, ProblemCode, Problems, nearest, one_of};
use crate::pipeline::sql::{self, SqlProblem};
use crate::pipeline::{BoundaryPolicy, Reference};

/// Keys that every block has.
pub(super) const COMMON: [&str; 3] = ["after", "boundary", "description"];
/// Kinds that the product has and this version has not.
const NOT_YET: [&str; 3] = ["python", "train", "predict"];

/// A block as the file says it.
pub(super) struct Drawn<'a> {
    pub at: At,
    pub node: &'a Node,
    /// `None` where the kind is unknown or not built yet.
    pub kind: Option<&'a BlockDescription>,
}

/// A block whose settings are checked.
pub(super) struct Checked {
    pub settings: Value,
    pub reads: Vec<Edge>,
    pub after: Vec<Edge>,
    pub boundary: BoundaryPolicy,
}

/// A use of another block.
#[derive(Clone, Debug)]
pub(super) struct Edge {
    pub block: BlockId,
    pub at: At,
}

/// Finds each block's kind. Blocks with a wrong name or kind stay in, so that others may name them.
pub(super) fn draw<'a>(
    entries: &'a [(Key, Node)],
    catalogue: &'a Catalogue,
    problems: &mut Problems,
) -> IndexMap<BlockId, Drawn<'a>> {
    let mut drawn = IndexMap::new();
    for (key, node) in entries {
        let id = BlockId::new(&key.text);
        problems.look_at(Some(&id));
        if !id.is_plain() {
            let message = "a block's name holds letters, digits and `_`, and does not begin with a digit";
            problems.add(key.at, ProblemCode::WrongValue, message);
        }
        let kind = match node.content {
            Content::Map(_) => kind(key, node, catalogue, problems),
            _ => {
                let message = format!("a block is a map of settings, but this is {}", node.sort());
                problems.add(node.at, ProblemCode::WrongType, message);
                None
            }
        };
        drawn.insert(id, Drawn { at: key.at, node, kind });
    }
    problems.look_at(None);
    drawn
}

fn kind<'a>(key: &Key, node: &Node, catalogue: &'a Catalogue, problems: &mut Problems) -> Option<&'a BlockDescription> {
    let has = |name: &str| node.get(name).is_some();
    let described = |kind: &BlockDescription| has(&kind.keyword) && kind.with.as_deref().is_none_or(has);
    let mut found: Vec<&BlockDescription> = catalogue.blocks.iter().filter(|kind| described(kind)).collect();
    // `sql` with `in` is more than `sql`; and a kind wins whose settings hold the other's keyword: `test` may hold `sql`.
    let all = found.clone();
    let explains = |kind: &BlockDescription, other: &BlockDescription| {
        let same = kind.keyword == other.keyword && kind.with.is_some() && other.with.is_none();
        let holds = kind.keyword != other.keyword && kind.settings["properties"].get(&other.keyword).is_some();
        same || holds
    };
    found.retain(|kind| !all.iter().any(|other| explains(other, kind) && !explains(kind, other)));
    if let [only] = found.as_slice() {
        return Some(only);
    }
    if let Some((key, _)) = node.entries().iter().find(|(key, _)| NOT_YET.contains(&key.text.as_str())) {
        let message = format!("`{}` blocks are not supported yet", key.text);
        problems.add(key.at, ProblemCode::NotYet, message);
        return None;
    }
    let plain = catalogue.blocks.iter().filter(|kind| kind.with.is_none());
    let keywords: Vec<&str> = plain.map(|kind| kind.keyword.as_str()).collect();
    if found.is_empty() {
        let misspelt =
            node.entries().iter().find_map(|(key, _)| Some((key, nearest(&key.text, keywords.iter().copied())?)));
        match misspelt {
            Some((key, hint)) => {
                problems.add_with(key.at, ProblemCode::UnknownKey, format!("unknown key `{}`", key.text), Some(hint));
            }
            None => {
                let message = format!("this says not what the block does; one of {} must stand here", one_of(keywords));
                problems.add(key.at, ProblemCode::MissingKey, message);
            }
        }
        return None;
    }
    let words: Vec<&str> = found.iter().map(|kind| kind.keyword.as_str()).collect();
    let message = format!("a block does one thing, but here stand {}", one_of(words).replace(" or ", " and "));
    problems.add(key.at, ProblemCode::WrongValue, message);
    None
}

/// Checks one block's settings and the keys that every block has.
pub(super) fn check<'r>(
    id: &'r BlockId,
    blocks: &'r IndexMap<BlockId, Drawn<'r>>,
    connections: &mut Connections<'_>,
    problems: &mut Problems,
) -> Option<Checked> {
    let block = &blocks[id];
    let after = after(id, blocks, problems);
    let boundary = boundary(block, problems);
    if let Some(node) = block.node.get("description").filter(|node| node.text().is_none()) {
        let message = format!("`description` takes text, but this is {}", node.sort());
        problems.add(node.at, ProblemCode::WrongType, message);
    }
    let kind = block.kind?;
    let own = block.node.entries().iter().filter(|(key, _)| !COMMON.contains(&key.text.as_str()));
    let own = Node::map(block.at, own.cloned().collect());
    let mut reads = Vec::new();
    let within = within(kind, &own);
    let words = Settings { id, blocks, connections, within, reads: &mut reads };
    let mut walk = Walk { root: &kind.settings, others: &COMMON, words, problems };
    let settings = walk.check(&kind.keyword, &kind.settings, &own);
    Some(Checked { settings, reads, after, boundary })
}

/// The connection that the block names for itself: the value of the key that the catalogue marks `x-connection`.
fn within<'n>(kind: &BlockDescription, node: &'n Node) -> Option<&'n str> {
    let properties = kind.settings.get("properties")?.as_object()?;
    let (key, _) = properties.iter().find(|(_, schema)| schema.get("x-connection").is_some())?;
    node.get(key)?.text()
}

fn after(id: &BlockId, blocks: &IndexMap<BlockId, Drawn<'_>>, problems: &mut Problems) -> Vec<Edge> {
    let Some(node) = blocks[id].node.get("after") else { return Vec::new() };
    let items = match &node.content {
        Content::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    };
    let mut after: Vec<Edge> = Vec::new();
    for item in items {
        match item.text() {
            Some(name) => {
                if let Some(block) = known_block(name, item.at, blocks, problems)
                    && !after.iter().any(|edge| edge.block == block)
                {
                    after.push(Edge { block, at: item.at });
                }
            }
            None => {
                let message = format!("`after` takes the name of a block, or a list, but this is {}", item.sort());
                problems.add(item.at, ProblemCode::WrongType, message);
            }
        }
    }
    after
}

fn boundary(block: &Drawn<'_>, problems: &mut Problems) -> BoundaryPolicy {
    let Some(node) = block.node.get("boundary") else { return BoundaryPolicy::Auto };
    match node.text() {
        Some("auto") => return BoundaryPolicy::Auto,
        Some("stream") => return BoundaryPolicy::Stream,
        Some("checkpoint") => return BoundaryPolicy::Checkpoint,
        _ => {}
    }
    let words = ["stream", "checkpoint", "auto"];
    let hint = node.text().and_then(|text| nearest(text, words));
    let written = node.text().unwrap_or(node.sort());
    let message = format!("`boundary` is {}, but not `{written}`", one_of(words));
    problems.add_with(node.at, ProblemCode::WrongValue, message, hint);
    BoundaryPolicy::Auto
}

fn known_block(name: &str, at: At, blocks: &IndexMap<BlockId, Drawn<'_>>, problems: &mut Problems) -> Option<BlockId> {
    if blocks.contains_key(name) {
        return Some(BlockId::new(name));
    }
    let hint = nearest(name, blocks.keys().map(BlockId::as_str));
    problems.add_with(at, ProblemCode::UnknownBlock, format!("unknown block `{name}`"), hint);
    None
}

/// The catalogue's own words on a block's settings.
struct Settings<'r, 'a> {
    id: &'r BlockId,
    blocks: &'r IndexMap<BlockId, Drawn<'r>>,
    connections: &'r mut Connections<'a>,
    within: Option<&'r str>,
    reads: &'r mut Vec<Edge>,
}

impl Words for Settings<'_, '_> {
    fn value(&mut self, key: &str, schema: &Map<String, Value>, node: &Node, problems: &mut Problems) -> Option<Value> {
        if let Some(purpose) = schema.get("x-reference") {
            let purpose = if purpose == "target" { Use::Target } else { Use::Source };
            let within = self.within.filter(|name| self.connections.is_known(name));
            if purpose == Use::Target && self.within.is_some() && within.is_none() {
                // The unknown connection is told where it is named.
                return Some(Value::Null);
            }
            let place = place::read(key, node, purpose, within, self.connections, problems);
            return Some(serde_json::to_value(place).unwrap_or_default());
        }
        if schema.contains_key("x-connection") {
            return self.connection(key, node, problems);
        }
        match schema.get("x-input").and_then(Value::as_str) {
            Some(input) => self.input(input, node, problems),
            None => Formats.value(key, schema, node, problems),
        }
    }
}

impl Settings<'_, '_> {
    fn connection(&mut self, key: &str, node: &Node, problems: &mut Problems) -> Option<Value> {
        let name = node.text()?;
        if !self.connections.is_known(name) {
            let hint = Some(self.connections.hint(name));
            let message = format!("unknown connection `{name}`");
            problems.add_with(node.at, ProblemCode::UnknownConnection, message, hint);
        } else if self.connections.connector(name).is_some_and(|connector| connector.places != Places::Tables) {
            let message = format!("`{key}: {name}` needs a database, but `{name}` holds files");
            problems.add(node.at, ProblemCode::WrongReference, message);
        }
        self.connections.mark_used(name, node.at);
        Some(node.to_json())
    }

    /// `None` where the node has another type than `x-input` can use; the schema then says which it takes.
    fn input(&mut self, input: &str, node: &Node, problems: &mut Problems) -> Option<Value> {
        let text = match &node.content {
            Content::Text(text) => text.text.as_str(),
            Content::List(items) if input == "sql" && items.iter().all(|item| item.text().is_some()) => {
                return items.iter().map(|item| self.input(input, item, problems)).collect();
            }
            _ => return None,
        };
        match input {
            "block" => self.read(text, node.at, problems),
            "column" => match text.rsplit_once('.') {
                Some((block, column)) if !column.is_empty() => self.read(block, node.at, problems),
                _ => {
                    let message = format!("`{text}` is no `block.column`");
                    problems.add(node.at, ProblemCode::WrongValue, message);
                }
            },
            "sql" => return Some(self.sql(text, node, problems)),
            "relations" => return Some(self.relations(text, node, problems)),
            _ => return None,
        }
        Some(node.to_json())
    }

    fn read(&mut self, block: &str, at: At, problems: &mut Problems) {
        if let Some(block) = known_block(block, at, self.blocks, problems)
            && !self.reads.iter().any(|edge| edge.block == block)
        {
            self.reads.push(Edge { block, at });
        }
    }

    fn sql(&mut self, text: &str, node: &Node, problems: &mut Problems) -> Value {
        let mut referenced = HashSet::new();
        let replaced = sql::replace_refs(text, |block, here| {
            self.read(block, node.inside(here.line, here.column), problems);
            referenced.insert(block.to_owned());
            sql::quoted(block)
        });
        let tables = replaced.and_then(|replaced| Ok((replaced, sql::tables(text)?)));
        let (replaced, tables) = match tables {
            Ok(found) => found,
            Err(SqlProblem { line, column, message }) => {
                problems.add(node.inside(line, column), ProblemCode::WrongSql, message);
                return Value::Null;
            }
        };
        for table in tables {
            let at = node.inside(table.line, table.column);
            match table.parts.as_slice() {
                [name] if self.blocks.contains_key(name.as_str()) => self.read(name, at, problems),
                // Told where `ref()` names it.
                [name] if referenced.contains(name) => {}
                [name] => {
                    let other_case = self.blocks.keys().find(|id| id.as_str().eq_ignore_ascii_case(name));
                    let hint = match other_case {
                        Some(id) => Some(format!("SQL reads capitals only in double quotes: `\"{id}\"`")),
                        None => nearest(name, self.blocks.keys().filter(|id| *id != self.id).map(BlockId::as_str)),
                    };
                    let message = format!("the SQL names `{}`, but there is no such block", table.written);
                    problems.add_with(at, ProblemCode::UnknownBlock, message, hint);
                }
                _ => {
                    let message = format!("the SQL names `{}`, but its tables are blocks", table.written);
                    let hint = Some("extract the table first, and name that block".to_owned());
                    problems.add_with(at, ProblemCode::UnknownBlock, message, hint);
                }
            }
        }
        Value::String(replaced)
    }

    /// SQL for the database itself: only what `ref()` names is a block, and becomes the table that block makes.
    fn relations(&mut self, text: &str, node: &Node, problems: &mut Problems) -> Value {
        if text.trim().is_empty() {
            problems.add(node.at, ProblemCode::WrongSql, "there is no SQL here");
        }
        let replaced = sql::replace_refs(text, |block, here| {
            let at = node.inside(here.line, here.column);
            self.read(block, at, problems);
            match self.relation(block) {
                Some(Reference::Table { connection, .. }) if self.within.is_some_and(|own| own != connection) => {
                    let own = self.within.unwrap_or_default();
                    let message = format!("`{block}` is a table of `{connection}`, but this runs in `{own}`");
                    problems.add(at, ProblemCode::WrongReference, message);
                    String::new()
                }
                Some(Reference::Table { schema: Some(schema), table, .. }) => {
                    format!("{}.{}", sql::quoted(&schema), sql::quoted(&table))
                }
                Some(Reference::Table { schema: None, table, .. }) => sql::quoted(&table),
                // Another kind of block, which the check of ports refuses.
                _ => sql::quoted(block),
            }
        });
        match replaced {
            Ok(replaced) => Value::String(replaced),
            Err(SqlProblem { line, column, message }) => {
                problems.add(node.inside(line, column), ProblemCode::WrongSql, message);
                Value::Null
            }
        }
    }

    /// The table that another block of this kind makes. What is wrong with it is told where that block is checked.
    fn relation(&mut self, block: &str) -> Option<Reference> {
        let other = self.blocks.get(block)?;
        let within = within(other.kind?, other.node)?;
        let mut untold = Problems::new("");
        place::read("to", other.node.get("to")?, Use::Target, Some(within), self.connections, &mut untold)
    }
}
