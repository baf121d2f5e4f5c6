//! What can be wrong between blocks: ports that do not fit, circles, loads that would lose or double rows.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;
use serde_json::Value;

use super::blocks::{Checked, Drawn, Edge};
use super::mapping;
use crate::id::BlockId;
use crate::pipeline::problem::{At, ProblemCode, Problems};
use crate::pipeline::{BoundaryPolicy, PortType, Reference};

/// All blocks of a file with what was found out about each.
pub(super) struct Edges<'a> {
    pub drawn: &'a IndexMap<BlockId, Drawn<'a>>,
    pub checked: &'a IndexMap<BlockId, Checked>,
}

impl Edges<'_> {
    pub fn check(&self, problems: &mut Problems) {
        for (id, block) in self.checked {
            problems.look_at(Some(id));
            for edge in &block.reads {
                if edge.block != *id {
                    self.port(id, edge, problems);
                }
            }
            self.stream(id, block, problems);
            self.load(id, block, problems);
            self.test(id, block, problems);
        }
        self.targets(problems);
        problems.look_at(None);
        self.cycles(problems);
    }

    fn port(&self, id: &BlockId, edge: &Edge, problems: &mut Problems) {
        let (Some(consumer), Some(producer)) = (self.drawn[id].kind, self.drawn[&edge.block].kind) else { return };
        let from = &edge.block;
        let Some(takes) = consumer.input else { return };
        if producer.output == Some(takes) {
            return;
        }
        let Some(gives) = producer.output else {
            let keyword = &producer.keyword;
            let read = self.checked.get(from).and_then(|block| block.reads.first());
            let hint = read.map(|read| format!("read `{}` instead", read.block));
            let message = format!("it reads {takes}, but `{from}` is a `{keyword}` block and gives nothing");
            problems.add_with(edge.at, ProblemCode::WrongPort, message, hint);
            return;
        };
        let message = format!("it reads {takes}, but `{from}` gives {gives}");
        let hint = match (takes, gives) {
            (PortType::S3File, PortType::DbTable) => {
                let table = self.target(from).map_or_else(|| format!("the table of `{from}`"), |to| to.to_string());
                Some(format!("extract it first: `extract: {table}` with `after: {from}`"))
            }
            (PortType::DbTable, PortType::S3File) => {
                Some(format!("load it first: `load: {from}`, then name the loaded table, with `after:` the load"))
            }
            _ => None,
        };
        problems.add_with(edge.at, ProblemCode::WrongPort, message, hint);
    }

    fn target(&self, id: &BlockId) -> Option<Reference> {
        serde_json::from_value(self.checked.get(id)?.settings.get("to")?.clone()).ok()
    }

    /// A place of the block's own text: the key's value, or the block itself.
    fn at(&self, id: &BlockId, key: &str) -> At {
        let block = &self.drawn[id];
        block.node.get(key).map_or(block.at, |node| node.at)
    }

    fn stream(&self, id: &BlockId, block: &Checked, problems: &mut Problems) {
        let is_end = self.drawn[id].kind.is_some_and(|kind| kind.output.is_none());
        if is_end && self.drawn[id].node.get("boundary").is_some() {
            let message = "`boundary` has no meaning for a block that gives nothing";
            problems.add(self.at(id, "boundary"), ProblemCode::WrongValue, message);
        }
        if block.boundary != BoundaryPolicy::Stream {
            return;
        }
        let reads = |other: &Checked| other.reads.iter().any(|edge| edge.block == *id);
        let consumers: Vec<_> = self.checked.iter().filter(|(_, other)| reads(other)).map(|(id, _)| id).collect();
        if consumers.len() > 1 {
            let names: Vec<String> = consumers.iter().map(|id| format!("`{id}`")).collect();
            let message = format!("`boundary: stream` fits one reader, but {} read this block", names.join(" and "));
            let hint = Some("write `checkpoint` or leave it out".to_owned());
            problems.add_with(self.at(id, "boundary"), ProblemCode::WrongValue, message, hint);
        }
    }

    /// The ways in which a load could lose or double rows.
    fn load(&self, id: &BlockId, block: &Checked, problems: &mut Problems) {
        let settings = &block.settings;
        if self.drawn[id].kind.is_none_or(|kind| kind.kind != "load") {
            return;
        }
        mapping::check(self.drawn[id].node, problems);
        let write = settings.get("write").and_then(Value::as_str);
        let has_key = settings.get("key").is_some_and(|key| key.as_array().is_none_or(|names| !names.is_empty()));
        if write == Some("merge") && !has_key {
            let message = "`write: merge` needs a `key`: the columns that name a row";
            problems.add(self.at(id, "write"), ProblemCode::MissingKey, message);
        }
        for above in self.above(id) {
            let Some(sync) = self.checked.get(&above).and_then(|block| block.settings.get("sync")) else { continue };
            let overlaps = sync.get("overlap").is_some();
            if write == Some("append") && overlaps {
                let message = format!(
                    "`write: append` would double rows, because `{above}` reads some of them again (`overlap`)"
                );
                let hint = Some("write `merge` with a `key`, or leave `overlap` out".to_owned());
                problems.add_with(self.at(id, "write"), ProblemCode::WrongValue, message, hint);
            } else if write.is_none() {
                let message = format!(
                    "`write` is left out, so that every run would replace the target with only what is new in `{above}`"
                );
                let hint = Some("write `merge` with a `key`, `append`, or `replace` if it is meant".to_owned());
                problems.add_with(self.at(id, "load"), ProblemCode::WrongValue, message, hint);
            }
        }
    }

    /// Two blocks that write the same place, of which one replaces what the other wrote.
    fn targets(&self, problems: &mut Problems) {
        let mut seen: HashMap<Reference, &BlockId> = HashMap::new();
        for (id, block) in self.checked {
            let Some(target) = self.target(id) else { continue };
            let Some(other) = seen.insert(target.clone(), id) else { continue };
            let replaces = |block: &Checked| {
                !matches!(block.settings.get("write").and_then(Value::as_str), Some("append" | "merge"))
            };
            if replaces(block) || replaces(&self.checked[other]) {
                problems.look_at(Some(id));
                let message = format!("`{other}` writes `{target}` as well, and one would replace the other's rows");
                problems.add(self.at(id, "to"), ProblemCode::WrongValue, message);
            }
        }
    }

    /// Every block whose rows reach this one, in the order of the file.
    fn above(&self, id: &BlockId) -> Vec<BlockId> {
        let mut found = HashSet::new();
        let mut waiting = vec![id];
        while let Some(next) = waiting.pop() {
            for edge in self.checked.get(next).map(|block| block.reads.as_slice()).unwrap_or_default() {
                if found.insert(&edge.block) {
                    waiting.push(&edge.block);
                }
            }
        }
        self.drawn.keys().filter(|id| found.contains(id)).cloned().collect()
    }

    fn test(&self, id: &BlockId, block: &Checked, problems: &mut Problems) {
        let Some(settings) = block.settings.as_object() else { return };
        let says_something = settings.keys().any(|key| key != "test" && key != "severity");
        if self.drawn[id].kind.is_some_and(|kind| kind.kind == "test") && !says_something {
            let message = "nothing is tested here; say for example `unique`, `not_null` or `rows`";
            problems.add(self.drawn[id].at, ProblemCode::MissingKey, message);
        }
    }

    fn cycles(&self, problems: &mut Problems) {
        let upstream: HashMap<&BlockId, Vec<&Edge>> =
            self.checked.iter().map(|(id, block)| (id, block.reads.iter().chain(&block.after).collect())).collect();
        let mut open: Vec<&BlockId> = self.checked.keys().collect();
        loop {
            // What is left when every block without an open upstream is taken away lies on a circle or behind one.
            loop {
                let left: HashSet<_> = open.iter().copied().collect();
                let before = open.len();
                open.retain(|id| upstream[id].iter().any(|edge| left.contains(&edge.block)));
                if open.len() == before {
                    break;
                }
            }
            let Some(start) = open.first() else { return };
            let circle = circle(start, &open, &upstream);
            open.retain(|id| !circle.iter().any(|edge| edge.block == **id));
            self.tell_circle(circle, problems);
        }
    }

    /// Names the circle in the direction in which rows flow, from the block that stands first in the file.
    fn tell_circle(&self, mut circle: Vec<&Edge>, problems: &mut Problems) {
        circle.reverse();
        let first = (0..circle.len()).min_by_key(|i| self.drawn.get_index_of(&circle[*i].block)).unwrap_or(0);
        circle.rotate_left(first);
        let mut names: Vec<String> = circle.iter().map(|edge| format!("`{}`", edge.block)).collect();
        let message = match names.as_slice() {
            [only] => format!("{only} reads itself"),
            _ => {
                names.push(names[0].clone());
                format!("the blocks go in a circle: {}", names.join(" -> "))
            }
        };
        problems.add(circle[0].at, ProblemCode::Cycle, message);
    }
}

/// Follows upstream edges inside `open` until a block comes again; the edges of that circle, downstream first.
fn circle<'a>(start: &'a BlockId, open: &[&'a BlockId], upstream: &HashMap<&BlockId, Vec<&'a Edge>>) -> Vec<&'a Edge> {
    let open: HashSet<_> = open.iter().copied().collect();
    let mut path: Vec<&Edge> = Vec::new();
    let mut seen: HashMap<&BlockId, usize> = HashMap::from([(start, 0)]);
    let mut here = start;
    while let Some(edge) = upstream[here].iter().find(|edge| open.contains(&edge.block)) {
        path.push(edge);
        here = &edge.block;
        if let Some(position) = seen.insert(here, path.len()) {
            return path.split_off(position);
        }
    }
    path
}
