//! The server as those meet it who may call and those who may not.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use arrow_flight::Ticket;
use arrow_flight::flight_service_client::FlightServiceClient;
use flowetl_proto::control::{AttemptSpec, Output};
use flowetl_proto::etcd::Etcd;
use flowetl_proto::id::{RunId, Token};
use flowetl_proto::trust::{Authority, Certificate, EXECUTOR_NAME, Tls, Trust, about};
use flowetl_proto::wire::v1::coordinator_client::CoordinatorClient;
use flowetl_proto::wire::v1::executor_client::ExecutorClient;
use flowetl_proto::wire::v1::hosting::What;
use flowetl_proto::wire::v1::tasks_client::TasksClient;
use flowetl_proto::wire::{PASS_HEADER, TERM_HEADER, v1};
use futures::stream;
use indexmap::IndexMap;
use prost::Message;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tonic::transport::{Channel, Endpoint};

use super::*;
use crate::destination::Destination;
use crate::plan::{Needs, Thrift};
use crate::remote::Errand;
use crate::server::{ServerConfig, serve};
use crate::tests::world::{World, extract, load};

const KEY: &str = "the key of this cluster, and of no other";
/// Longer than any test takes.
const NEVER: Duration = Duration::from_secs(600);

/// A server without etcd, which it goes on looking for.
struct Server {
    world: World,
    address: String,
}

impl Server {
    async fn start(trust: Trust) -> Self {
        let world = World::new(2).await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let config = ServerConfig {
            url: format!("{}://{address}", trust.scheme()),
            trust,
            slots: 3,
            etcd: Etcd::at(["http://127.0.0.1:1"]),
            prefix: "/test".into(),
            drain_limit: NEVER,
            absence_limit: NEVER,
        };
        let node = world.config.clone();
        tokio::spawn(serve(node, config, listener, Handle::current(), std::future::pending()));
        Self { world, address }
    }

    fn attempt(&self, token: i64) -> AttemptSpec {
        let blocks = vec![extract("rows", "odd", "silent"), load("out", "rows", "out", "t", "append")];
        self.world.attempt("r", token, blocks, Output::Sink)
    }
}

/// The authority of one cluster, in a folder of its own.
struct Authorities(TempDir);

impl Authorities {
    fn new() -> Self {
        let folder = TempDir::with_prefix("flowetl-certificates-").unwrap();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("deploy/certificates.sh");
        let made = Command::new(script).arg(folder.path()).arg("process").output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap()
    }

    fn authority(&self) -> Authority {
        Authority::new(&self.read("ca.crt")).unwrap()
    }

    fn certificate(&self) -> Certificate {
        Certificate::new(&self.read("process.crt"), &self.read("process.key")).unwrap()
    }
}

