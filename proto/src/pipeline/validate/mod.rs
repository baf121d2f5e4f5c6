//! Turns the text of a file into a [`Pipeline`], or into everything that is wrong with it.
//!
//! The catalogue alone says which kinds of block there are and what their settings look like. Reading order:
//! [`connections`] and [`place`] read where data lies, [`walk`] checks settings against JSON Schema, [`words`] and
//! [`blocks`] are what the catalogue's own words mean, [`edges`] looks at all blocks together, [`mapping`] at
//! what a load writes, [`short`] is the three-line form, [`stored`] connections of a service.

mod blocks;
mod connections;
mod edges;
mod mapping;
mod place;
mod short;
mod stored;
mod walk;
mod words;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use indexmap::IndexMap;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use self::blocks::{Checked, Drawn};
use self::connections::Connections;
pub use self::connections::usual_key;
use self::walk::Walk;
use self::words::Formats;
use super::drawing::{Edge, GraphDefinition, Layout, Node as GraphNode};
use super::file::{self, Content, Key, Node};
use super::problem::{At, Problem, ProblemCode, Problems};
use super::secrets::Secrets;
use super::{Block, ConnectionSpec, Input, Pipeline, Reference, Retries, literal, params, quantity, schema};
use crate::catalogue::Catalogue;
use crate::id::BlockId;

/// Reads pipelines: all that is known beside the text itself.
#[derive(Clone, Copy)]
pub struct Parser<'a> {
    /// The file as problems name it. Its stem is the pipeline's name where the file says none.
    pub file: &'a str,
    /// What relative paths start from: the file's own folder, absolute.
    pub folder: &'a Path,
    pub catalogue: &'a Catalogue,
    /// Connections from `connections.yml` or the service. The file's own stand before them.
    pub connections: &'a IndexMap<String, ConnectionSpec>,
    /// Connections of this one call (`-c NAME=URL`). They stand before all others.
    pub overrides: &'a IndexMap<String, ConnectionSpec>,
    /// Where given, every secret that the used connections need must be there.
    pub secrets: Option<&'a dyn Secrets>,
}

/// A pipeline, and where its blocks stand in the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Parsed {
    pub pipeline: Pipeline,
    pub positions: Positions,
}

/// Where blocks and other keys stand in their file, for problems that only planning or a service finds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Positions {
    file: String,
    blocks: BTreeMap<BlockId, At>,
    /// Of the keys beside them.
    keys: BTreeMap<String, At>,
}

impl Positions {
    /// A problem of a block, at its place in the file.
    pub fn problem(&self, block: &BlockId, code: ProblemCode, message: impl Into<String>) -> Problem {
        let at = self.blocks.get(block).copied().unwrap_or_default();
        Problem { file: self.file.clone(), at, block: Some(block.clone()), code, message: message.into(), hint: None }
    }

    /// A wrong value of a key that is no block's, at its place in the file.
    pub fn wrong_value(&self, key: &str, message: impl Into<String>, hint: Option<String>) -> Problem {
        let (file, at) = (self.file.clone(), self.keys.get(key).copied().unwrap_or_default());
        Problem { file, at, block: None, code: ProblemCode::WrongValue, message: message.into(), hint }
    }
}

/// A copy from one place to another, as the command line says it. URLs may hold passwords, so that this has no debug print.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Copy {
    pub from: String,
    pub to: String,
    /// Read only what has grown beyond the last run's value of this column.
    pub cursor: Option<String>,
    pub key: Vec<String>,
    pub write: Option<String>,
    /// Bytes, as [`Pipeline::memory`].
    pub memory: Option<u64>,
}

impl<'a> Parser<'a> {
    /// Reads a pipeline file; on failure every problem, in the order of the file.
    pub fn parse(&self, text: &str) -> Result<Parsed, Vec<Problem>> {
        let mut problems = Problems::new(self.file);
        match file::read(text, &mut problems) {
            Some(root) => self.pipeline(&root, problems),
            None => Err(problems.into_sorted()),
        }
    }

