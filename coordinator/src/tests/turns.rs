//! Runs that wait for their turn among others, in both databases.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use flowetl_proto::id::RunId;
use flowetl_proto::run::{Options, Phase};
use tokio::time::{sleep, timeout};

use super::simulate::{Process, TEST_LIMIT, config, world};
use super::world::{Turn, World};
use super::*;
use crate::accounts::{Accounts, Caller, Doors, OrganizationWish, Tenant};
use crate::store::Origin;
use crate::turn::Priority;
use crate::vault::tests::tenant;
use crate::{Config, Handle};

on_both!(
    x18_of_fifty_runs_three_go_at_once,
    x18_turns_come_by_priority_also_after_a_restart,
    x18_a_run_that_waits_is_cancelled_and_retried,
    x18_two_organizations_share_what_all_may_have,
);

/// Lets the default organization have `most` runs at once; whoever owns it.
async fn limit(handle: &Handle, most: i64) -> Tenant {
    let accounts = Accounts::open(handle.store(), &Doors::new()).await.unwrap();
    let tenant = accounts.open_tenant(None).await.unwrap();
    let wish = OrganizationWish { name: None, slug: None, runs_at_once: Some(most) };
    let caller = Caller::nobody([127, 0, 0, 1].into());
    let organization = accounts.rename(&caller, &tenant, wish).await.unwrap();
    assert_eq!(organization.runs_at_once, Some(most).filter(|most| *most > 0));
    tenant
}

/// Asks for a run of the pipeline `name`, whose one block hangs.
async fn ask(
    process: &Process,
    world: &Mutex<World>,
    name: &str,
    priority: Priority,
    organization: Option<&str>,
) -> RunId {
    world.lock().unwrap().turns.insert(name.into(), vec![Turn::Hang]);
    let blocks = vec![extract("rows"), load(name, "rows", "replace")];
    let origin = Origin { priority, organization: organization.map(str::to_owned), ..Origin::default() };
    process.handle.submit_for(pipeline(name, blocks), Options::default(), origin).await.unwrap()
}

