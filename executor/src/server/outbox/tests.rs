//! What is kept for coordinators, and what is not.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::control::{AttemptId, Helper, Output, Prepared, Segment};

use super::*;

fn spec(token: i64, output: Output) -> AttemptSpec {
    let segment = Segment {
        id: "s".into(),
        blocks: vec![],
        inputs: vec![],
        upstream: vec![],
        rereads: BTreeSet::new(),
        frozen: false,
        output,
    };
    AttemptSpec {
        id: AttemptId { pipeline: "p".into(), run: "r".into(), segment: "s".into(), token: Token(token) },
        segment,
        connections: Default::default(),
        secrets: Default::default(),
        inputs: BTreeMap::new(),
        positions: BTreeMap::new(),
        schemas: BTreeMap::new(),
        carried: BTreeMap::new(),
        memory: None,
        helpers: Vec::new(),
        avoided: BTreeSet::new(),
        thrifty: false,
    }
}

fn event(token: i64, kind: AttemptEventKind) -> AttemptEvent {
    AttemptEvent::new("r".into(), "s".into(), Token(token), kind)
}

fn progress(token: i64) -> AttemptEvent {
    event(token, AttemptEventKind::Progress { stalled: None, standing: Vec::new() })
}

fn prepared(token: i64) -> AttemptEvent {
    let prepared = Prepared {
        manifest: None,
        staged: None,
        tests: vec![],
        positions: BTreeMap::new(),
        schemas: BTreeMap::new(),
        schema_changes: vec![],
        blocks: BTreeMap::new(),
    };
    event(token, AttemptEventKind::Prepared(Box::new(prepared)))
}

fn failed(token: i64, class: Class) -> AttemptEvent {
    event(token, AttemptEventKind::Failed(Failure::new(class, "made to fail")))
}

fn held(outbox: &Outbox) -> Vec<(i64, bool)> {
    outbox.held().map(|(spec, prepared)| (spec.id.token.0, prepared)).collect()
}

/// All that waits, oldest first.
fn waiting(outbox: &Outbox) -> Vec<(u64, AttemptEvent)> {
    let mut all = Vec::new();
    while let Some(next) = outbox.next_after(all.last().map_or(0, |(number, _)| *number)) {
        all.push(next.clone());
    }
    all
}

#[test]
fn progress_waits_once_and_never_behind_an_end() {
    let mut outbox = Outbox::default();
    for _ in 0..3 {
        outbox.push(progress(1));
        outbox.push(progress(2));
    }
    assert_eq!(waiting(&outbox), [(5, progress(1)), (6, progress(2))]);
    outbox.push(failed(1, Class::User));
    assert_eq!(waiting(&outbox), [(6, progress(2)), (7, failed(1, Class::User))]);
    outbox.heard(6);
    assert_eq!(waiting(&outbox), [(7, failed(1, Class::User))]);
    outbox.heard(7);
    assert!(outbox.is_empty());
}

#[test]
fn an_attempt_is_held_until_nothing_here_is_needed_for_it() {
    let mut outbox = Outbox::default();
    for (token, output) in [(1, Output::Sink), (2, Output::Boundary), (3, Output::Relation)] {
        assert!(outbox.starts(&spec(token, output)));
        outbox.push(prepared(token));
    }
    assert!(!outbox.starts(&spec(1, Output::Sink)));
    assert_eq!(held(&outbox), [(1, true), (3, true)]);
    outbox.asked(&spec(1, Output::Sink));
    outbox.push(event(1, AttemptEventKind::Committed));
    outbox.asked(&spec(3, Output::Relation));
    outbox.push(event(3, AttemptEventKind::Discarded));
    assert_eq!(held(&outbox), []);
    // Of an attempt that was elsewhere.
    outbox.asked(&spec(4, Output::Sink));
    assert_eq!(held(&outbox), [(4, true)]);
    outbox.push(event(4, AttemptEventKind::Lost));
    assert_eq!(held(&outbox), []);
}

#[test]
fn an_attempt_that_is_ended_here_is_for_another_executor() {
    let mut outbox = Outbox::default();
    for token in 1..=3 {
        outbox.starts(&spec(token, Output::Sink));
    }
    outbox.push(prepared(3));
    let because = Failure::new(Class::LostExecutor, "its executor was shut down");
    assert_eq!(outbox.end_running(&because).iter().map(|(_, token)| token.0).collect::<Vec<_>>(), [1, 2]);
    assert!(!outbox.has_running());
    outbox.push(failed(1, Class::Cancelled));
    outbox.push(failed(2, Class::User));
    let told: Vec<_> = waiting(&outbox).into_iter().skip(1).map(|(_, event)| event).collect();
    assert_eq!(told, [event(1, AttemptEventKind::Failed(because)), failed(2, Class::User)]);
    assert_eq!(held(&outbox), [(3, true)]);
}

#[test]
fn an_attempt_that_is_discarded_while_it_runs_is_held_until_it_is_removed() {
    let mut outbox = Outbox::default();
    outbox.starts(&spec(1, Output::Sink));
    outbox.asked(&spec(1, Output::Sink));
    outbox.push(failed(1, Class::Cancelled));
    assert_eq!(held(&outbox), [(1, true)]);
    outbox.push(event(1, AttemptEventKind::Discarded));
    assert_eq!(held(&outbox), []);
}

#[test]
fn what_waits_for_its_commit_is_told_to_every_new_coordinator() {
    let mut outbox = Outbox::default();
    for (token, output) in [(1, Output::Sink), (2, Output::Sink), (3, Output::Sink)] {
        assert!(outbox.starts(&spec(token, output)));
    }
    outbox.push(prepared(1));
    outbox.push(prepared(2));
    outbox.heard(1);
    outbox.tell_again();
    assert_eq!(waiting(&outbox), [(2, prepared(2)), (3, prepared(1))], "once each");
    outbox.heard(3);
    outbox.asked(&spec(1, Output::Sink));
    outbox.tell_again();
    assert_eq!(waiting(&outbox), [(4, prepared(2))], "its commit was asked for: the run knows");
}

#[test]
fn helpers_are_known_to_whoever_listens_next() {
    let mut outbox = Outbox::default();
    let spec = spec(1, Output::Sink);
    outbox.starts(&spec);
    let asks = |most| event(1, AttemptEventKind::NeedsHelp { most });
    outbox.push(asks(3));
    let helper = Helper { id: "b".into(), url: "http://b".into() };
    outbox.helped(&AttemptSpec { helpers: vec![helper.clone()], ..spec.clone() });
    let helpers = |outbox: &Outbox| outbox.held().map(|(spec, _)| spec.helpers.clone()).collect::<Vec<_>>();
    assert_eq!(helpers(&outbox), [vec![helper]]);
    outbox.push(progress(1));
    assert_eq!(outbox.next_after(0).map(|(_, event)| event), Some(&asks(3)), "progress says nothing of it");
    outbox.push(asks(0));
    assert_eq!(helpers(&outbox), [vec![]], "given back");
}