    /// The pipeline as a canvas has it, also where it is not right yet: an edge is drawn as far as its block can be read.
    /// `None` where the text is no map at all.
    pub fn graph(&self, text: &str, layout: &Layout) -> Option<GraphDefinition> {
        let mut problems = Problems::new(self.file);
        let root = file::read(text, &mut problems).filter(|root| matches!(root.content, Content::Map(_)))?;
        let entries = self.entries(&root, &mut problems);
        let mut connections = Connections::new(self.catalogue, self.folder, self.connections);
        if let Some(node) = root.get("connections").filter(|node| !node.is_null()) {
            connections.read(node, &mut problems);
        }
        connections.stand_before(self.overrides);
        // Checks of blocks against blocks would take long.
        let drawn = match entries.len() {
            0..=BLOCKS_MAX => blocks::draw(&entries, self.catalogue, &mut problems),
            _ => IndexMap::new(),
        };
        let mut edges = Vec::new();
        for (id, block) in &drawn {
            let Some(checked) = blocks::check(id, &drawn, &mut connections, &mut problems) else { continue };
            let port = block.kind.and_then(|kind| kind.input);
            let edge = |source: &blocks::Edge, port| Edge { source: source.block.clone(), target: id.clone(), port };
            edges.extend(checked.reads.iter().map(|read| edge(read, port)));
            edges.extend(checked.after.iter().map(|after| edge(after, None)));
        }
        let node = |(key, node): &(Key, Node)| {
            let id = BlockId::new(&key.text);
            let kind = drawn.get(&id).and_then(|block| Some(block.kind?.kind.clone()));
            let position = layout.get(&id).copied();
            GraphNode { kind, settings: node.to_json(), position, id }
        };
        let of_blocks = short::keys(self.catalogue);
        let is_short = short::is_short(&root);
        let is_own = |key: &str| key != "blocks" && !(is_short && of_blocks.contains(&key));
        let own = root.entries().iter().filter(|(key, _)| is_own(&key.text));
        let file = own.map(|(key, node)| (key.text.clone(), node.to_json())).collect();
        Some(GraphDefinition { file, nodes: entries.iter().map(node).collect(), edges })
    }

    /// Every secret that is written in a file itself, where a file that is kept must only refer to them; and whatever keeps
    /// the text from being looked through.
    pub fn literals(&self, text: &str) -> Vec<Problem> {
        let mut problems = Problems::new(self.file);
        if let Some(root) = file::read(text, &mut problems) {
            literal::check(&root, &mut problems);
        }
        problems.into_sorted()
    }

    /// The pipeline of one copy. Its name is the same whenever the same places are copied, so that it finds its state.
    pub fn copy(&self, copy: &Copy) -> Result<Parsed, Vec<Problem>> {
        let mut parsed = self.pipeline(&short::file(copy), Problems::new(self.file))?;
        let places: Vec<String> =
            parsed.pipeline.blocks.values().filter_map(|block| place_of(&parsed.pipeline, block)).collect();
        parsed.pipeline.name = format!("copy_{}", &hex(&Sha256::digest(places.join("\n")))[..12]);
        parsed.pipeline.memory = copy.memory;
        Ok(parsed)
    }

    /// Reads `connections.yml`: a map of names and URLs or maps, alone or under the key `connections`.
    pub fn connections(&self, text: &str) -> Result<IndexMap<String, ConnectionSpec>, Vec<Problem>> {
        let mut problems = Problems::new(self.file);
        let Some(root) = file::read(text, &mut problems) else {
            return Err(problems.into_sorted());
        };
        let mut connections = Connections::new(self.catalogue, self.folder, &IndexMap::new());
        let own = root
            .get("connections")
            .filter(|node| matches!(node.content, Content::Map(_)) && node.get("type").is_none());
        connections.read(own.unwrap_or(&root), &mut problems);
        problems.or(connections.specs())
    }

    /// Reads one connection's URL, as `-c NAME=URL` gives it.
    pub fn connection(&self, name: &str, url: &str) -> Result<ConnectionSpec, Vec<Problem>> {
        let mut problems = Problems::new(self.file);
        if !connections::is_connection_name(name) {
            let message = format!("`{name}` is no name for a connection; use letters, digits, `_` and `-`");
            problems.add(At::default(), ProblemCode::WrongValue, message);
        }
        let node = Node::text_of(url);
        match connections::read_one(name, &node, self.catalogue, self.folder, &mut problems) {
            Some(spec) => problems.or(spec),
            None => Err(problems.into_sorted()),
        }
    }

