//! What begins runs beside schedules and people, in both databases.

use flowetl_proto::run::Phase;
use serde_json::{Map, Value, json};

use super::pipelines::{Desk, FILE};
use super::schedules::{begin, runs, until};
use super::{Database, on_both};
use crate::accounts::Refusal;
use crate::pipelines::RunWish;
use crate::store::{Store, Trigger};
use crate::trigger::{Fired, Hooks, Kind, MadeTrigger, TriggerWish, Triggers};
use crate::{Error, clock};

on_both!(
    x27_each_call_of_a_webhook_begins_one_run,
    x27_two_coordinators_begin_one_run_for_an_event,
    dm_12_a_pipeline_begins_when_all_it_depends_on_have_succeeded,
    x27_pipelines_that_would_wait_for_each_other_are_named,
);

fn named(name: &str) -> String {
    FILE.replace("name: shop", &format!("name: {name}"))
}

fn with_day() -> String {
    format!("{FILE}params:\n  day: {{type: date}}\n  region: {{type: string, default: eu}}\n")
}

fn triggers(desk: &Desk) -> Triggers {
    Triggers::new(desk.process.handle.clone(), desk.pipelines.clone())
}

async fn make(desk: &Desk, wish: TriggerWish) -> Result<MadeTrigger, Refusal> {
    triggers(desk).create(&desk.caller, &desk.tenant, wish).await
}

fn webhook(target: &str) -> TriggerWish {
    TriggerWish { kind: Some(Kind::Webhook), target_id: Some(target.into()), ..Default::default() }
}

fn upstream(target: &str, of: &[&str]) -> TriggerWish {
    let upstream = Some(of.iter().map(|id| (*id).to_owned()).collect());
    TriggerWish { kind: Some(Kind::Upstream), target_id: Some(target.into()), upstream, ..Default::default() }
}

async fn call(desk: &Desk, made: &MadeTrigger, key: Option<&str>, body: Value) -> Result<Fired, Refusal> {
    let body: Map<String, Value> = body.as_object().unwrap().clone();
    let secret = made.url.as_deref().unwrap().strip_prefix("/api/v1/hooks/").unwrap();
    let hooks = Hooks::new(desk.process.handle.clone());
    hooks.call([192, 0, 2, 7].into(), secret, key.map(str::to_owned), body).await
}

async fn x27_each_call_of_a_webhook_begins_one_run(database: &Database) {
    let desk = Desk::new(database).await;
    desk.process.handle.keep_schedules();
    let id = desk.create(&with_day()).await;
    let made = make(&desk, webhook(&id)).await.unwrap();
    assert!(made.url.as_deref().unwrap().starts_with("/api/v1/hooks/flowetl_hook_"));
    let secret = made.url.clone().unwrap().split_off("/api/v1/hooks/".len());
    assert!(!database.dump().await.contains(&secret), "only its hash is kept");

    let missing = call(&desk, &made, None, json!({ "other": 1 })).await.unwrap_err();
    assert!(matches!(&missing, Refusal::Wrong { field: "params", .. }), "{missing}");
    let first = call(&desk, &made, Some("one"), json!({ "day": "2026-11-22", "other": [1] })).await.unwrap();
    let again = call(&desk, &made, Some("one"), json!({ "day": "2026-11-23" })).await.unwrap();
    assert_eq!(again, Fired { id: first.id.clone(), is_repeated: true });
    let second = call(&desk, &made, None, json!({ "day": "2026-11-24", "region": "us" })).await.unwrap();
    assert_ne!(first.id, second.id);
    until("both have run", async || {
        let runs = runs(&desk).await;
        runs.len() == 2 && runs.iter().all(|run| run.run.state == Phase::Success)
    })
    .await;
    let found = runs(&desk).await;
    assert!(
        found.iter().all(|run| run.origin.trigger == Trigger::Webhook && run.origin.pipeline.as_ref() == Some(&id))
    );
    let told = desk.process.handle.params(&found[1].run.id).await.unwrap();
    assert_eq!(json!(told), json!({ "day": "2026-11-22", "region": "eu" }), "the oldest comes first");
    let detail = triggers(&desk).get(&desk.tenant, &made.trigger.id).await.unwrap();
    assert_eq!((detail.trigger.waiting, detail.firings.len()), (0, 2));
    assert_eq!(detail.firings[1].run_id.as_deref(), Some(found[1].run.id.as_str()));

    let off = TriggerWish { is_active: Some(false), ..Default::default() };
    triggers(&desk).update(&desk.caller, &desk.tenant, &made.trigger.id, off).await.unwrap();
    assert!(matches!(call(&desk, &made, None, json!({ "day": "2026-11-22" })).await, Err(Refusal::Conflict(_))));
    triggers(&desk).remove(&desk.caller, &desk.tenant, &made.trigger.id).await.unwrap();
    assert!(matches!(call(&desk, &made, None, json!({})).await, Err(Refusal::NotFound(_))));
    let log = desk.accounts.audit_log(Some(&desk.tenant.organization.id), None, 20).await.unwrap();
    let actions: Vec<_> = log.iter().map(|entry| entry.action.as_str()).filter(|a| a.starts_with("trigger")).collect();
    assert_eq!(actions, ["trigger.removed", "trigger.changed", "trigger.fired", "trigger.fired", "trigger.made"]);
    desk.end().await;
}