async fn describe(endpoint: Endpoint) -> Result<String, String> {
    let channel = endpoint.connect().await.map_err(|e| format!("{e:?}"))?;
    let answer = ExecutorClient::new(channel).describe(v1::DescribeRequest {}).await;
    answer.map(|answer| answer.into_inner().version).map_err(|e| format!("{e:?}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_certificate_of_the_cluster_nothing_answers() {
    let (ours, theirs) = (Authorities::new(), Authorities::new());
    let tls = |authority: &Authorities, own: &Authorities| Trust {
        tls: Some(Tls { authority: authority.authority(), own: own.certificate() }),
        key: None,
    };
    let server = Server::start(tls(&ours, &ours)).await;
    let url = format!("https://{}", server.address);
    let version = describe(tls(&ours, &ours).endpoint(&url).unwrap()).await;
    assert_eq!(version.as_deref(), Ok(flowetl_proto::VERSION));

    let plain = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    assert!(describe(plain).await.is_err(), "nothing is said in the clear");
    let nobody = ours.authority().client().domain_name(EXECUTOR_NAME);
    let nobody = Endpoint::from_shared(url.clone()).unwrap().tls_config(nobody).unwrap();
    // Whether the reason or the end of the connection is seen first is chance.
    assert!(describe(nobody).await.is_err(), "no certificate is shown");
    assert!(describe(tls(&ours, &theirs).endpoint(&url).unwrap()).await.is_err(), "another cluster's is shown");
    // And the other way round: who calls believes no stranger.
    let refused = describe(tls(&theirs, &ours).endpoint(&url).unwrap()).await.unwrap_err();
    assert!(refused.contains("InvalidCertificate"), "{refused}");
    let stranger = Server::start(tls(&theirs, &theirs)).await;
    let url = format!("https://{}", stranger.address);
    assert!(describe(tls(&ours, &ours).endpoint(&url).unwrap()).await.is_err());
}

#[test]
fn a_certificate_needs_its_own_key() {
    let (ours, theirs) = (Authorities::new(), Authorities::new());
    let wrong = Certificate::new(&ours.read("process.crt"), &theirs.read("process.key")).unwrap_err();
    assert_eq!(wrong.to_string(), "the private key does not belong to the certificate");
    assert!(Certificate::new(&ours.read("process.key"), &ours.read("process.key")).is_err());
}

/// A request with a pass of the first term, counting for ever, and that term.
fn with_pass<T>(message: T, subject: Subject) -> Request<T> {
    sealed(message, &ClusterKey::new(KEY).unwrap(), &Pass { subject, term: 1, until: i64::MAX })
}

fn sealed<T>(message: T, key: &ClusterKey, pass: &Pass) -> Request<T> {
    let mut request = Request::new(message);
    key.stamp(&mut request, pass);
    request.metadata_mut().insert(TERM_HEADER, pass.term.into());
    request
}

async fn keyed() -> (Server, ExecutorClient<Channel>) {
    let server = Server::start(Trust { tls: None, key: Some(ClusterKey::new(KEY).unwrap()) }).await;
    let client = ExecutorClient::connect(format!("http://{}", server.address)).await.unwrap();
    (server, client)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_valid_pass_nothing_answers() {
    let (server, mut client) = keyed().await;
    let key = ClusterKey::new(KEY).unwrap();
    let pass = Pass { subject: Subject::Executor, term: 1, until: i64::MAX };
    let describe = v1::DescribeRequest {};
    assert!(client.describe(sealed(describe, &key, &pass)).await.is_ok());

    let mut nonsense = Request::new(describe);
    nonsense.metadata_mut().insert(PASS_HEADER, "nonsense".parse().unwrap());
    let other = ClusterKey::new("the key of another cluster, not of this").unwrap();
    let cases = [
        (Request::new(describe), "a call needs a pass, and came without one"),
        (nonsense, "the pass was not made with this cluster's key"),
        (sealed(describe, &other, &pass), "the pass was not made with this cluster's key"),
        (sealed(describe, &key, &Pass { until: 0, ..pass.clone() }), "the pass has expired"),
    ];
    for (request, words) in cases {
        let refused = client.describe(request).await.unwrap_err();
        assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
        assert!(refused.message().starts_with(words), "{refused:?}");
    }

    // Whatever service is asked for, also one that is not there.
    let mut stranger = CoordinatorClient::connect(format!("http://{}", server.address)).await.unwrap();
    let refused = stranger.list_runs(v1::ListRunsRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
    let passed = stranger.list_runs(sealed(v1::ListRunsRequest {}, &key, &pass)).await.unwrap_err();
    assert_eq!(passed.code(), Code::Unimplemented);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pass_is_for_one_attempt_and_one_term() {
    let (server, mut client) = keyed().await;
    let (old, spec) = (server.attempt(1), server.attempt(2));
    let start = v1::StartRequest { attempt_json: serde_json::to_string(&spec).unwrap() };
    let cancel = v1::CancelRequest { run_id: "r".into(), token: 2, limit_ms: 0 };
    let forget = v1::ForgetRequest { run_id: "r".into() };
    let discard = v1::DiscardRequest { attempt_json: start.attempt_json.clone() };
    let end = |token| Subject::End { run: RunId::new("r"), token: Token(token) };

    let mut of_another_term = with_pass(start.clone(), Subject::from(&spec.id));
    of_another_term.metadata_mut().insert(TERM_HEADER, 9.into());
    let refused = [
        client.start(with_pass(start.clone(), Subject::from(&old.id))).await.unwrap_err(),
        client.start(with_pass(start.clone(), Subject::Executor)).await.unwrap_err(),
        client.start(of_another_term).await.unwrap_err(),
        client.discard(with_pass(discard, Subject::from(&old.id))).await.unwrap_err(),
        client.cancel(with_pass(cancel.clone(), end(1))).await.unwrap_err(),
        client.forget(with_pass(forget, Subject::Run(RunId::new("s")))).await.unwrap_err(),
        client.describe(with_pass(v1::DescribeRequest {}, Subject::from(&spec.id))).await.unwrap_err(),
    ];
    for status in refused {
        assert_eq!(status.code(), Code::PermissionDenied, "{status:?}");
        assert_eq!(status.message(), "the pass is for something else than what is asked for");
    }

    // The term of a refused call was not believed, so that the leader of the first one is heard.
    let begun = client.start(with_pass(start, Subject::from(&spec.id))).await.unwrap().into_inner();
    assert_eq!((begun.failure_json.as_str(), begun.closed), ("", false));
    // Its own pass lets no old attempt in.
    let late = v1::StartRequest { attempt_json: serde_json::to_string(&old).unwrap() };
    let answer = client.start(with_pass(late, Subject::from(&old.id))).await.unwrap().into_inner();
    assert!(answer.failure_json.contains("fenced"), "{answer:?}");
    client.cancel(with_pass(cancel, end(2))).await.unwrap();
    client.forget(with_pass(v1::ForgetRequest { run_id: "s".into() }, Subject::Run(RunId::new("s")))).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_and_rows_are_for_executors_of_the_attempt() {
    let (server, _) = keyed().await;
    let channel = Endpoint::from_shared(format!("http://{}", server.address)).unwrap().connect().await.unwrap();
    let ticket = Ticket::new(v1::Ticket::default().encode_to_vec());
    let refused = FlightServiceClient::new(channel.clone()).do_get(ticket).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");
    let refused = TasksClient::new(channel.clone()).greet(v1::GreetRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused:?}");

    let mut tasks = TasksClient::new(Link::new(channel, Caller::new(Some(ClusterKey::new(KEY).unwrap()))));
    tasks.greet(v1::GreetRequest {}).await.unwrap();
    let (own, other) = (server.attempt(1), server.attempt(2));
    let errand = Errand {
        to: Destination::of(&own).unwrap(),
        attempt: own.id,
        connections: IndexMap::new(),
        secrets: Default::default(),
        needs: Needs::default(),
        rows: Value::Null,
        memory: None,
        parallelism: 1,
        thrift: Thrift::Usual,
        owner: None,
    };
    let task = v1::Task { errand_json: serde_json::to_string(&errand).unwrap(), ..Default::default() };
    let hosting = stream::iter([v1::Hosting { what: Some(What::Task(task)) }]);
    let mut hosted = tasks.host(about(Subject::from(&other.id), hosting)).await.unwrap().into_inner();
    let refused = hosted.message().await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied, "{refused:?}");
}
