//! What crosses the wire arrives as it was sent.

use std::path::PathBuf;

use prost::Message;

use super::{Unknown, v1};
use crate::code::{Class, Failure};
use crate::control::{Activity, Output, Severity, Standing, TestResult};
use crate::drift::{SchemaChange, SchemaPolicy};
use crate::id::RunId;
use crate::pipeline::{At, Copy, Problem, ProblemCode, Source};
use crate::run::{
    BlockPhase, BlockView, Bottleneck, EdgeView, Options, Phase, RunEvent, RunOptions, RunSummary, RunView,
    SegmentView, Timestamp,
};

/// Through bytes, as between processes.
fn sent<M: Message + Default>(message: impl Into<M>) -> M {
    M::decode(message.into().encode_to_vec().as_slice()).unwrap()
}

fn failure() -> Failure {
    Failure::new(Class::SinkTransient, "the target went away").in_block(&"out".into())
}

/// A view in which no two fields are alike.
fn view() -> RunView {
    let block = BlockView {
        state: BlockPhase::Retrying,
        segment: "out".into(),
        rows_in: 1,
        rows_out: 2,
        rows_quarantined: 3,
        rows_discarded: 4,
        bytes_out: u64::MAX,
        bytes_spilled: 11,
        seconds: 0.1 + 0.2,
        attempts: 5,
        busy_ms: 6,
        waiting_ms: 7,
        blocked_ms: 8,
    };
    let segment = SegmentView {
        state: BlockPhase::Committing,
        output: Output::Relation,
        blocks: vec!["z".into(), "a".into()],
        attempts: 9,
        stalled: Some("`z` waits".into()),
        standing: vec![Standing {
            executor: "http://e".into(),
            block: "z".into(),
            stream: 12,
            activity: Activity::Writing,
            ms: 13,
        }],
        failure: Some(failure()),
    };
    let bare = SegmentView { stalled: None, standing: vec![], failure: None, ..segment.clone() };
    let test = TestResult {
        block: "checks".into(),
        test: "unique(id)".into(),
        passed: true,
        failures: 10,
        severity: Severity::Warn,
        samples: vec!["7".into()],
    };
    let change = SchemaChange {
        block: "a".into(),
        column: "c".into(),
        before: None,
        after: Some("Utf8".into()),
        policy: SchemaPolicy::DiscardRow,
    };
    RunView {
        run_id: RunId::new("r"),
        pipeline: "p".into(),
        state: Phase::Failing,
        started_at: Timestamp(1_763_700_000_123),
        finished_at: Some(Timestamp(-1)),
        cpu_seconds: 1.25,
        peak_memory_bytes: 7,
        continued: true,
        blocks: [("z".into(), block.clone()), ("a".into(), block)].into(),
        segments: [("out".into(), segment), ("other".into(), bare)].into(),
        tests: vec![test],
        schema_changes: vec![change],
        published: vec!["b".into()],
        error: Some(failure()),
        edges: vec![EdgeView { from: "a".into(), to: "z".into(), rows: 14, bytes: 15, empty_ms: 16, full_ms: 17 }],
        bottleneck: Some(Bottleneck { block: "z".into(), share: 0.5, text: "`z` is slow".into() }),
        waiting: Some("waiting for unlock".into()),
    }
}

#[test]
fn runs_arrive_as_they_were() {
    let running = RunView { finished_at: None, error: None, bottleneck: None, waiting: None, ..view() };
    for view in [view(), running] {
        assert_eq!(RunView::try_from(sent::<v1::Run>(&view)).unwrap(), view);
    }
    let summary = RunSummary {
        id: RunId::new("r"),
        pipeline: "p".into(),
        hash: "h".into(),
        options: RunOptions { full_refresh: true, is_part: true },
        state: Phase::Cancelled,
        failure: Some(failure()),
        created_at: 1,
        started_at: 2_000,
        finished_at: Some(3_999),
    };
    assert_eq!(RunSummary::try_from(sent::<v1::RunSummary>(&summary)).unwrap(), summary);
    let event = RunEvent { seq: 7, at: 8, kind: "begun".into(), detail: serde_json::json!({ "a": [1, "b"] }) };
    assert_eq!(RunEvent::try_from(sent::<v1::RunEvent>(&event)).unwrap(), event);
}

#[test]
fn requests_and_problems_arrive_as_they_were() {
    let options = Options { full_refresh: true, until: Some("a".into()), resume: Some(RunId::new("r")) };
    for connections_text in [None, Some(String::new())] {
        let source = Source {
            file: "p.yml".into(),
            text: "from: a".into(),
            copy: connections_text.as_ref().map(|_| Copy {
                from: "a.csv".into(),
                to: "b.csv".into(),
                cursor: Some("at".into()),
                key: vec!["id".into(), "part".into()],
                write: Some("merge".into()),
                memory: Some(128_000_000),
            }),
            folder: PathBuf::from("/srv"),
            connections_text,
            overrides: [("b".into(), "file:///b".into()), ("a".into(), "file:///a".into())].into(),
            overrides_folder: PathBuf::from("/here"),
            params: [("day".into(), "2026-11-22".into())].into(),
        };
        let request = sent::<v1::SubmitRequest>(v1::SubmitRequest::new(source.clone(), options.clone()));
        assert_eq!(request.options(), options);
        assert!(Source::try_from(request.source.unwrap()).is_ok_and(|arrived| arrived == source));
    }
    let problem = Problem {
        file: "p.yml".into(),
        at: At { line: 3, column: 4 },
        block: Some("a".into()),
        code: ProblemCode::UnknownKey,
        message: "unknown key `x`".into(),
        hint: Some("did you mean `y`?".into()),
    };
    assert_eq!(Problem::try_from(sent::<v1::Problem>(&problem)).unwrap(), problem);
}

#[test]
fn what_is_not_understood_is_named() {
    let run = v1::Run { state: "sleeping".into(), ..Default::default() };
    let unknown = RunView::try_from(run).unwrap_err();
    assert_eq!(unknown.to_string(), "`sleeping` is no state of a run that this version of FlowETL knows");
    let source = v1::Source { folder: "data".into(), ..Default::default() };
    let unknown = Source::try_from(source).err();
    assert_eq!(unknown, Some(Unknown { what: "absolute path of a folder", text: "data".into() }));
}
