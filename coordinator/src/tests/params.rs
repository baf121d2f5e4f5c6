//! What runs of stored pipelines are told, in both databases.

use std::collections::BTreeMap;

use flowetl_proto::id::RunId;
use flowetl_proto::run::Phase;
use serde_json::{Map, Value, json};

use super::pipelines::{Desk, FILE};
use super::world::Turn;
use super::{Database, on_both};
use crate::accounts::Refusal;
use crate::pipelines::RunWish;
use crate::schedule::ScheduleWish;

on_both!(pl_a_run_is_told_values_and_keeps_them, pl_a_schedule_tells_its_runs);

fn file() -> String {
    let params = "params:\n  day: {type: date}\n  region: {type: string, default: eu, values: [eu, us]}\n";
    format!("{}{params}", FILE.replace("to: db.public.log", "to: db.public.log_of_days")).replace(
        "extract: db.public.orders",
        "extract: {connection: db, query: \"select * from o where d = {{ var('day') }}\"}",
    )
}

fn told(values: Value) -> RunWish {
    let values: Map<String, Value> = values.as_object().unwrap().clone();
    RunWish { params: Some(values.into_iter().collect()), ..RunWish::default() }
}

async fn pl_a_run_is_told_values_and_keeps_them(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(&file()).await;
    let run = async |wish| desk.pipelines.run(&desk.caller, &desk.tenant, &id, wish).await;
    let refused = async |wish| match run(wish).await {
        Err(Refusal::Wrong { field: "params", message }) => message,
        other => panic!("{other:?}"),
    };
    assert_eq!(refused(RunWish::default()).await, "parameter `day` is missing: it has no default");
    assert_eq!(
        refused(told(json!({ "day": "2026-11-22", "dya": 1 }))).await,
        "unknown parameter `dya`: the pipeline has `day`, `region`"
    );
    let breaks_out = refused(told(json!({ "day": "2026-11-22'; drop table o; --" }))).await;
    assert!(breaks_out.contains("is no date"), "{breaks_out}");

    desk.world.lock().unwrap().turns.insert("log".into(), vec![Turn::Fail(flowetl_proto::code::Class::User)]);
    let first = run(told(json!({ "day": "2026-11-22" }))).await.unwrap().run.id;
    assert_eq!(desk.process.wait(&first).await.unwrap().state, Phase::Failed);
    let values = async |run: &RunId| desk.process.handle.params(run).await.unwrap();
    let expected = BTreeMap::from([("day".to_owned(), json!("2026-11-22")), ("region".to_owned(), json!("eu"))]);
    assert_eq!(values(&first).await, expected);
    // A retry keeps them, and so does who goes on with the run by its id.
    desk.process.handle.resume(&first).await.unwrap();
    assert_eq!(desk.process.wait(&first).await.unwrap().state, Phase::Success);
    assert_eq!(values(&first).await, expected);
    let second = run(told(json!({ "day": "2026-11-23", "region": "us" }))).await.unwrap().run.id;
    assert_eq!(desk.process.wait(&second).await.unwrap().state, Phase::Success);
    assert_eq!(values(&second).await["region"], "us");
    // SQLite shows quotes in texts twice.
    let dump = database.dump().await.replace("''", "'");
    assert!(dump.contains("select * from o where d = '2026-11-22'"), "it came into the query as a literal");
    desk.end().await;
}

async fn pl_a_schedule_tells_its_runs(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(&file()).await;
    let wish = |params: Value| ScheduleWish {
        target_id: Some(id.clone()),
        cron_expression: Some("* * * * * *".into()),
        params: params.as_object().map(|params| params.clone().into_iter().collect()),
        ..Default::default()
    };
    let create = async |params| desk.schedules.create(&desk.caller, &desk.tenant, wish(params)).await;
    let refused = create(json!({})).await.unwrap_err();
    assert!(matches!(&refused, Refusal::Wrong { field: "params", .. }), "{refused}");
    desk.process.handle.keep_schedules();
    let made = create(json!({ "day": "2026-11-22" })).await.unwrap();
    assert_eq!(json!(made.params), json!({ "day": "2026-11-22" }));
    let run = super::schedules::first_run(&desk).await;
    assert_eq!(desk.process.handle.params(&run).await.unwrap()["day"], "2026-11-22");
    desk.schedules.remove(&desk.caller, &desk.tenant, &made.id).await.unwrap();
    let _ = desk.process.wait(&run).await;
    desk.end().await;
}
