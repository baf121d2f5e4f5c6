//! What an executor is told of an attempt.

use std::collections::BTreeMap;

use flowetl_proto::control::{AttemptId, AttemptSpec, Position, Prepared};
use flowetl_proto::id::{BlockId, Token};
use flowetl_proto::pipeline::Unsealed;

use super::state::{AttemptState, RunState, is_incremental};

/// The whole of an attempt as of now: with the committed boundaries that it reads, and, once it is prepared, with the
/// positions of its own extracts among those it carries.
pub(crate) fn spec(state: &RunState, token: Token) -> Option<AttemptSpec> {
    let attempt = state.attempts.get(&token)?;
    let segment = state.segments.get(&attempt.segment)?.spec.clone();
    let manifest = |block: &BlockId| Some((block.clone(), state.won(block.as_str())?.manifest.clone()?));
    let incremental = segment.blocks.iter().filter(|b| is_incremental(b)).map(|b| &b.id);
    let lost = |a: &AttemptState| a.failure.as_ref()?.lost.clone();
    let earlier = || state.attempts.values().filter(|a| a.segment == attempt.segment);
    let start = |block: &BlockId| Some((block.clone(), state.starts.get(block)?.clone()));
    Some(AttemptSpec {
        id: AttemptId {
            pipeline: state.pipeline.name.clone(),
            run: state.id.clone(),
            segment: segment.id.clone(),
            token,
        },
        connections: state.pipeline.connections.clone(),
        // Opened at the last moment, by whoever asks for the attempt.
        secrets: Unsealed::default(),
        inputs: segment.inputs.iter().filter_map(manifest).collect(),
        positions: incremental.filter_map(start).collect(),
        schemas: segment
            .blocks
            .iter()
            .filter_map(|b| Some((b.id.clone(), state.schemas.get(&b.id)?.clone())))
            .collect(),
        carried: carried(state, attempt.segment.as_str(), attempt.prepared.as_ref()),
        memory: state.pipeline.memory,
        helpers: Vec::new(),
        avoided: earlier().filter_map(lost).collect(),
        thrifty: earlier().any(|a| a.failure.as_ref().is_some_and(|failure| failure.thriftily)),
        segment,
    })
}

/// The positions of every extract that feeds a sink, as far as they are known.
fn carried(state: &RunState, sink: &str, own: Option<&Prepared>) -> BTreeMap<BlockId, Position> {
    let Some(extracts) = state.fed_by.get(sink) else { return BTreeMap::new() };
    let won = state.segments.keys().filter_map(|id| state.won(id.as_str()));
    let known = won.chain(own).flat_map(|prepared| &prepared.positions);
    known.filter(|(block, _)| extracts.contains(*block)).map(|(b, p)| (b.clone(), p.clone())).collect()
}
