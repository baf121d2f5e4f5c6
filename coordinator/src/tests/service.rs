//! The service over loopback: what each call answers, and how it ends.

use std::sync::{Arc, Mutex};

use flowetl_proto::catalogue::{BlockDescription, Catalogue, ConnectorDescription, Places};
use flowetl_proto::code::Class;
use flowetl_proto::id::RunId;
use flowetl_proto::pipeline::{PortType, Source};
use flowetl_proto::run::{Options, Phase, RunEvent, RunSummary, RunView};
use flowetl_proto::wire::v1::coordinator_client::CoordinatorClient;
use flowetl_proto::wire::{LEADER_HEADER, v1};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status, Streaming};

use super::Database;
use super::simulate::{Process, TEST_LIMIT, world};
use super::world::{Blind, Turn, World};
use crate::grpc::Access;
use crate::run::tests::Crash;
use crate::{fleet, grpc};

const SHOP: &str = "
connections: {db: postgres://127.0.0.1/db}
blocks:
  orders: {extract: db.public.orders, sync: {cursor: n}}
  features: {sql: select * from orders}
  checks: {test: features, unique: [id]}
  log: {load: features, to: db.public.log, write: append}
";

/// A served coordinator, and a client of it.
struct Served {
    process: Process,
    client: CoordinatorClient<Channel>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<crate::Result<()>>,
    url: String,
}

impl Served {
    async fn start(database: &Database, world: &Arc<Mutex<World>>) -> Self {
        let process = Process::start(database, world).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let roster = Arc::new(fleet::Alone::new(process.handle.clone(), catalogue(), Arc::new(Blind)));
        let (stop, stopped) = oneshot::channel();
        let handle = process.handle.clone();
        let serving =
            tokio::spawn(grpc::serve(listener, grpc::Seat::alone(handle, roster), Access::default(), async {
                drop(stopped.await)
            }));
        let client = CoordinatorClient::connect(url.clone()).await.unwrap();
        Self { process, client, stop, serving, url }
    }

    async fn submit(&mut self, text: &str) -> Result<v1::SubmitResponse, Status> {
        let request = v1::SubmitRequest::new(source(text), Options::default());
        Ok(self.client.submit(request).await?.into_inner())
    }

    async fn begin(&mut self, text: &str) -> String {
        let answer = self.submit(text).await.unwrap();
        assert_eq!(answer.problems, []);
        answer.run_id
    }

    async fn follow(&mut self, run_id: &str) -> Result<Streaming<v1::Run>, Status> {
        Ok(self.client.follow(v1::FollowRequest { run_id: run_id.into() }).await?.into_inner())
    }

    async fn end(self) {
        self.stop.send(()).unwrap();
        timeout(TEST_LIMIT, self.serving).await.unwrap().unwrap().unwrap();
        self.process.die().await;
    }
}

/// The last snapshot, and how the stream ended.
async fn last(mut stream: Streaming<v1::Run>) -> (Option<RunView>, Result<(), Status>) {
    let mut last = None;
    loop {
        match timeout(TEST_LIMIT, stream.message()).await.expect("the stream goes on or ends") {
            Ok(Some(run)) => last = Some(RunView::try_from(run).unwrap()),
            Ok(None) => return (last, Ok(())),
            Err(status) => return (last, Err(status)),
        }
    }
}

fn source(text: &str) -> Source {
    Source { file: "shop.yml".into(), text: text.into(), folder: "/srv".into(), ..Source::default() }
}

/// Extracts, queries, tests and loads, of PostgreSQL.
pub(crate) fn catalogue() -> Catalogue {
    let kind = |kind: &str, ports: [Option<PortType>; 2], properties: Value| BlockDescription {
        kind: kind.into(),
        keyword: kind.into(),
        with: None,
        label: kind.into(),
        description: kind.into(),
        input: ports[0],
        output: ports[1],
        settings: json!({ "type": "object", "additionalProperties": false, "required": [kind], "properties": properties }),
    };
    let rows = Some(PortType::S3File);
    let sync = json!({ "type": "object", "properties": { "cursor": { "type": "string" } } });
    let block = json!({ "type": "string", "x-input": "block" });
    let connector = ConnectorDescription {
        name: "postgres".into(),
        label: "PostgreSQL".into(),
        schemes: vec!["postgres".into()],
        places: Places::Tables,
        settings: json!({}),
    };
    let within = json!({
        "sql": { "type": "string", "x-input": "relations" }, "in": { "type": "string", "x-connection": true },
        "to": { "x-reference": "target" }, "as": { "type": "string" },
    });
    let table = Some(PortType::DbTable);
    let in_database = BlockDescription {
        keyword: "sql".into(),
        with: Some("in".into()),
        settings: json!({ "type": "object", "additionalProperties": false, "properties": within }),
        ..kind("in_database", [table, table], json!({}))
    };
    let load = json!({ "load": block, "to": { "x-reference": "target" }, "write": { "type": "string" } });
    Catalogue {
        blocks: vec![
            kind("extract", [None, rows], json!({ "extract": { "x-reference": "source" }, "sync": sync })),
            in_database,
            kind("load", [rows, None], load),
            kind("sql", [rows, rows], json!({ "sql": { "type": "string", "x-input": "sql" } })),
            kind("test", [rows, None], json!({ "test": block, "unique": { "type": "array" } })),
        ],
        connectors: vec![connector],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tells_of_a_run_what_the_handle_tells() {
    let (database, world) = (Database::sqlite(), world(&[("checks", &[Turn::FailTest])]));
    let mut served = Served::start(&database, &world).await;
    let run_id = served.begin(SHOP).await;
    let stream = served.follow(&run_id).await.unwrap();
    let (view, ended) = last(stream).await;
    ended.unwrap();
    let (view, run) = (view.unwrap(), RunId::new(&run_id));
    assert_eq!((view.state, view.error.as_ref().unwrap().class), (Phase::Failed, Class::DataTest));
    assert_eq!(view, served.process.handle.run(&run).await.unwrap());

    let got = served.client.get_run(v1::GetRunRequest { run_id: run_id.clone() }).await.unwrap().into_inner();
    assert_eq!(RunView::try_from(got).unwrap(), view);
    let again = served.follow(&run_id).await.unwrap();
    assert_eq!(last(again).await.0.unwrap(), view, "a run that has ended gives one snapshot");
    let runs = served.client.list_runs(v1::ListRunsRequest {}).await.unwrap().into_inner().runs;
    let runs = runs.into_iter().map(|run| RunSummary::try_from(run).unwrap()).collect::<Vec<_>>();
    assert_eq!(runs, served.process.handle.runs().await.unwrap());
    let events = served.client.list_events(v1::ListEventsRequest { run_id: run_id.clone() }).await.unwrap();
    let events = events.into_inner().events.into_iter().map(|event| RunEvent::try_from(event).unwrap());
    assert_eq!(events.collect::<Vec<_>>(), served.process.handle.events(&run).await.unwrap());

    served.client.resume(v1::ResumeRequest { run_id: run_id.clone() }).await.unwrap();
    let stream = served.follow(&run_id).await.unwrap();
    assert_eq!(last(stream).await.0.unwrap().state, Phase::Success);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_file_is_answered_with_its_problems() {
    let database = Database::sqlite();
    let mut served = Served::start(&database, &world(&[])).await;
    let wrong = SHOP.replace("{sql: select * from orders}", "{sql: select * from ordres}").replace("write:", "wriet:");
    let answer = served.submit(&wrong).await.unwrap();
    let places = answer.problems.iter().map(|p| (p.line, p.block.as_str())).collect::<Vec<_>>();
    assert_eq!((answer.run_id.as_str(), places), ("", vec![(5, "features"), (7, "log")]), "{:?}", answer.problems);
    let request = v1::ValidateRequest { source: Some(source(&wrong).into()) };
    assert_eq!(served.client.validate(request).await.unwrap().into_inner().problems, answer.problems);
    let request = v1::ValidateRequest { source: Some(source(SHOP).into()) };
    assert_eq!(served.client.validate(request).await.unwrap().into_inner().problems, []);
    assert_eq!(served.process.handle.runs().await.unwrap(), []);

    let nowhere = v1::Source { folder: "here".into(), ..source(SHOP).into() };
    for source in [None, Some(nowhere)] {
        let refused = served.client.validate(v1::ValidateRequest { source }).await.unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused:?}");
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_error_has_its_code_and_its_words() {
    let database = Database::sqlite();
    let mut served = Served::start(&database, &world(&[("features", &[Turn::Hang])])).await;
    let none = || "none".to_owned();
    let client = &mut served.client;
    let unknown = [
        client.get_run(v1::GetRunRequest { run_id: none() }).await.unwrap_err(),
        client.follow(v1::FollowRequest { run_id: none() }).await.unwrap_err(),
        client.cancel(v1::CancelRunRequest { run_id: none() }).await.unwrap_err(),
        client.resume(v1::ResumeRequest { run_id: none() }).await.unwrap_err(),
        client.list_events(v1::ListEventsRequest { run_id: none() }).await.unwrap_err(),
    ];
    for status in unknown {
        assert_eq!((status.code(), status.message()), (Code::NotFound, "there is no run `none`"));
    }
    let request =
        v1::SubmitRequest { until: "nothing".into(), ..v1::SubmitRequest::new(source(SHOP), Options::default()) };
    assert_eq!(client.submit(request).await.unwrap_err().code(), Code::InvalidArgument);

    let run_id = served.begin(SHOP).await;
    let busy = served.submit(SHOP).await.unwrap_err();
    let words = format!("pipeline `shop` is already running as run `{run_id}`");
    assert_eq!((busy.code(), busy.message()), (Code::FailedPrecondition, words.as_str()));
    let executors = served.client.list_executors(v1::ListExecutorsRequest {}).await.unwrap().into_inner().executors;
    assert_eq!((executors.len(), executors[0].version.as_str(), executors[0].busy), (1, flowetl_proto::VERSION, 1));

    let stream = served.follow(&run_id).await.unwrap();
    served.client.cancel(v1::CancelRunRequest { run_id: run_id.clone() }).await.unwrap();
    let (view, ended) = last(stream).await;
    ended.unwrap();
    assert_eq!(view.unwrap().state, Phase::Cancelled);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_is_told_that_the_run_was_cut_off() {
    let (database, world) = (Database::sqlite(), world(&[]));
    let mut served = Served::start(&database, &world).await;
    *served.process.handle.inner.around.crash.lock().unwrap() = Some(Crash { saves: 0, perform: false });
    let run_id = served.begin(SHOP).await;
    let stream = served.follow(&run_id).await.unwrap();
    let (view, ended) = last(stream).await;
    assert_eq!((view.unwrap().state, ended.unwrap_err().code()), (Phase::Running, Code::Aborted));
    served.end().await;

    let mut served = Served::start(&database, &world).await;
    assert_eq!(served.process.handle.go_on_with_all().await.unwrap(), [RunId::new(&run_id)]);
    let stream = served.follow(&run_id).await.unwrap();
    assert_eq!(last(stream).await.0.unwrap().state, Phase::Success);
    assert_eq!(served.process.handle.go_on_with_all().await.unwrap(), []);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_streams_and_leaves_runs() {
    let (database, world) = (Database::sqlite(), world(&[("features", &[Turn::Hang])]));
    let mut served = Served::start(&database, &world).await;
    let run_id = served.begin(SHOP).await;
    let mut stream = served.follow(&run_id).await.unwrap();
    // Until the attempt that hangs has begun, so that the next process meets another.
    while RunView::try_from(stream.message().await.unwrap().unwrap()).unwrap().blocks["features"].rows_out == 0 {}
    let url = served.url.clone();
    served.end().await;
    let (_, ended) = last(stream).await;
    let ended = ended.unwrap_err();
    assert_eq!((ended.code(), ended.message()), (Code::Unavailable, "the coordinator is stopping"));
    assert!(CoordinatorClient::connect(url).await.is_err(), "nobody listens any more");

    let served = Served::start(&database, &world).await;
    assert_eq!(served.process.handle.go_on_with_all().await.unwrap(), [RunId::new(&run_id)]);
    assert_eq!(served.process.wait(&RunId::new(&run_id)).await.unwrap().state, Phase::Success);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn why_nothing_can_be_seen_is_told_at_its_place() {
    let database = Database::sqlite();
    let mut served = Served::start(&database, &world(&[])).await;
    let asked = v1::PlanRequest { source: Some(source(SHOP).into()) };
    let problems = served.client.plan(asked).await.unwrap().into_inner().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].line > 0 && problems[0].block == "orders", "{problems:?}");
    let asked = v1::PreviewRequest { source: Some(source(SHOP).into()), block: "orders".into(), rows: 1 };
    let status = served.client.preview(asked).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert_eq!(status.message(), "block `orders`: made to fail: source_transient");
    let asked = v1::PreviewRequest { source: Some(source("blocks: {a: {}}").into()), ..Default::default() };
    assert!(!served.client.preview(asked).await.unwrap().into_inner().problems.is_empty());
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_stands_by_names_the_leader_to_every_call() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let leader = Some("http://10.0.0.1:50051".to_owned());
    let (seat, seats) = watch::channel(grpc::Seat::StandsBy { leader });
    let serving = tokio::spawn(grpc::serve(listener, seats, Access::default(), std::future::pending()));
    let mut client = CoordinatorClient::connect(url).await.unwrap();
    let run_id = || "r".to_owned();
    let source = || Some(source(SHOP).into());
    let refused: Vec<Status> = vec![
        client.validate(v1::ValidateRequest { source: source() }).await.unwrap_err(),
        client.plan(v1::PlanRequest { source: source() }).await.unwrap_err(),
        client.preview(v1::PreviewRequest { source: source(), ..Default::default() }).await.unwrap_err(),
        client.submit(v1::SubmitRequest { source: source(), ..Default::default() }).await.unwrap_err(),
        client.follow(v1::FollowRequest { run_id: run_id() }).await.unwrap_err(),
        client.cancel(v1::CancelRunRequest { run_id: run_id() }).await.unwrap_err(),
        client.resume(v1::ResumeRequest { run_id: run_id() }).await.unwrap_err(),
        client.get_run(v1::GetRunRequest { run_id: run_id() }).await.unwrap_err(),
        client.list_runs(v1::ListRunsRequest {}).await.unwrap_err(),
        client.list_events(v1::ListEventsRequest { run_id: run_id() }).await.unwrap_err(),
        client.list_executors(v1::ListExecutorsRequest {}).await.unwrap_err(),
    ];
    for status in refused {
        assert_eq!(status.code(), Code::Unavailable);
        assert_eq!(status.message(), "this coordinator stands by: `http://10.0.0.1:50051` leads");
        assert_eq!(status.metadata().get(LEADER_HEADER).unwrap(), "http://10.0.0.1:50051");
    }
    seat.send_replace(grpc::Seat::StandsBy { leader: None });
    let status = client.list_runs(v1::ListRunsRequest {}).await.unwrap_err();
    assert_eq!(status.message(), "this coordinator stands by: another leads");
    assert_eq!(status.metadata().get(LEADER_HEADER).unwrap(), "");
    serving.abort();
}
