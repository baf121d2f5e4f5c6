//! Cuts a pipeline's graph into segments at block boundaries.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::control::{Output, Segment};
use flowetl_proto::id::{BlockId, SegmentId};
use flowetl_proto::pipeline::{Block, BoundaryPolicy, Pipeline, PortType};
use indexmap::{IndexMap, IndexSet};

#[cfg(test)]
pub(crate) mod tests;
mod until;

pub use until::until;

const EXTRACT: &str = "extract";

/// Kinds of block that are always the root of a segment of their own making.
const LOAD: &str = "load";
const TEST: &str = "test";
const IN_DATABASE: &str = "in_database";

/// The segments of a valid pipeline, each after all of its `upstream`.
///
/// A block's output becomes a boundary where it has no consumer or several, where a data test reads it, where
/// `boundary: checkpoint` asks for it, and where another block waits for it by `after:`. Everything else streams on, so
/// that only roots have edges out of their segment; that is what keeps the graph of segments acyclic.
pub fn cut(pipeline: &Pipeline) -> Vec<Segment> {
    let graph = Graph::of(pipeline);
    let mut segments = IndexMap::new();
    for root in graph.blocks.values().filter(|b| graph.is_root(b)) {
        segments.insert(SegmentId::new(root.id.as_str()), graph.segment(root));
    }
    gate_loads(&graph, &mut segments);
    let appended = appended(&graph);
    for segment in segments.values_mut() {
        let rereads = segment.blocks.iter().filter(|b| b.kind == EXTRACT && !appended.contains(&b.id));
        segment.rereads = rereads.map(|b| b.id.clone()).collect();
        segment.frozen = segment.output == Output::Sink && is_frozen(&graph, &segment.id);
    }
    in_order(segments)
}

/// The extracts and other blocks whose rows reach `block`, itself included.
pub fn closure<'a>(pipeline: &'a Pipeline, block: &'a BlockId) -> IndexSet<&'a BlockId> {
    let mut found = IndexSet::from([block]);
    let mut next = 0;
    while let Some(&id) = found.get_index(next) {
        next += 1;
        if let Some(block) = pipeline.blocks.get(id) {
            found.extend(block.inputs.iter().map(|i| &i.block));
        }
    }
    found
}

/// The block that a `test` judges.
pub fn tested(test: &Block) -> Option<BlockId> {
    match test.settings.get("test").and_then(|v| v.as_str()) {
        Some(id) => Some(BlockId::new(id)),
        None => test.inputs.first().map(|i| i.block.clone()),
    }
}

/// The pipeline with what cutting asks of it looked up once.
struct Graph<'a> {
    pipeline: &'a Pipeline,
    /// In topological order, ties as in the file.
    blocks: IndexMap<&'a BlockId, &'a Block>,
    consumers: BTreeMap<&'a BlockId, BTreeSet<&'a BlockId>>,
    awaited: BTreeSet<&'a BlockId>,
}

impl<'a> Graph<'a> {
    fn of(pipeline: &'a Pipeline) -> Self {
        let mut consumers: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
        let mut awaited = BTreeSet::new();
        for block in pipeline.blocks.values() {
            for input in &block.inputs {
                consumers.entry(&input.block).or_default().insert(&block.id);
            }
            awaited.extend(&block.after);
        }
        let mut graph = Self { pipeline, blocks: IndexMap::new(), consumers, awaited };
        for block in pipeline.blocks.values() {
            graph.add(block);
        }
        graph
    }

    /// Adds a block after everything it needs. Depth-first with a stack of its own: chains may be long.
    fn add(&mut self, block: &'a Block) {
        let mut stack = vec![(block, false)];
        while let Some((block, expanded)) = stack.pop() {
            if self.blocks.contains_key(&block.id) {
                continue;
            }
            if expanded {
                self.blocks.insert(&block.id, block);
                continue;
            }
            stack.push((block, true));
            let needs = block.inputs.iter().map(|i| &i.block).chain(&block.after).collect::<Vec<_>>();
            let missing = needs.into_iter().rev().filter(|id| !self.blocks.contains_key(id));
            stack.extend(missing.filter_map(|id| self.pipeline.blocks.get(id)).map(|b| (b, false)));
        }
    }

    fn is_root(&self, block: &Block) -> bool {
        if matches!(block.kind.as_str(), LOAD | TEST | IN_DATABASE) || block.boundary == BoundaryPolicy::Checkpoint {
            return true;
        }
        let Some(consumers) = self.consumers.get(&block.id) else { return true };
        let tested = consumers.iter().any(|id| self.pipeline.blocks.get(*id).is_some_and(|b| b.kind == TEST));
        consumers.len() > 1 || tested || self.awaited.contains(&block.id)
    }

