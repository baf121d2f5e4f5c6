//! What a leader knows of its lease, whatever order things come in; and elections in a real etcd.

use std::time::Duration;

use etcd_client::Client;
use flowetl_proto::etcd::Etcd;
use flowetl_proto::run::Options;
use flowetl_proto::trust::Trust;
use proptest::prelude::*;
use tokio::time::{Instant, timeout};

use super::tenure::known_until;
use super::*;
use crate::tests::world::FakeExecutor;
use crate::tests::{Database, extract, load, on_both, pipeline};
use crate::{Coordinator, Handle};

/// How long a test waits for anything, on however slow a machine.
const LIMIT: Duration = Duration::from_secs(60);

on_both!(one_of_two_leads, the_old_leaders_writes_count_for_nothing, a_leader_goes_on_where_nobody_led_in_between);

/// What may happen to a tenure.
#[derive(Clone, Debug)]
enum Act {
    Extend(u64),
    Renew(i64, u64),
    End,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => (0..200_u64).prop_map(Act::Extend),
        2 => (1..9_i64, 0..200_u64).prop_map(|(term, ms)| Act::Renew(term, ms)),
        1 => Just(Act::End),
    ]
}

proptest! {
    #[test]
    fn a_tenure_only_grows_until_it_is_over_for_good(acts in prop::collection::vec(act(), 0..20)) {
        // An hour each way: no clock of the test's own matters.
        let (now, hour) = (Instant::now(), Duration::from_secs(3600));
        let at = |ms: u64| match ms < 100 {
            true => now - Duration::from_millis(100 - ms),
            false => now + hour + Duration::from_millis(ms),
        };
        let tenure = Tenure::new(1, now);
        let (mut sure, mut over) = (false, false);
        for act in acts {
            match act {
                Act::Extend(ms) => {
                    tenure.extend(at(ms));
                    sure |= ms >= 100;
                }
                Act::Renew(term, ms) => {
                    tenure.renew(term, at(ms));
                    prop_assert_eq!(tenure.term(), term);
                    sure |= ms >= 100;
                }
                Act::End => {
                    tenure.end("made to end");
                    over = true;
                }
            }
            let checked = tenure.check();
            prop_assert_eq!(tenure.is_over(), over);
            prop_assert_eq!(matches!(checked, Err(Error::Deposed)), over);
            prop_assert_eq!(checked.is_ok(), sure && !over);
        }
    }

    #[test]
    fn terms_grow_whatever_etcd_counts(before in 0..i64::MAX - 1, revision in 1..i64::MAX) {
        let term = next_term(before, revision);
        prop_assert!(term > before && term >= revision);
        prop_assert!(term == revision || revision <= before, "the revision wherever it can be");
    }

    #[test]
    fn a_lease_is_never_taken_to_be_longer_than_it_is(ttl in 0..100_u64, margin in 0..10_u64) {
        let asked_at = Instant::now();
        let until = known_until(asked_at, Duration::from_secs(ttl), Duration::from_secs(margin));
        prop_assert!(until <= asked_at + Duration::from_secs(ttl.saturating_sub(margin)));
    }
}

/// An election of its own, with one database.
struct Town<'a> {
    fleet: FleetConfig,
    config: Config,
    database: &'a Database,
}

impl<'a> Town<'a> {
    fn new(database: &'a Database) -> Self {
        let etcd = std::env::var("FLOWETL_TEST_ETCD")
            .expect("`FLOWETL_TEST_ETCD` names no etcd for this test; `deploy/test.sh` starts one");
        let fleet = FleetConfig {
            etcd: Etcd::at([etcd]),
            prefix: format!("/test/{}", uuid::Uuid::now_v7()),
            trust: Trust::default(),
        };
        let config = Config { database_url: Some(database.url.clone()), ..Config::new(database.home.path()) };
        Self { fleet, config, database }
    }

    async fn candidate(&self, url: &str) -> Candidate {
        Candidate::open(&self.fleet, &self.config, url.to_owned()).await.unwrap()
    }

    async fn etcd(&self) -> Client {
        Client::connect(&self.fleet.etcd.endpoints, None).await.unwrap()
    }

    /// The leader's lease is gone, as if it had been silent.
    async fn forget_leader(&self) {
        let mut etcd = self.etcd().await;
        let found = etcd.get(format!("{}/leader", self.fleet.prefix), None).await.unwrap();
        etcd.lease_revoke(found.kvs()[0].lease()).await.unwrap();
    }

    /// A coordinator that decides under `tenure`.
    async fn coordinator(&self, tenure: Tenure) -> Handle {
        let (executor, events) = FakeExecutor::new(&Default::default());
        let home = self.database.home.path().join(tenure.term().to_string());
        let config = Config { home, tenure: Some(tenure), ..self.config.clone() };
        Coordinator::open(config, executor, events).await.unwrap()
    }
}

