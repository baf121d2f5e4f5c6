//! The server around a real node, as its coordinator meets it over a socket.

use std::path::Path;
use std::time::Instant;

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEventKind as Kind, AttemptSpec, Output, Prepared};
use flowetl_proto::wire::v1::executor_client::ExecutorClient;
use flowetl_proto::wire::v1::reported::What;
use flowetl_proto::wire::{TERM_HEADER, v1};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Channel;
use tonic::{Code, Streaming};

use super::*;
use crate::tests::world::{World, extract, load, sql};

/// How long a test waits for anything, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(30);
/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);

/// A server and what is needed to speak to it.
struct Desk {
    world: World,
    client: ExecutorClient<Channel>,
    etcd: etcd_client::Client,
    prefix: String,
    stop: Option<oneshot::Sender<()>>,
    serving: JoinHandle<Result<()>>,
}

/// One stream of reports.
struct Reports {
    heard: mpsc::Sender<v1::Heard>,
    reported: Streaming<v1::Reported>,
    /// What was held when it was opened, and whether it was prepared.
    held: Vec<(i64, bool)>,
}

impl Desk {
    async fn new(absence_limit: Duration, drain_limit: Duration) -> Self {
        let world = World::new(2).await;
        let endpoint = std::env::var("FLOWETL_TEST_ETCD")
            .expect("`FLOWETL_TEST_ETCD` names no etcd for this test; `deploy/test.sh` starts one");
        let etcd = etcd_client::Client::connect([&endpoint], None).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let prefix = format!("/test/{}", uuid::Uuid::now_v7());
        let config = ServerConfig {
            url: url.clone(),
            trust: Trust::default(),
            slots: 3,
            etcd: Etcd::at([endpoint]),
            prefix: prefix.clone(),
            drain_limit,
            absence_limit,
        };
        let (stop, stopped) = oneshot::channel();
        let node = world.config.clone();
        let serving = tokio::spawn(serve(node, config, listener, Handle::current(), async move {
            let _ = stopped.await;
        }));
        let client = ExecutorClient::connect(url).await.unwrap();
        Self { world, client, etcd, prefix, stop: Some(stop), serving }
    }

    async fn report(&self) -> Reports {
        self.report_in(0).await.unwrap()
    }

    /// The stream of a coordinator that leads in a term.
    async fn report_in(&self, term: i64) -> std::result::Result<Reports, tonic::Status> {
        let (heard, waiting) = mpsc::channel(64);
        let request = in_term(term, ReceiverStream::new(waiting));
        let reported = self.client.clone().report(request).await?;
        let mut reported = reported.into_inner();
        let first = timeout(LIMIT, reported.message()).await.unwrap().unwrap().unwrap();
        let Some(What::Held(held)) = first.what else { panic!("{first:?}") };
        let token =
            |attempt: &v1::HeldAttempt| serde_json::from_str::<AttemptSpec>(&attempt.attempt_json).unwrap().id.token.0;
        let held = held.attempts.iter().map(|a| (token(a), a.prepared)).collect();
        Ok(Reports { heard, reported, held })
    }

    /// The attempt of this token to append rows of an odd source to a table in SQLite.
    fn append(&self, token: i64, from: &str) -> AttemptSpec {
        let blocks = vec![extract("rows", "odd", from), load("out", "rows", "out", "t", "append")];
        self.world.attempt("r", token, blocks, Output::Sink)
    }

    async fn start(&mut self, spec: &AttemptSpec) -> v1::Answer {
        let request = v1::StartRequest { attempt_json: serde_json::to_string(spec).unwrap() };
        self.client.start(request).await.unwrap().into_inner()
    }

    async fn commit(&mut self, spec: &AttemptSpec, prepared: &Prepared) -> v1::Answer {
        let request = v1::CommitRequest {
            attempt_json: serde_json::to_string(spec).unwrap(),
            prepared_json: serde_json::to_string(prepared).unwrap(),
        };
        self.client.commit(request).await.unwrap().into_inner()
    }

    async fn discard(&mut self, spec: &AttemptSpec) -> v1::Answer {
        let request = v1::DiscardRequest { attempt_json: serde_json::to_string(spec).unwrap() };
        self.client.discard(request).await.unwrap().into_inner()
    }

    /// What is announced now.
    async fn announced(&mut self) -> Vec<Announcement> {
        let options = etcd_client::GetOptions::new().with_prefix();
        let all = self.etcd.get(flowetl_proto::announcement::folder(&self.prefix), Some(options)).await.unwrap();
        all.kvs().iter().map(|pair| serde_json::from_slice(pair.value()).unwrap()).collect()
    }

