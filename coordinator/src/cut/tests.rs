//! Tests of the cut: chosen graphs by hand, all others by chance.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::control::{Output, Segment};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Block, BoundaryPolicy, Pipeline};
use proptest::prelude::*;
use serde_json::json;

use super::{cut, tested, until};
use crate::tests::{after, block, extract, load, pipeline, sql, test};

/// Each segment as `blocks <- inputs | upstream`.
#[track_caller]
fn check(blocks: Vec<Block>, expected: &[&str]) {
    let show = |s: &Segment| {
        let blocks = s.blocks.iter().map(|b| b.id.as_str()).collect::<Vec<_>>().join(" ");
        let inputs = s.inputs.iter().map(|b| b.as_str()).collect::<Vec<_>>().join(" ");
        let upstream = s.upstream.iter().map(|u| u.as_str()).collect::<Vec<_>>().join(" ");
        format!("{:?}: {blocks} <- {inputs} | {upstream}", s.output)
    };
    let segments = cut(&pipeline("p", blocks)).iter().map(show).collect::<Vec<_>>();
    assert_eq!(segments, expected);
}

#[test]
fn a_chain_is_one_segment() {
    check(vec![extract("a"), sql("b", &["a"]), load("c", "b", "append")], &["Sink: a b c <-  | "]);
}

#[test]
fn the_order_of_the_file_does_not_matter() {
    check(vec![load("c", "b", "append"), sql("b", &["a"]), extract("a")], &["Sink: a b c <-  | "]);
}

#[test]
fn two_consumers_are_a_boundary_but_one_that_names_a_block_twice_is_not() {
    let twice = sql("c", &["a", "a"]);
    check(vec![extract("a"), twice, load("d", "c", "append")], &["Sink: a c d <-  | "]);
    check(
        vec![extract("a"), sql("b", &["a"]), sql("c", &["a"]), sql("d", &["b", "c"])],
        &["Boundary: a <-  | ", "Boundary: b c d <- a | a"],
    );
}

#[test]
fn a_checkpoint_is_a_boundary() {
    let mut a = extract("a");
    a.boundary = BoundaryPolicy::Checkpoint;
    check(vec![a, load("b", "a", "append")], &["Boundary: a <-  | ", "Sink: b <- a | a"]);
}

#[test]
fn a_test_gates_every_load_behind_it() {
    check(
        vec![
            extract("a"),
            sql("b", &["a"]),
            sql("c", &["b"]),
            test("t", "b"),
            load("l", "c", "append"),
            load("m", "c", "append"),
        ],
        &[
            "Boundary: a b <-  | ",
            "Boundary: c <- b | b",
            "Verdict: t <- b | b",
            "Sink: l <- c | c t",
            "Sink: m <- c | c t",
        ],
    );
}

#[test]
fn a_test_reads_related_blocks_and_gates_only_what_it_tests() {
    let mut t = block("t", "test", &["a", "r"], json!({ "test": "a" }));
    t.settings["relationships"] = json!({ "x": "r.id" });
    check(
        vec![extract("a"), extract("r"), t, load("l", "a", "append"), load("m", "r", "append")],
        &[
            "Boundary: a <-  | ",
            "Boundary: r <-  | ",
            "Verdict: t <- a r | a r",
            "Sink: l <- a | a t",
            "Sink: m <- r | r",
        ],
    );
}