async fn submit(coordinator: &Handle) -> Result<flowetl_proto::id::RunId> {
    let blocks = vec![extract("orders"), load("log", "orders", "append")];
    coordinator.submit(pipeline("shop", blocks), Options::default()).await
}

async fn leads(candidate: &mut Candidate) -> Lead {
    match candidate.campaign().await.unwrap() {
        Standing::Leads(lead) => lead,
        Standing::By(leader) => panic!("{leader:?} leads"),
    }
}

async fn one_of_two_leads(database: &Database) {
    let town = Town::new(database);
    let (mut first, mut second) = (town.candidate("http://one").await, town.candidate("http://two").await);
    let lead = leads(&mut first).await;
    let Standing::By(leader) = second.campaign().await.unwrap() else { panic!("two lead") };
    assert_eq!(leader.url, "http://one");
    let term = lead.tenure().term();
    lead.resign().await;
    let next = leads(&mut second).await;
    assert!(next.tenure().term() > term);
    next.resign().await;

    // An etcd that was made anew counts from the beginning.
    let store = town.config.store().await.unwrap();
    let before = store.leading_term().await.unwrap();
    store.succeed(before, before + (1 << 40), 0).await.unwrap();
    let lead = leads(&mut first).await;
    assert_eq!(lead.tenure().term(), before + (1 << 40) + 1);
    lead.resign().await;
}

async fn the_old_leaders_writes_count_for_nothing(database: &Database) {
    let town = Town::new(database);
    let (mut first, mut second) = (town.candidate("http://one").await, town.candidate("http://two").await);
    let old = leads(&mut first).await;
    let deposed = town.coordinator(old.tenure()).await;
    let run = submit(&deposed).await.unwrap();
    timeout(LIMIT, deposed.wait(&run)).await.unwrap().unwrap();
    town.forget_leader().await;
    // Unless it has noticed before: it leads again then, and is deposed the same way.
    let new = loop {
        match second.campaign().await.unwrap() {
            Standing::Leads(lead) => break lead,
            Standing::By(_) => town.forget_leader().await,
        }
    };
    let wrote = submit(&deposed).await;
    assert!(matches!(wrote, Err(Error::Deposed)), "{wrote:?}");
    let cleared = deposed.set_position("shop", &"orders".into(), None).await;
    assert!(matches!(cleared, Err(Error::Deposed)), "{cleared:?}");
    assert!(deposed.is_deposed());
    timeout(LIMIT, old.tenure().over()).await.expect("the old leader steps down");
    assert_eq!(deposed.runs().await.unwrap().len(), 1, "looking is free");
    submit(&town.coordinator(new.tenure()).await).await.unwrap();
    new.resign().await;
    old.resign().await;
}

async fn a_leader_goes_on_where_nobody_led_in_between(database: &Database) {
    let town = Town::new(database);
    let mut candidate = town.candidate("http://one").await;
    let lead = leads(&mut candidate).await;
    let (tenure, term) = (lead.tenure(), lead.tenure().term());
    let coordinator = town.coordinator(tenure.clone()).await;
    town.forget_leader().await;
    let regained = async {
        while tenure.term() == term {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(LIMIT, regained).await.expect("it leads again");
    assert!(tenure.term() > term && !tenure.is_over());
    let run = submit(&coordinator).await.unwrap();
    timeout(LIMIT, coordinator.wait(&run)).await.unwrap().unwrap();
    lead.resign().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_lease_that_lasts_nothing_is_decided() {
    let database = Database::sqlite();
    let town = Town::new(&database);
    town.config.store().await.unwrap().succeed(0, 1, 0).await.unwrap();
    let tenure = Tenure::new(1, Instant::now());
    let coordinator = town.coordinator(tenure.clone()).await;
    let refused = submit(&coordinator).await;
    assert!(matches!(refused, Err(Error::Unsure)), "{refused:?}");
    assert!(coordinator.runs().await.unwrap().is_empty());
    tenure.extend(Instant::now() + LIMIT);
    let run = submit(&coordinator).await.unwrap();
    timeout(LIMIT, coordinator.wait(&run)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_etcd_nobody_stands_for_election() {
    let database = Database::sqlite();
    let mut town = Town::new(&database);
    town.fleet.etcd = Etcd::at(["http://127.0.0.1:1"]);
    let Err(error) = Candidate::open(&town.fleet, &town.config, String::new()).await else { panic!("it opened") };
    assert!(error.chain().starts_with("cannot find executors: etcd"), "{}", error.chain());
}