    /// The tree of blocks that stream into `root`.
    fn segment(&self, root: &'a Block) -> Segment {
        let mut members = BTreeSet::from([&root.id]);
        let mut boundaries = IndexSet::new();
        let mut upstream = IndexSet::new();
        let mut stack = vec![root];
        while let Some(block) = stack.pop() {
            for input in &block.inputs {
                let Some(&producer) = self.blocks.get(&input.block) else { continue };
                if !self.is_root(producer) {
                    members.insert(&producer.id);
                    stack.push(producer);
                    continue;
                }
                upstream.insert(SegmentId::new(producer.id.as_str()));
                // A relation lies in its database: it is waited for, but there are no parts of it to read.
                if input.port != PortType::DbTable {
                    boundaries.insert(producer.id.clone());
                }
            }
            upstream.extend(block.after.iter().map(|id| SegmentId::new(id.as_str())));
        }
        Segment {
            id: SegmentId::new(root.id.as_str()),
            blocks: self.blocks.values().filter(|b| members.contains(&b.id)).map(|b| (*b).clone()).collect(),
            inputs: boundaries.into_iter().collect(),
            upstream: upstream.into_iter().collect(),
            rereads: BTreeSet::new(),
            frozen: false,
            output: match root.kind.as_str() {
                LOAD => Output::Sink,
                TEST => Output::Verdict,
                IN_DATABASE => Output::Relation,
                _ => Output::Boundary,
            },
        }
    }
}

/// Write-audit-publish: every load waits for all tests of the blocks whose rows it writes.
///
/// A test that itself waits for the load (`after:`) cannot gate it.
fn gate_loads(graph: &Graph<'_>, segments: &mut IndexMap<SegmentId, Segment>) {
    let tests = graph
        .blocks
        .values()
        .filter(|b| b.kind == TEST)
        .filter_map(|t| Some((SegmentId::new(t.id.as_str()), tested(t)?)));
    let tests = tests.collect::<Vec<_>>();
    let sinks = segments.values().filter(|s| s.output == Output::Sink).map(|s| s.id.clone()).collect::<Vec<_>>();
    for sink in sinks {
        let block = BlockId::new(sink.as_str());
        let behind = closure(graph.pipeline, &block);
        for (test, tested) in &tests {
            let known = segments[&sink].upstream.contains(test);
            if behind.contains(tested) && !known && !waits_for(segments, test, &sink) {
                segments[&sink].upstream.push(test.clone());
            }
        }
    }
}

/// Every block whose rows reach a load that appends.
fn appended<'a>(graph: &Graph<'a>) -> BTreeSet<&'a BlockId> {
    let appends = |b: &&&Block| b.kind == LOAD && b.settings.get("write").is_some_and(|write| write == "append");
    graph.blocks.values().filter(appends).flat_map(|b| closure(graph.pipeline, &b.id)).collect()
}

/// Whether an extract behind a load lets no table be made.
fn is_frozen(graph: &Graph<'_>, load: &SegmentId) -> bool {
    let frozen = |id| {
        let block = graph.pipeline.blocks.get(id);
        block.and_then(|b| b.settings.pointer("/schema/tables")).is_some_and(|policy| policy == "freeze")
    };
    closure(graph.pipeline, &BlockId::new(load.as_str())).into_iter().any(frozen)
}

/// Whether `segment` cannot start before `other` is committed.
fn waits_for(segments: &IndexMap<SegmentId, Segment>, segment: &SegmentId, other: &SegmentId) -> bool {
    let mut seen = BTreeSet::new();
    let mut stack = vec![segment];
    while let Some(id) = stack.pop() {
        if id == other {
            return true;
        }
        if seen.insert(id) {
            stack.extend(segments.get(id).into_iter().flat_map(|s| &s.upstream));
        }
    }
    false
}

/// Each segment after its upstream, ties in the order given.
fn in_order(mut segments: IndexMap<SegmentId, Segment>) -> Vec<Segment> {
    let mut ordered: Vec<Segment> = Vec::with_capacity(segments.len());
    let mut placed = BTreeSet::new();
    while !segments.is_empty() {
        let ready = segments.values().position(|s| s.upstream.iter().all(|u| placed.contains(u)));
        // A valid pipeline has no cycle; of an invalid one the rest comes as it stands and waits for ever-missing parts.
        let Some((id, segment)) = segments.shift_remove_index(ready.unwrap_or(0)) else { break };
        placed.insert(id);
        ordered.push(segment);
    }
    ordered
}