    /// Waits until what is announced is as wanted.
    async fn announces(&mut self, wanted: impl Fn(&[Announcement]) -> bool) -> Vec<Announcement> {
        let began = Instant::now();
        loop {
            let announced = self.announced().await;
            if wanted(&announced) {
                return announced;
            }
            assert!(began.elapsed() < LIMIT, "still {announced:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    fn published(&self) -> Option<i64> {
        published(self.world.folder.path())
    }
}

/// How many rows the table `t` in SQLite has; `None` where there is no such table.
fn published(folder: &Path) -> Option<i64> {
    let path = folder.join("out.db");
    let database = path.exists().then(|| rusqlite::Connection::open(path).unwrap())?;
    database.query_row("select count(*) from t", [], |row| row.get(0)).ok()
}

impl Reports {
    /// The next event that is no progress, acknowledged if `heard`.
    async fn end(&mut self, heard: bool) -> (i64, Kind) {
        loop {
            let message = timeout(LIMIT, self.reported.message()).await.expect("an event").unwrap().unwrap();
            let Some(What::Happened(happened)) = message.what else { panic!("{message:?}") };
            let event: AttemptEvent = serde_json::from_str(&happened.event_json).unwrap();
            if heard {
                self.heard.send(v1::Heard { number: happened.number }).await.unwrap();
            }
            if !matches!(event.kind, Kind::Progress { .. }) {
                return (event.token.0, event.kind);
            }
        }
    }

    async fn prepared(&mut self, heard: bool) -> Prepared {
        match self.end(heard).await {
            (_, Kind::Prepared(prepared)) => *prepared,
            other => panic!("{other:?}"),
        }
    }

    /// Waits until an attempt is seen to run.
    async fn progress(&mut self) {
        let message = timeout(LIMIT, self.reported.message()).await.expect("an event").unwrap().unwrap();
        let Some(What::Happened(happened)) = message.what else { panic!("{message:?}") };
        let event: AttemptEvent = serde_json::from_str(&happened.event_json).unwrap();
        assert!(matches!(event.kind, Kind::Progress { .. }), "{event:?}");
    }
}

/// A call of a coordinator that leads in a term.
fn in_term<T>(term: i64, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert(TERM_HEADER, term.into());
    request
}

fn accepted() -> v1::Answer {
    v1::Answer { failure_json: String::new(), closed: false }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attempt_over_the_wire() {
    let mut desk = Desk::new(NEVER, NEVER).await;
    let description = desk.client.describe(v1::DescribeRequest {}).await.unwrap().into_inner();
    assert_eq!(description.version, VERSION);
    let catalogue: flowetl_proto::catalogue::Catalogue = serde_json::from_str(&description.catalogue_json).unwrap();
    assert_eq!(catalogue, crate::catalogue());
    let announced = desk.announces(|announced| announced.len() == 1).await;
    assert_eq!((announced[0].id.as_str(), announced[0].slots), (description.id.as_str(), 3));
    assert!(!announced[0].draining);

    let mut reports = desk.report().await;
    assert_eq!(reports.held, []);
    let spec = desk.append(1, "good");
    assert_eq!(desk.start(&spec).await, accepted());
    assert_eq!(desk.start(&spec).await, accepted(), "may be repeated");
    let prepared = reports.prepared(true).await;
    assert_eq!(desk.published(), None);
    assert_eq!(desk.commit(&spec, &prepared).await, accepted());
    assert_eq!(reports.end(true).await, (1, Kind::Committed));
    assert!(desk.published() > Some(0));
    assert_eq!(desk.start(&spec).await, accepted(), "also after its end");

    let older = desk.append(0, "good");
    let refused = desk.start(&older).await;
    let failure: Failure = serde_json::from_str(&refused.failure_json).unwrap();
    assert_eq!(failure.class, Class::Fenced);

    // A boundary, read back by nobody and forgotten with its run.
    let blocks = vec![extract("orders", "shop", "orders"), sql("kept", &["orders"], "select * from orders")];
    let spec = desk.world.attempt("r", 2, blocks, Output::Boundary);
    assert_eq!(desk.start(&spec).await, accepted());
    reports.prepared(true).await;
    assert_ne!(desk.world.files("storage"), Vec::<String>::new());
    desk.client.forget(v1::ForgetRequest { run_id: "r".into() }).await.unwrap();
    assert_eq!(desk.world.files("storage"), Vec::<String>::new());

    let bad = v1::StartRequest { attempt_json: "{}".into() };
    assert_eq!(desk.client.start(bad).await.unwrap_err().code(), Code::InvalidArgument);
    desk.stop.take();
    timeout(LIMIT, desk.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_that_nobody_acknowledged_comes_again() {
    let mut desk = Desk::new(NEVER, NEVER).await;
    let mut first = desk.report().await;
    let spec = desk.append(1, "good");
    desk.start(&spec).await;
    let prepared = first.prepared(false).await;
    // The newest stream is the only one.
    let mut second = desk.report().await;
    assert_eq!(second.held, [(1, true)]);
    let status = timeout(LIMIT, first.reported.message()).await.unwrap().unwrap_err();
    assert_eq!(status.code(), Code::Aborted);
    assert_eq!(second.prepared(true).await, prepared);
    drop((first, second));

    // What happens while nobody listens waits.
    desk.commit(&spec, &prepared).await;
    let mut third = desk.report().await;
    let mut next = third.end(true).await;
    if matches!(next.1, Kind::Prepared(_)) {
        // Its acknowledgement went away with the stream before this one.
        next = third.end(true).await;
    }
    assert_eq!(next, (1, Kind::Committed));
    let fourth = desk.report().await;
    assert_eq!(fourth.held, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_attempt_that_is_discarded_ends_first() {
    let mut desk = Desk::new(NEVER, NEVER).await;
    let mut reports = desk.report().await;
    let spec = desk.append(1, "silent");
    desk.start(&spec).await;
    reports.progress().await;
    assert_eq!(desk.discard(&spec).await, accepted());
    let ends = [reports.end(true).await, reports.end(true).await];
    assert!(ends.iter().any(|(_, kind)| *kind == Kind::Discarded), "{ends:?}");
    assert!(ends.iter().any(|(_, kind)| matches!(kind, Kind::Failed(f) if f.class == Class::Cancelled)), "{ends:?}");
    assert_eq!(desk.report().await.held, []);
    assert!(desk.world.files("").into_iter().all(|file| !file.contains("-flowetl-")), "something is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_end_when_nobody_has_listened_for_long() {
    let mut desk = Desk::new(Duration::from_secs(1), NEVER).await;
    let mut reports = desk.report().await;
    let prepared = desk.append(1, "good");
    desk.start(&prepared).await;
    reports.prepared(true).await;
    let running = desk.world.attempt(
        "r2",
        2,
        vec![extract("rows", "odd", "silent"), load("out", "rows", "out", "t", "append")],
        Output::Sink,
    );
    desk.start(&running).await;
    reports.progress().await;
    drop(reports);
    // Every look is a coordinator that listens, and the next one leaves time enough to be missed.
    let began = Instant::now();
    let mut reports = loop {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let reports = desk.report().await;
        if reports.held.len() < 2 {
            break reports;
        }
        assert!(began.elapsed() < LIMIT, "it still runs");
    };
    assert_eq!(reports.held, [(1, true)], "what is prepared stays");
    let (token, kind) = reports.end(true).await;
    let Kind::Failed(failure) = kind else { panic!("{kind:?}") };
    assert_eq!((token, failure.class), (2, Class::LostExecutor));
    assert_eq!(failure.message, "no coordinator listened to its executor for 1 s");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drained_executor_finishes_what_it_has() {
    let mut desk = Desk::new(NEVER, NEVER).await;
    desk.announces(|announced| announced.len() == 1).await;
    let mut reports = desk.report().await;
    let spec = desk.append(1, "good");
    desk.start(&spec).await;
    let prepared = reports.prepared(true).await;
    desk.stop.take();
    desk.announces(|announced| announced.iter().all(|a| a.draining)).await;
    let late = desk.append(2, "good");
    assert!(desk.start(&late).await.closed);
    assert_eq!(desk.commit(&spec, &prepared).await, accepted());
    assert_eq!(reports.end(true).await, (1, Kind::Committed));
    timeout(LIMIT, &mut desk.serving).await.unwrap().unwrap().unwrap();
    assert_eq!(desk.announced().await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_does_not_end_while_an_executor_is_drained_is_for_another() {
    let mut desk = Desk::new(NEVER, Duration::ZERO).await;
    let mut reports = desk.report().await;
    let spec = desk.append(1, "silent");
    desk.start(&spec).await;
    reports.progress().await;
    desk.stop.take();
    let (_, kind) = reports.end(true).await;
    assert_eq!(kind, Kind::Failed(Failure::new(Class::LostExecutor, "its executor was shut down")));
    timeout(LIMIT, &mut desk.serving).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newer_coordinator_hears_what_an_older_one_may_have_lost_and_the_older_is_refused() {
    let mut desk = Desk::new(NEVER, NEVER).await;
    let mut old = desk.report_in(3).await.unwrap();
    let spec = desk.append(1, "good");
    let request = v1::StartRequest { attempt_json: serde_json::to_string(&spec).unwrap() };
    desk.client.start(in_term(3, request.clone())).await.unwrap();
    let prepared = old.prepared(true).await;

    let mut new = desk.report_in(4).await.unwrap();
    assert_eq!(new.held, [(1, true)]);
    assert_eq!(new.prepared(true).await, prepared, "told again");
    let ended = timeout(LIMIT, old.reported.message()).await.unwrap().unwrap_err();
    assert_eq!(ended.code(), Code::Aborted);
    for term in [0, 3] {
        let refused = desk.client.start(in_term(term, request.clone())).await.unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused}");
        assert!(desk.report_in(term).await.is_err());
    }
    let commit = v1::CommitRequest {
        attempt_json: serde_json::to_string(&spec).unwrap(),
        prepared_json: serde_json::to_string(&prepared).unwrap(),
    };
    desk.client.commit(in_term(4, commit)).await.unwrap();
    assert_eq!(new.end(true).await, (1, Kind::Committed));
    assert!(desk.published() > Some(0));
}
