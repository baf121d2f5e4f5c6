//! A fleet with a real etcd and executors made for the purpose, each on a runtime of its own that can be killed.

mod service;

use std::sync::atomic::Ordering;

use etcd_client::{Client as EtcdClient, PutOptions};
use flowetl_proto::announcement::key;
use flowetl_proto::run::{Options, Phase, RunView};
use flowetl_proto::trust::{ClusterKey, Tls};
use flowetl_proto::wire::v1::executor_server::ExecutorServer;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use self::service::Service;
use super::*;
use crate::tests::access::Certificates;
use crate::tests::world::{FakeExecutor, Turn, World};
use crate::tests::{Database, extract, load, pipeline, sql};
use crate::{Config, Coordinator, Handle};

/// How long a test waits for anything, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(60);
/// Longer than any test takes.
const LEASE_SECONDS: i64 = 600;

/// One that no test outlasts.
fn tenure() -> Tenure {
    Tenure::new(1, Instant::now() + Duration::from_secs(3600))
}

fn endpoint() -> String {
    std::env::var("FLOWETL_TEST_ETCD")
        .expect("`FLOWETL_TEST_ETCD` names no etcd for this test; `deploy/test.sh` starts one")
}

/// An executor as a process: what it does is [`FakeExecutor`]'s, what it says is real.
struct Member {
    announcement: Announcement,
    lease: i64,
    service: Service,
    /// Its process.
    runtime: Runtime,
}

impl Member {
    /// Starts one with two slots, announced as being of this version.
    async fn start(town: &Town, version: &str) -> Self {
        Self::start_with(town, version, town.trust.clone()).await
    }

    /// One that shows and demands what `trust` has.
    async fn start_with(town: &Town, version: &str, trust: Trust) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("{}://{}", trust.scheme(), listener.local_addr().unwrap());
        let id = ExecutorId::new(uuid::Uuid::now_v7().to_string());
        let (executor, mut reports) = FakeExecutor::new(&town.world);
        let (said, events) = watch::channel(Vec::new());
        let (cut, closed) = (watch::Sender::new(0), Arc::default());
        let (held, calls) = (Arc::default(), Arc::default());
        let service = Service { id: id.to_string(), executor, events, cut, closed, held, key: trust.key, calls };
        let server = ExecutorServer::new(service.clone());
        let listener = listener.into_std().unwrap();
        runtime.spawn(async move {
            let incoming = TcpIncoming::from(TcpListener::from_std(listener).unwrap());
            let mut builder = Server::builder();
            if let Some(tls) = trust.tls {
                builder = builder.tls_config(tls.server()).unwrap();
            }
            builder.add_service(server).serve_with_incoming(incoming).await
        });
        runtime.spawn(async move {
            while let Some(event) = reports.recv().await {
                said.send_modify(|all| all.push(serde_json::to_string(&event).unwrap()));
            }
        });
        let mut etcd = EtcdClient::connect([endpoint()], None).await.unwrap();
        let lease = etcd.lease_grant(LEASE_SECONDS, None).await.unwrap().id();
        let announcement = Announcement { id, url, version: version.into(), slots: 2, draining: false };
        let member = Self { announcement, lease, service, runtime };
        member.announce(town).await;
        member
    }

    async fn announce(&self, town: &Town) {
        let mut etcd = EtcdClient::connect([endpoint()], None).await.unwrap();
        let value = serde_json::to_string(&self.announcement).unwrap();
        let options = PutOptions::new().with_lease(self.lease);
        etcd.put(key(&town.prefix, &self.announcement.id), value, Some(options)).await.unwrap();
    }

    /// Its process is gone at once, and so is its lease: no test waits for it to run out.
    async fn kill(self) {
        self.service.executor.dead.store(true, Ordering::SeqCst);
        self.runtime.shutdown_background();
        EtcdClient::connect([endpoint()], None).await.unwrap().lease_revoke(self.lease).await.unwrap();
    }

    fn end(self) {
        self.runtime.shutdown_background();
    }
}

/// Where a fleet lives: targets, etcd's keys, and a metadata database.
struct Town {
    world: Arc<Mutex<World>>,
    prefix: String,
    database: Database,
    trust: Trust,
}

impl Town {
    fn new(turns: &[(&str, &[Turn])]) -> Self {
        let turns = turns.iter().map(|(id, turns)| (id.to_string(), turns.to_vec())).collect();
        let world = Arc::new(Mutex::new(World { turns, ..Default::default() }));
        let prefix = format!("/test/{}", uuid::Uuid::now_v7());
        Self { world, prefix, database: Database::sqlite(), trust: Trust::default() }
    }

    async fn coordinator(&self) -> (Arc<Fleet>, Handle) {
        self.coordinator_by(endpoint()).await
    }

