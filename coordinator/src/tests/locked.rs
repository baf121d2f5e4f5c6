//! Runs over connections whose secrets lie in a vault, open and locked.

use std::sync::{Arc, Mutex};

use flowetl_proto::id::RunId;
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::{BlockPhase, Options, Phase};
use futures::StreamExt;
use serde_json::json;
use tokio::time::timeout;

use super::simulate::{Process, TEST_LIMIT, world};
use super::world::World;
use super::*;
use crate::accounts::Tenant;
use crate::connections::tests::{Fake, RIGHT, catalogue};
use crate::connections::{Connections, Wish};
use crate::vault::NewPassword;
use crate::vault::tests::{nobody, tenant};

on_both!(
    se_5_a_run_gets_its_secrets_and_keeps_none,
    se_4_runs_wait_for_unlock,
    se_4_a_run_that_waits_can_be_cancelled,
    se_4_a_lock_holds_a_run_up_where_it_stands,
);

const PASSWORD: &str = "correct horse";

/// A vault that only a password opens, with a connection in it, and a pipeline that reads and writes there.
async fn set_up(database: &Database, world: &Arc<Mutex<World>>) -> (Process, Tenant, Pipeline) {
    let process = Process::start(database, world).await;
    let acme = tenant(process.handle.store(), "acme").await;
    let password = NewPassword { current: None, password: PASSWORD.into(), only: true };
    process.handle.vault().set_password(&nobody(), &acme, password).await.unwrap();
    let connections = Connections::new(process.handle.vault(), Arc::new(Fake::default()));
    let document = json!({ "name": "shop", "type": "postgres", "host": "h", "password": RIGHT });
    let wish = Wish::read(document.as_object().unwrap().clone()).unwrap();
    connections.create(&nobody(), &acme, wish).await.unwrap();
    let mut pipeline =
        pipeline("shop", vec![incremental("orders"), test("checks", "orders"), load("table", "orders", "merge")]);
    pipeline.connections = connections.named(&acme.organization.id, &catalogue()).await.unwrap();
    (process, acme, pipeline)
}

async fn waits(process: &Process, run: &RunId) {
    let mut views = process.handle.follow(run).await.unwrap();
    let waits = async {
        while let Some(view) = views.next().await {
            if view.unwrap().waiting.as_deref() == Some("waiting for unlock") {
                return;
            }
        }
        panic!("the run ended");
    };
    timeout(TEST_LIMIT, waits).await.unwrap();
}

async fn unlock(process: &Process, acme: &Tenant) {
    process.handle.vault().unlock(&nobody(), acme, PASSWORD.into()).await.unwrap();
}

async fn se_5_a_run_gets_its_secrets_and_keeps_none(database: &Database) {
    let world = world(&[]);
    let (process, _, pipeline) = set_up(database, &world).await;
    let run = process.handle.submit(pipeline, Options::default()).await.unwrap();
    let view = process.wait(&run).await.unwrap();
    assert_eq!((view.state, &view.waiting), (Phase::Success, &None));
    let given = world.lock().unwrap().secrets.clone();
    assert!(given.len() >= 4, "starts and commits: {given:?}");
    assert!(given.iter().all(|secrets| secrets.contains(RIGHT)), "{given:?}");
    let events = serde_json::to_string(&process.handle.events(&run).await.unwrap()).unwrap();
    let dump = database.dump().await;
    assert!(dump.contains("${vault:"), "the run keeps a reference");
    for told in [dump, events, serde_json::to_string(&*view).unwrap(), format!("{view:?}")] {
        assert!(!told.contains(RIGHT), "{told}");
    }
    process.die().await;
}

async fn se_4_runs_wait_for_unlock(database: &Database) {
    let world = world(&[]);
    let (process, acme, pipeline) = set_up(database, &world).await;
    process.die().await;
    let process = Process::start(database, &world).await;
    let run = process.handle.submit(pipeline.clone(), Options::default()).await.unwrap();
    waits(&process, &run).await;
    let view = process.handle.run(&run).await.unwrap();
    assert_eq!((view.state, view.blocks["orders"].state), (Phase::Running, BlockPhase::Pending));
    assert!(world.lock().unwrap().started.is_empty());
    process.die().await;
    // The next process finds it locked as well.
    let process = Process::start(database, &world).await;
    assert_eq!(process.handle.go_on_with_all().await.unwrap(), std::slice::from_ref(&run));
    waits(&process, &run).await;
    unlock(&process, &acme).await;
    let view = process.wait(&run).await.unwrap();
    assert_eq!((view.state, &view.waiting), (Phase::Success, &None));
    assert!(view.blocks.values().all(|block| block.attempts == 1));
    process.die().await;
}

async fn se_4_a_run_that_waits_can_be_cancelled(database: &Database) {
    let world = world(&[]);
    let (process, acme, pipeline) = set_up(database, &world).await;
    process.handle.vault().lock(&nobody(), &acme).await.unwrap();
    let run = process.handle.submit(pipeline, Options::default()).await.unwrap();
    waits(&process, &run).await;
    process.handle.cancel(&run).await.unwrap();
    assert_eq!(process.wait(&run).await.unwrap().state, Phase::Cancelled);
    assert!(world.lock().unwrap().started.is_empty());
    process.die().await;
}

async fn se_4_a_lock_holds_a_run_up_where_it_stands(database: &Database) {
    let world = world(&[]);
    let (process, acme, pipeline) = set_up(database, &world).await;
    // Once its first segment runs.
    world.lock().unwrap().locks = Some((process.handle.vault().clone(), acme.organization.id.clone()));
    let run = process.handle.submit(pipeline, Options::default()).await.unwrap();
    waits(&process, &run).await;
    assert_eq!(world.lock().unwrap().started, ["orders"]);
    unlock(&process, &acme).await;
    let view = process.wait(&run).await.unwrap();
    assert_eq!(view.state, Phase::Success);
    assert_eq!(view.blocks["orders"].attempts, 1, "what was begun went on");
    process.die().await;
}