async fn x27_two_coordinators_begin_one_run_for_an_event(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(FILE).await;
    let made = make(&desk, webhook(&id)).await.unwrap();
    call(&desk, &made, None, json!({})).await.unwrap();
    let (one, two) = (Store::open(&database.url).await.unwrap(), Store::open(&database.url).await.unwrap());
    let ready = async |store: &Store| store.ready_firings(clock::now(), 10).await.unwrap().pop().unwrap();
    let (first, second) = (ready(&one).await, ready(&two).await);
    begin(&one, first).await.unwrap();
    assert!(matches!(begin(&two, second).await, Err(Error::Ticked { .. })));
    assert_eq!(runs(&desk).await.len(), 1);
    one.close().await;
    two.close().await;
    desk.end().await;
}

async fn dm_12_a_pipeline_begins_when_all_it_depends_on_have_succeeded(database: &Database) {
    let desk = Desk::new(database).await;
    desk.process.handle.keep_schedules();
    let (a, b, c) = (desk.create(&named("a")).await, desk.create(&named("b")).await, desk.create(&named("c")).await);
    let made = make(&desk, upstream(&c, &[&b, &a])).await.unwrap();
    assert_eq!((made.url, made.trigger.upstream.len()), (None, 2));
    let run = async |id: &str| {
        let run = desk.pipelines.run(&desk.caller, &desk.tenant, id, Default::default()).await.unwrap().run.id;
        assert_eq!(desk.process.wait(&run).await.unwrap().state, Phase::Success);
        run
    };
    let of_c = async || runs(&desk).await.into_iter().filter(|run| run.pipeline == "c").collect::<Vec<_>>();
    let part = RunWish { until: Some("orders".into()), ..RunWish::default() };
    let part = desk.pipelines.run(&desk.caller, &desk.tenant, &a, part).await.unwrap().run.id;
    assert_eq!(desk.process.wait(&part).await.unwrap().state, Phase::Success);
    let waits = triggers(&desk).get(&desk.tenant, &made.trigger.id).await.unwrap().trigger.upstream;
    assert!(waits.iter().all(|upstream| upstream.run_id.is_none()), "a part of `a` is not `a`");
    run(&a).await;
    let last = run(&a).await;
    let seen = triggers(&desk).get(&desk.tenant, &made.trigger.id).await.unwrap().trigger.upstream;
    let by_name = |name: &str| seen.iter().find(|one| one.upstream_name == name).unwrap().run_id.clone();
    assert_eq!((by_name("a").as_deref(), by_name("b")), (Some(last.as_str()), None));
    assert!(of_c().await.is_empty(), "`b` is still waited for");
    run(&b).await;
    until("`c` has run", async || of_c().await.iter().any(|run| run.run.state == Phase::Success)).await;
    assert_eq!((of_c().await.len(), of_c().await[0].origin.trigger), (1, Trigger::Upstream));
    run(&b).await;
    let again = triggers(&desk).get(&desk.tenant, &made.trigger.id).await.unwrap();
    assert_eq!((again.firings.len(), again.trigger.waiting), (1, 0), "`a` is waited for anew");
    desk.pipelines.remove(&desk.caller, &desk.tenant, (&a, None)).await.unwrap();
    let left = triggers(&desk).get(&desk.tenant, &made.trigger.id).await.unwrap().trigger;
    assert_eq!((left.is_active, left.upstream.len()), (false, 1), "it does not fire with less than was asked for");
    desk.end().await;
}

async fn x27_pipelines_that_would_wait_for_each_other_are_named(database: &Database) {
    let desk = Desk::new(database).await;
    let (a, b, c) = (desk.create(&named("a")).await, desk.create(&named("b")).await, desk.create(&named("c")).await);
    make(&desk, upstream(&b, &[&a])).await.unwrap();
    let to_c = make(&desk, upstream(&c, &[&b])).await.unwrap().trigger.id;
    let refused = async |wish| match make(&desk, wish).await {
        Err(Refusal::Wrong { field: "upstream", message }) => message,
        other => panic!("{other:?}"),
    };
    let round = refused(upstream(&a, &[&c])).await;
    assert_eq!(round, "the pipelines would wait for each other: `a` -> `b` -> `c` -> `a`");
    assert_eq!(refused(upstream(&a, &[&a])).await, "the pipelines would wait for each other: `a` -> `a`");
    assert_eq!(refused(upstream(&a, &["nothing"])).await, "there is no pipeline `nothing`");
    assert_eq!(refused(upstream(&a, &[])).await, "name the pipelines that have to succeed");
    triggers(&desk).remove(&desk.caller, &desk.tenant, &to_c).await.unwrap();
    make(&desk, upstream(&a, &[&c])).await.unwrap();
    desk.end().await;
}
