//! The sentence, out of the times of blocks in a segment.

use std::collections::BTreeMap;

use flowetl_proto::control::{AttemptEventKind, Cost};
use flowetl_proto::id::Token;

use super::*;
use crate::run::machine::step;
use crate::run::tests::{at, state};
use crate::run::{Command, Event};
use crate::tests::{extract, load, pipeline, sql};

/// Milliseconds of one stream: busy, waiting, blocked.
type Spent = [u64; 3];

fn meter([busy_ms, waiting_ms, blocked_ms]: Spent, streams: u64) -> Meter {
    let [busy_ms, waiting_ms, blocked_ms] = [busy_ms, waiting_ms, blocked_ms].map(|ms| ms * streams);
    Meter { busy_ms, waiting_ms, blocked_ms, streams, ..Meter::default() }
}

/// `orders` and `customers` joined into `out`, running for 10 s, with these times.
fn running(times: &[(&str, Spent, u64)]) -> RunState {
    let blocks = vec![
        extract("orders"),
        extract("customers"),
        sql("join", &["orders", "customers"]),
        load("out", "join", "append"),
    ];
    let mut state = state(pipeline("p", blocks));
    let started = step(&mut state, at(0), Event::Begin).commands;
    let [Command::Start(token)] = started[..] else { panic!("{started:?}") };
    let blocks: BTreeMap<_, _> =
        times.iter().map(|(id, spent, streams)| (BlockId::new(*id), meter(*spent, *streams))).collect();
    step(&mut state, at(10_000), counted(token, blocks));
    state
}

fn said(times: &[(&str, Spent, u64)]) -> Option<Bottleneck> {
    let state = running(times);
    assert_eq!(bottleneck(&state, SHORTEST_MS - 1), None, "nothing is said of what has just begun");
    bottleneck(&state, 10_000)
}

fn counted(token: Token, blocks: BTreeMap<BlockId, Meter>) -> Event {
    let kind = AttemptEventKind::Progress { stalled: None, standing: Vec::new() };
    Event::Report { token, executor: None, cost: Cost::default(), blocks, kind }
}

#[track_caller]
fn check(times: &[(&str, Spent, u64)], text: &str) {
    assert_eq!(said(times).unwrap().text, text);
}

#[test]
fn the_slowest_block_is_named_with_who_waits_for_it() {
    // A side that was read at once is not what the others wait for, however busy it was.
    let customers = ("customers", [900, 100, 0], 1);
    check(
        &[("orders", [500, 300, 9_200], 2), customers, ("join", [9_200, 700, 100], 2), ("out", [400, 9_600, 0], 1)],
        "`join` is the bottleneck: busy 92 % of the time; `orders` and `out` wait for it",
    );
    check(
        &[("orders", [500, 9_500, 0], 4), customers, ("join", [200, 9_800, 0], 2), ("out", [100, 9_900, 0], 1)],
        "`orders` is the bottleneck: it waits for its source 95 % of the time; `join` waits for it",
    );
    check(
        &[("orders", [500, 0, 9_500], 1), customers, ("join", [200, 100, 9_700], 1), ("out", [9_800, 200, 0], 1)],
        "`out` is the bottleneck: its target takes rows 98 % of the time; `join` waits for it",
    );
    let bottleneck = said(&[("orders", [2_000, 0, 0], 1), ("out", [500, 1_500, 0], 1)]).unwrap();
    assert_eq!((bottleneck.block.as_str(), bottleneck.share), ("orders", 1.0));
    assert_eq!(said(&[]), None);
}

#[test]
fn a_boundary_that_is_slow_to_write_is_named() {
    let mut orders = extract("orders");
    orders.boundary = flowetl_proto::pipeline::BoundaryPolicy::Checkpoint;
    let mut state = state(pipeline("p", vec![orders, load("out", "orders", "append")]));
    step(&mut state, at(0), Event::Begin);
    let blocks = [(BlockId::new("orders"), meter([1_000, 1_000, 8_000], 1))].into();
    step(&mut state, at(1), counted(Token(1), blocks));
    let text = "`orders` is the bottleneck: its boundary is written 80 % of the time";
    assert_eq!(bottleneck(&state, 10_000).unwrap().text, text);
}

#[test]
fn of_a_segment_that_is_over_it_is_said_what_was() {
    for (times, said) in [
        (
            [("orders", [500, 9_500, 0], 1), ("join", [200, 9_800, 0], 1), ("out", [100, 9_900, 0], 1)],
            "`orders` was the bottleneck: it waited for its source 95 % of the time; `join` waited for it",
        ),
        (
            [("orders", [500, 0, 9_500], 1), ("join", [9_200, 700, 100], 1), ("out", [100, 9_900, 0], 1)],
            "`join` was the bottleneck: busy 92 % of the time; `orders` and `out` waited for it",
        ),
    ] {
        let mut state = running(&times);
        for attempt in state.attempts.values_mut() {
            attempt.ended_at = Some(10_000);
        }
        assert_eq!(bottleneck(&state, 90_000).unwrap().text, said);
    }
}