    /// One that finds etcd at `url`.
    async fn coordinator_by(&self, url: String) -> (Arc<Fleet>, Handle) {
        let config = FleetConfig { etcd: Etcd::at([url]), prefix: self.prefix.clone(), trust: self.trust.clone() };
        let (fleet, events) = Fleet::open(config, tenure()).await.unwrap();
        let config = Config { database_url: Some(self.database.url.clone()), ..Config::new(self.database.home.path()) };
        let executor = Arc::clone(&fleet);
        (fleet, Coordinator::open(config, executor, events).await.unwrap())
    }

    /// Waits until an attempt has started.
    async fn started(&self, count: usize) {
        let waiting = async {
            while self.world.lock().unwrap().started.len() < count {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(LIMIT, waiting).await.expect("an attempt starts");
    }

    fn published(&self) -> usize {
        self.world.lock().unwrap().published.len()
    }
}

/// Rows of a table, kept, and loaded from there.
async fn submit(coordinator: &Handle) -> RunId {
    let blocks = vec![
        extract("orders"),
        sql("kept", &["orders"]),
        load("log", "kept", "append"),
        load("table", "kept", "merge"),
    ];
    coordinator.submit(pipeline("shop", blocks), Options::default()).await.unwrap()
}

async fn wait(coordinator: &Handle, run: &RunId) -> Arc<RunView> {
    timeout(LIMIT, coordinator.wait(run)).await.expect("the run ends").unwrap()
}

/// Waits until so many executors are there.
async fn gathered(fleet: &Fleet, count: usize) {
    let waiting = async {
        while fleet.executors().len() != count {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(LIMIT, waiting).await.expect("the executors are found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_on_executors_that_come_and_go() {
    let town = Town::new(&[]);
    let first = Member::start(&town, flowetl_proto::VERSION).await;
    let (fleet, coordinator) = town.coordinator().await;
    assert_eq!(fleet.executors().len(), 1, "who is there is found before the first run");
    assert!(fleet.catalogue().is_some());
    let view = wait(&coordinator, &submit(&coordinator).await).await;
    assert_eq!((view.state, town.published()), (Phase::Success, 2));

    let second = Member::start(&town, flowetl_proto::VERSION).await;
    let other = Member::start(&town, "0.0.0").await;
    gathered(&fleet, 2).await;
    first.kill().await;
    gathered(&fleet, 1).await;
    let view = wait(&coordinator, &submit(&coordinator).await).await;
    assert_eq!((view.state, town.published()), (Phase::Success, 4));
    assert_eq!(fleet.executors()[0].id, second.announcement.id.as_str());
    assert_eq!(other.service.events.borrow().len(), 0, "one of another version gets nothing");
    second.end();
    other.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_to_executors_of_the_cluster_alone_and_each_call_has_its_pass() {
    let (ours, theirs) = (Certificates::new(), Certificates::new());
    let trust = |of: &Certificates| Trust {
        tls: Some(Tls { authority: of.authority(), own: of.own() }),
        key: Some(ClusterKey::new("a key of this cluster, and no other's").unwrap()),
    };
    let town = Town { trust: trust(&ours), ..Town::new(&[("log", &[Turn::Hang])]) };
    // Whoever writes to etcd may say so; these are not spoken with.
    let stranger = Member::start_with(&town, flowetl_proto::VERSION, trust(&theirs)).await;
    let plain = Member::start_with(&town, flowetl_proto::VERSION, Trust::default()).await;
    let (fleet, coordinator) = town.coordinator().await;
    assert!(fleet.catalogue().is_none());
    let member = Member::start(&town, flowetl_proto::VERSION).await;
    let run = submit(&coordinator).await;
    town.started(2).await;
    coordinator.cancel(&run).await.unwrap();
    assert_eq!(wait(&coordinator, &run).await.state, Phase::Cancelled);
    coordinator.resume(&run).await.unwrap();
    assert_eq!((wait(&coordinator, &run).await.state, town.published()), (Phase::Success, 2));
    for other in [&stranger, &plain] {
        assert_eq!(other.service.calls.load(Ordering::SeqCst), 0);
    }
    for member in [member, stranger, plain] {
        member.end();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_executors_attempt_is_done_again() {
    let town = Town::new(&[("kept", &[Turn::Hang])]);
    let first = Member::start(&town, flowetl_proto::VERSION).await;
    let (fleet, coordinator) = town.coordinator().await;
    let run = submit(&coordinator).await;
    town.started(1).await;
    let second = Member::start(&town, flowetl_proto::VERSION).await;
    gathered(&fleet, 2).await;
    first.kill().await;
    let view = wait(&coordinator, &run).await;
    assert_eq!((view.state, view.blocks["kept"].attempts), (Phase::Success, 2));
    assert_eq!(town.published(), 2);
    assert_eq!(town.world.lock().unwrap().staged.len(), 1, "what the killed one staged is removed, the boundary stays");
    second.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_stream_costs_nothing() {
    let town = Town::new(&[("kept", &[Turn::Hang])]);
    let member = Member::start(&town, flowetl_proto::VERSION).await;
    let (fleet, coordinator) = town.coordinator().await;
    let run = submit(&coordinator).await;
    town.started(1).await;
    member.service.cut.send_modify(|cuts| *cuts += 1);
    gathered(&fleet, 1).await;
    // Also without etcd's word for it: who reports is there.
    EtcdClient::connect([endpoint()], None).await.unwrap().lease_revoke(member.lease).await.unwrap();
    coordinator.cancel(&run).await.unwrap();
    let view = wait(&coordinator, &run).await;
    assert_eq!((view.state, view.blocks["kept"].attempts), (Phase::Cancelled, 1));
    member.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_executor_that_closes_sends_nothing_back() {
    let town = Town::new(&[]);
    let mut leaving = Member::start(&town, flowetl_proto::VERSION).await;
    // Before it is known to be draining.
    leaving.service.closed.store(true, Ordering::SeqCst);
    let (fleet, coordinator) = town.coordinator().await;
    let run = submit(&coordinator).await;
    let staying = Member::start(&town, flowetl_proto::VERSION).await;
    leaving.announcement.draining = true;
    leaving.announce(&town).await;
    let view = wait(&coordinator, &run).await;
    assert_eq!(view.state, Phase::Success);
    assert!(view.blocks.values().all(|block| block.attempts == 1), "{view:?}");
    assert_eq!(leaving.service.events.borrow().len(), 0);
    gathered(&fleet, 2).await;
    leaving.end();
    staying.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_next_coordinator_goes_on_with_what_runs_and_does_again_what_is_gone() {
    let town = Town::new(&[("kept", &[Turn::Hang, Turn::Hang])]);
    let member = Member::start(&town, flowetl_proto::VERSION).await;
    let (_, coordinator) = town.coordinator().await;
    let run = submit(&coordinator).await;
    town.started(1).await;
    coordinator.close().await;
    let (_, coordinator) = town.coordinator().await;
    assert_eq!(coordinator.take_over().await.unwrap(), std::slice::from_ref(&run));
    assert_eq!(coordinator.run(&run).await.unwrap().blocks["kept"].attempts, 1);
    coordinator.close().await;
    assert_eq!(town.world.lock().unwrap().started.len(), 1, "nothing was started again");

    member.kill().await;
    let (_, coordinator) = town.coordinator().await;
    assert_eq!(coordinator.take_over().await.unwrap(), std::slice::from_ref(&run));
    let other = Member::start(&town, flowetl_proto::VERSION).await;
    town.started(2).await;
    coordinator.cancel(&run).await.unwrap();
    let view = wait(&coordinator, &run).await;
    assert_eq!((view.state, view.blocks["kept"].attempts), (Phase::Cancelled, 2));
    other.end();
}

/// A way to etcd that can be cut.
async fn road() -> (String, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let cut = CancellationToken::new();
    let etcd = endpoint().strip_prefix("http://").unwrap().to_owned();
    let ended = cut.clone();
    tokio::spawn(cut.clone().run_until_cancelled_owned(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            let mut far = TcpStream::connect(&etcd).await.unwrap();
            let carrying = async move { tokio::io::copy_bidirectional(&mut near, &mut far).await };
            tokio::spawn(ended.clone().run_until_cancelled_owned(carrying));
        }
    }));
    (url, cut)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_etcd_is_away_nobody_is_taken_for_dead() {
    let town = Town::new(&[]);
    let member = Member::start(&town, flowetl_proto::VERSION).await;
    let (url, cut) = road().await;
    let (fleet, coordinator) = town.coordinator_by(url).await;
    cut.cancel();
    // Etcd would say so, if it were asked.
    EtcdClient::connect([endpoint()], None).await.unwrap().lease_revoke(member.lease).await.unwrap();
    member.service.cut.send_modify(|cuts| *cuts += 1);
    let view = wait(&coordinator, &submit(&coordinator).await).await;
    assert_eq!((view.state, town.published()), (Phase::Success, 2));
    assert!(view.blocks.values().all(|block| block.attempts == 1), "{view:?}");
    gathered(&fleet, 1).await;
    member.end();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_etcd_nobody_is_found() {
    let config =
        FleetConfig { etcd: Etcd::at(["http://127.0.0.1:1"]), prefix: "/test".into(), trust: Trust::default() };
    let Err(error) = Fleet::open(config, tenure()).await else { panic!("it opened") };
    assert!(error.chain().starts_with("cannot find executors: etcd"), "{}", error.chain());
}