/// Waits until these have started, in this order, and nothing else.
async fn started(world: &Mutex<World>, expected: &[&str]) {
    let looking = async {
        while world.lock().unwrap().started.len() < expected.len() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let _ = timeout(TEST_LIMIT, looking).await;
    assert_eq!(world.lock().unwrap().started, expected);
}

async fn cancel(process: &Process, run: &RunId) {
    process.handle.cancel(run).await.unwrap();
    assert_eq!(process.wait(run).await.unwrap().state, Phase::Cancelled);
}

fn waits(process: &Process, run: &RunId) -> Option<String> {
    assert_eq!(process.handle.live(run).unwrap().view.waiting.as_deref(), Some("queued"));
    process.handle.turns().reason(run)
}

async fn x18_of_fifty_runs_three_go_at_once(database: &Database) {
    let world = world(&[]);
    let process = Process::start(database, &world).await;
    limit(&process.handle, 3).await;
    let names: Vec<_> = (0..50).map(|number| format!("p{number}")).collect();
    let asked = names.iter().map(|name| ask(&process, &world, name, Priority::Normal, None));
    let runs = futures::future::join_all(asked).await;
    for done in 0..50 {
        let expected = (done + 3).min(50);
        let looking = async {
            // A run is shown as started a moment after it is.
            let shown = || process.handle.waiting_runs().len();
            while world.lock().unwrap().started.len() < expected || shown() > 50 - expected {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(TEST_LIMIT, looking).await.expect("others have their turn");
        let started = world.lock().unwrap().started.clone();
        assert_eq!(started.len(), expected, "{started:?}");
        assert_eq!(process.handle.waiting_runs().len(), 50 - expected);
        let next = names.iter().position(|name| *name == started[done]).unwrap();
        cancel(&process, &runs[next]).await;
    }
    process.die().await;
}

async fn x18_turns_come_by_priority_also_after_a_restart(database: &Database) {
    let world = world(&[]);
    let process = Process::start(database, &world).await;
    limit(&process.handle, 1).await;
    let first = ask(&process, &world, "first", Priority::Low, None).await;
    started(&world, &["first"]).await;
    let low = ask(&process, &world, "low", Priority::Low, None).await;
    let early = ask(&process, &world, "early", Priority::Normal, None).await;
    let late = ask(&process, &world, "late", Priority::Normal, None).await;
    let high = ask(&process, &world, "high", Priority::High, None).await;
    let under_way = "1 of 1 runs of the organization are under way";
    assert_eq!(waits(&process, &high).unwrap(), format!("{under_way}, and this one comes next"));
    assert_eq!(waits(&process, &low).unwrap(), format!("{under_way}, and 3 come before it"));
    cancel(&process, &first).await;
    started(&world, &["first", "high"]).await;

    process.die().await;
    for name in ["high", "early"] {
        world.lock().unwrap().turns.insert(name.into(), vec![Turn::Hang]);
    }
    let process = Process::start(database, &world).await;
    process.handle.go_on_with_all().await.unwrap();
    started(&world, &["first", "high", "high"]).await;
    waits(&process, &early);
    cancel(&process, &high).await;
    started(&world, &["first", "high", "high", "early"]).await;
    cancel(&process, &early).await;
    started(&world, &["first", "high", "high", "early", "late"]).await;
    // A limit that is taken away counts for the next run that is asked for, and for those that wait.
    let tenant = limit(&process.handle, 0).await;
    process.handle.turns().limit(&tenant.organization.id, None);
    started(&world, &["first", "high", "high", "early", "late", "low"]).await;
    for run in [late, low] {
        cancel(&process, &run).await;
    }
    process.die().await;
}

async fn x18_a_run_that_waits_is_cancelled_and_retried(database: &Database) {
    let world = world(&[]);
    let process = Process::start(database, &world).await;
    limit(&process.handle, 1).await;
    let first = ask(&process, &world, "first", Priority::Normal, None).await;
    started(&world, &["first"]).await;
    let second = ask(&process, &world, "second", Priority::Normal, None).await;
    waits(&process, &second);
    cancel(&process, &second).await;
    assert_eq!(process.handle.turns().reason(&second), None);
    process.handle.resume(&second).await.unwrap();
    waits(&process, &second);
    started(&world, &["first"]).await;
    cancel(&process, &first).await;
    started(&world, &["first", "second"]).await;
    cancel(&process, &second).await;
    let kinds: Vec<_> = process.handle.events(&second).await.unwrap().into_iter().map(|event| event.kind).collect();
    assert_eq!(kinds[..4], ["begun", "cancel_asked", "resumed", "admitted"], "{kinds:?}");
    process.die().await;
}

async fn x18_two_organizations_share_what_all_may_have(database: &Database) {
    let world: Arc<Mutex<World>> = world(&[]);
    let process = Process::start_as(Config { runs_at_once: Some(2), ..config(database) }, &world).await;
    limit(&process.handle, 0).await;
    let acme = tenant(process.handle.store(), "acme").await.organization.id;
    let mut runs = Vec::new();
    for name in ["one", "two", "three"] {
        runs.push(ask(&process, &world, name, Priority::High, None).await);
    }
    started(&world, &["one", "two"]).await;
    runs.push(ask(&process, &world, "theirs", Priority::Low, Some(&acme)).await);
    assert_eq!(
        waits(&process, &runs[3]).unwrap(),
        "2 runs of all organizations are under way, and this one comes next"
    );
    cancel(&process, &runs[0]).await;
    started(&world, &["one", "two", "theirs"]).await;
    cancel(&process, &runs[1]).await;
    started(&world, &["one", "two", "theirs", "three"]).await;
    for run in &runs[2..] {
        cancel(&process, run).await;
    }
    process.die().await;
}