    fn pipeline(&self, root: &Node, mut problems: Problems) -> Result<Parsed, Vec<Problem>> {
        if !matches!(root.content, Content::Map(_)) {
            let message = format!("a pipeline is a map of keys, but this is {}", root.sort());
            problems.add(root.at, ProblemCode::WrongType, message);
            return Err(problems.into_sorted());
        }
        let top = self.top(root, &mut problems);
        let mut connections = Connections::new(self.catalogue, self.folder, self.connections);
        if let Some(node) = root.get("connections").filter(|node| !node.is_null()) {
            connections.read(node, &mut problems);
        }
        connections.stand_before(self.overrides);
        let entries = self.entries(root, &mut problems);
        if entries.len() > BLOCKS_MAX {
            let message = format!("more than {BLOCKS_MAX} blocks");
            problems.add(root.at, ProblemCode::Limit, message);
            return Err(problems.into_sorted());
        }
        let drawn = blocks::draw(&entries, self.catalogue, &mut problems);
        let mut checked = IndexMap::new();
        for id in drawn.keys() {
            problems.look_at(Some(id));
            if let Some(block) = blocks::check(id, &drawn, &mut connections, &mut problems) {
                checked.insert(id.clone(), block);
            }
        }
        edges::Edges { drawn: &drawn, checked: &checked }.check(&mut problems);
        if let Some(secrets) = self.secrets {
            connections.check_secrets(secrets, &mut problems);
        }
        let name = self.name(root, &top, &mut problems);
        let positions = Positions {
            file: self.file.to_owned(),
            blocks: drawn.iter().map(|(id, block)| (id.clone(), block.at)).collect(),
            keys: root.entries().iter().map(|(key, node)| (key.text.clone(), node.at)).collect(),
        };
        let (params, wrong) = params::declared(&top);
        let at = root.get("params").map_or(root.at, |node| node.at);
        for (name, why) in wrong {
            problems.add(at, ProblemCode::WrongValue, format!("parameter `{name}`: {why}"));
        }
        for (id, block) in &checked {
            if let Err(why) = params::check_uses(&block.settings, &params) {
                problems.look_at(Some(id));
                problems.add(drawn[id].at, ProblemCode::WrongValue, why);
                problems.look_at(None);
            }
        }
        let pipeline = Pipeline {
            params,
            name,
            connections: connections.used(),
            blocks: drawn.iter().filter_map(|(id, block)| build(id, block, checked.swap_remove(id)?)).collect(),
            retries: retries(&top),
            memory: top.get("memory").and_then(Value::as_str).and_then(|text| quantity::size(text).ok()),
            service: service(top),
        };
        if let Some(node) = root.get("schedule").filter(|_| problems.len() == 0 && !pipeline.params.is_empty()) {
            let said = pipeline.service.pointer("/schedule/params").and_then(Value::as_object);
            let told = said.cloned().unwrap_or_default().into_iter().collect();
            if let Err(why) = pipeline.clone().bound(&told) {
                problems.add(node.at, ProblemCode::WrongValue, format!("`schedule`: {why}"));
            }
        }
        problems.or(Parsed { pipeline, positions })
    }

    /// Checks the keys that are neither connections nor blocks.
    fn top(&self, root: &Node, problems: &mut Problems) -> Map<String, Value> {
        let short_keys = short::keys(self.catalogue);
        let is_short = short::is_short(root);
        let mut others = vec!["connections", "blocks"];
        if is_short || root.get("blocks").is_none() {
            others.extend(&short_keys);
        }
        let own = root.entries().iter().filter(|(key, _)| !others.contains(&key.text.as_str()));
        // A file with both forms is told so once, not that the one is unknown to the other.
        let own = own.filter(|(key, _)| {
            let is_mixed = !is_short && ["from", "to"].contains(&key.text.as_str());
            if is_mixed {
                let message = format!("`{}` does not go with `blocks`; write the one or the other", key.text);
                problems.add(key.at, ProblemCode::UnknownKey, message);
            }
            !is_mixed
        });
        let own = Node::map(root.at, own.cloned().collect());
        let schema = schema::top();
        let mut walk = Walk { root: &schema, others: &others, words: Formats, problems };
        match walk.check("pipeline", &schema, &own) {
            Value::Object(top) => top,
            _ => Map::new(),
        }
    }