#[test]
fn only_what_reaches_no_append_is_read_again() {
    let rereads = |writes: &[&str]| {
        let mut blocks = vec![extract("a"), extract("b"), sql("c", &["a", "b"]), load("d", "b", "merge")];
        blocks.extend(writes.iter().enumerate().map(|(i, write)| load(&format!("l{i}"), "c", write)));
        let segments = cut(&pipeline("p", blocks));
        segments.iter().flat_map(|s| &s.rereads).map(|b| b.to_string()).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(rereads(&["merge", "replace"]), "b a");
    assert_eq!(rereads(&["merge", "append"]), "");
    assert_eq!(rereads(&[]), "b a");
}

#[test]
fn a_test_that_waits_for_a_load_does_not_gate_it() {
    check(
        vec![extract("a"), load("l", "a", "append"), after(test("t", "a"), &["l"])],
        &["Boundary: a <-  | ", "Sink: l <- a | a", "Verdict: t <- a | a l"],
    );
}

#[test]
fn what_is_waited_for_is_made_durable() {
    check(
        vec![extract("a"), after(extract("b"), &["a"]), sql("c", &["a", "b"])],
        &["Boundary: a <-  | ", "Boundary: b c <- a | a"],
    );
}

#[test]
fn relations_are_waited_for_but_not_read() {
    check(
        vec![block("a", "in_database", &[], json!({})), block("b", "in_database", &["a"], json!({}))],
        &["Relation: a <-  | ", "Relation: b <-  | a"],
    );
}

#[test]
fn until_keeps_what_is_needed_and_its_tests() {
    let whole = pipeline(
        "p",
        vec![
            extract("a"),
            extract("r"),
            sql("b", &["a"]),
            test("t", "b"),
            load("l", "b", "append"),
            load("m", "r", "append"),
        ],
    );
    let part = until(&whole, &"l".into()).unwrap();
    assert_eq!(part.blocks.keys().map(|b| b.as_str()).collect::<Vec<_>>(), ["a", "b", "t", "l"]);
    assert_eq!(until(&whole, &"x".into()), None);
}

/// A valid pipeline of up to a dozen blocks.
pub(crate) fn any_pipeline() -> impl Strategy<Value = Pipeline> {
    let one = (0..10_u8, any::<u16>(), any::<u16>(), prop::bool::weighted(0.2), any::<u8>());
    prop::collection::vec(one, 1..12).prop_map(|choices| {
        let mut blocks: Vec<Block> = Vec::new();
        for (i, (kind, inputs, afters, checkpoint, write)) in choices.into_iter().enumerate() {
            let pick = |mask: u16, of: &dyn Fn(&Block) -> bool| {
                let chosen = blocks.iter().enumerate().filter(|(j, b)| mask >> j & 1 == 1 && of(b));
                chosen.map(|(_, b)| b.id.to_string()).collect::<Vec<_>>()
            };
            let rows = pick(inputs, &|b| matches!(b.kind.as_str(), "extract" | "sql"));
            let relations = pick(inputs, &|b| b.kind == "in_database");
            let rows = rows.iter().map(String::as_str).collect::<Vec<_>>();
            let relations = relations.iter().map(String::as_str).collect::<Vec<_>>();
            let id = format!("b{i}");
            let mut made = match (kind, rows.first()) {
                (0..=3, Some(_)) => sql(&id, &rows),
                (4..=6, Some(first)) => load(&id, first, if write % 2 == 0 { "append" } else { "merge" }),
                (7..=8, Some(first)) => block(&id, "test", &rows, json!({ "test": first })),
                (9, _) => block(&id, "in_database", &relations, json!({})),
                _ => block(
                    &id,
                    "extract",
                    &[],
                    json!({ "sync": if write % 3 == 0 { json!({ "cursor": "n" }) } else { json!(null) } }),
                ),
            };
            // A third of the bits, so that order alone stays rare.
            let afters = pick(afters & inputs >> 1 & 0x2492, &|_| true);
            made.after = afters.iter().map(|a| BlockId::new(a.as_str())).collect();
            if checkpoint {
                made.boundary = BoundaryPolicy::Checkpoint;
            }
            blocks.push(made);
        }
        pipeline("any", blocks)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..Default::default() })]

    #[test]
    fn every_cut_is_sound(whole in any_pipeline(), reversed in any::<bool>()) {
        let mut whole = whole;
        if reversed {
            whole.blocks.reverse();
        }
        let segments = cut(&whole);
        let mut home = BTreeMap::new();
        for segment in &segments {
            for block in &segment.blocks {
                prop_assert!(home.insert(block.id.clone(), segment).is_none(), "{} is in two segments", block.id);
            }
            prop_assert_eq!(segment.blocks.last().unwrap().id.as_str(), segment.id.as_str());
        }
        prop_assert_eq!(home.len(), whole.blocks.len());

        let mut done = BTreeSet::new();
        for segment in &segments {
            prop_assert!(segment.upstream.iter().all(|u| done.contains(u)), "{} comes too early", segment.id);
            done.insert(segment.id.clone());
            let distinct = segment.upstream.iter().collect::<BTreeSet<_>>();
            prop_assert_eq!(distinct.len(), segment.upstream.len());
        }

        for block in whole.blocks.values() {
            let segment = home[&block.id];
            let position = |id: &BlockId| segment.blocks.iter().position(|b| b.id == *id);
            for input in &block.inputs {
                let producer = home[&input.block];
                if producer.id == segment.id {
                    prop_assert!(position(&input.block) < position(&block.id));
                    continue;
                }
                prop_assert_eq!(producer.id.as_str(), input.block.as_str(), "only roots have edges out");
                prop_assert!(segment.upstream.contains(&producer.id));
                let read = producer.output == Output::Boundary;
                prop_assert_eq!(segment.inputs.contains(&input.block), read);
            }
            for before in &block.after {
                prop_assert!(segment.upstream.iter().any(|u| u.as_str() == before.as_str()));
            }
        }

        for sink in segments.iter().filter(|s| s.output == Output::Sink) {
            let id = BlockId::new(sink.id.as_str());
            let behind = super::closure(&whole, &id);
            for test in whole.blocks.values().filter(|b| b.kind == "test") {
                if behind.contains(&tested(test).unwrap()) {
                    let gates = sink.upstream.iter().any(|u| u.as_str() == test.id.as_str());
                    let position = |id: &str| segments.iter().position(|s| s.id.as_str() == id);
                    prop_assert!(gates || position(test.id.as_str()) > position(sink.id.as_str()));
                }
            }
        }
    }
}