    fn entries<'n>(&self, root: &'n Node, problems: &mut Problems) -> Cow<'n, [(Key, Node)]> {
        if short::is_short(root) {
            return Cow::Owned(short::blocks(root, self.catalogue, problems));
        }
        match root.get("blocks") {
            Some(Node { content: Content::Map(entries), at }) => {
                if entries.is_empty() {
                    problems.add(*at, ProblemCode::MissingKey, "there are no blocks");
                }
                Cow::Borrowed(entries)
            }
            Some(node) => {
                let message = format!("`blocks` takes a map of blocks by name, but this is {}", node.sort());
                problems.add(node.at, ProblemCode::WrongType, message);
                Cow::Borrowed(&[])
            }
            None => {
                let message = "nothing to do: write `blocks`, or `from` and `to`";
                problems.add(root.at, ProblemCode::MissingKey, message);
                Cow::Borrowed(&[])
            }
        }
    }

    fn name(&self, root: &Node, top: &Map<String, Value>, problems: &mut Problems) -> String {
        let stem = Path::new(self.file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let (name, at) = match (top.get("name").and_then(Value::as_str), root.get("name")) {
            (Some(name), Some(node)) => (name.to_owned(), node.at),
            _ => (stem.unwrap_or_default(), root.at),
        };
        if !is_pipeline_name(&name) {
            let message = format!(
                "`{name}` is no name for a pipeline; `name` takes up to {NAME_BYTES_MAX} letters, digits, `_`, `-` and `.`"
            );
            problems.add(at, ProblemCode::WrongValue, message);
        }
        name
    }
}

/// Beyond what anyone can draw or a run can hold; keeps every check of blocks against blocks short.
const BLOCKS_MAX: usize = 1_000;
/// Names of staging tables hold the pipeline's name, and PostgreSQL's names hold 63 bytes.
const NAME_BYTES_MAX: usize = 100;

/// Whether a pipeline may be called so.
pub fn is_pipeline_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && name.chars().all(is_plain)
}

fn build(id: &BlockId, drawn: &Drawn<'_>, checked: Checked) -> Option<(BlockId, Block)> {
    let kind = drawn.kind?;
    let port = kind.input;
    let block = Block {
        id: id.clone(),
        kind: kind.kind.clone(),
        settings: checked.settings,
        inputs: checked.reads.into_iter().filter_map(|edge| Some(Input { block: edge.block, port: port? })).collect(),
        after: checked.after.into_iter().map(|edge| edge.block).collect(),
        boundary: checked.boundary,
        output: kind.output,
    };
    Some((id.clone(), block))
}

fn retries(top: &Map<String, Value>) -> Retries {
    let mut retries = Retries::default();
    let Some(said) = top.get("retries") else { return retries };
    if let Some(max) = said.get("max").and_then(Value::as_u64) {
        retries.max = u32::try_from(max).unwrap_or(u32::MAX);
    }
    if let Some(Ok((min, max))) = said.get("backoff").and_then(Value::as_str).map(quantity::durations) {
        (retries.backoff_min, retries.backoff_max) = (min, max);
    }
    retries
}

fn service(mut top: Map<String, Value>) -> Value {
    top.retain(|key, _| ["description", "schedule", "alerts", "priority", "freshness"].contains(&key.as_str()));
    Value::Object(top)
}

/// Where a block of a copy reads or writes, without any secret.
fn place_of(pipeline: &Pipeline, block: &Block) -> Option<String> {
    let place = block.settings.get("extract").or_else(|| block.settings.get("to"))?;
    let place: Reference = serde_json::from_value(place.clone()).ok()?;
    let address = pipeline.connections.get(place.connection()).map(ConnectionSpec::address);
    Some(format!("{} {place}", address.unwrap_or_default()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The SHA-256 of a value whose maps are sorted by key, in hexadecimal.
pub(super) fn hash(value: &Value) -> String {
    hex(&Sha256::digest(sorted(value).to_string()))
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let sorted_map: BTreeMap<&String, Value> = map.iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(sorted_map.into_iter().map(|(key, value)| (key.clone(), value)).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        other => other.clone(),
    }
}
