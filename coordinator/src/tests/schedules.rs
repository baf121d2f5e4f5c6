//! Schedules in both databases: what makes them, what they begin, and that each of their times gets one run.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use flowetl_proto::id::RunId;
use flowetl_proto::run::{Phase, RunEvent, RunOptions};
use serde_json::json;
use tokio::time::{sleep, timeout};

use super::pipelines::{Desk, FILE};
use super::simulate::TEST_LIMIT;
use super::world::Turn;
use super::{Database, on_both};
use crate::accounts::Refusal;
use crate::pipelines::{PipelineWish, Standing};
use crate::schedule::{Missed, PreviewWish, ScheduleWish, Schedules, Target};
use crate::store::{Origin, Record, RunQuery, RunRow, Scheduled, Store, Totals, Trigger, Version};
use crate::{Error, clock};

on_both!(
    sc_1_a_file_makes_and_changes_its_schedule,
    sc_2_and_sc_4_a_schedule_is_made_enabled_and_disabled,
    sc_1_a_time_that_comes_begins_a_run,
    sc_6_what_waits_runs_when_the_run_under_way_has_ended,
    sc_5_five_hundred_times_get_one_run_each_from_two_coordinators_of_which_one_dies,
);

const HOUR: i64 = 3_600_000;

fn at_three() -> String {
    format!("{FILE}schedule: {{cron: 0 3 * * *, timezone: Europe/Warsaw, missed: queue}}\n")
}

async fn sc_1_a_file_makes_and_changes_its_schedule(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(&at_three()).await;
    let only = async || {
        let mut all = desk.schedules.list(&desk.tenant, &id, "", 10).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    };
    let first = only().await;
    assert_eq!((first.cron_expression.as_str(), first.missed, first.in_file), ("0 3 * * *", Missed::Queue, true));
    assert_eq!((first.text.as_str(), first.next_runs.len()), ("Every day at 3:00 AM Europe/Warsaw", 5));
    assert_eq!(first.next_run_at, Some(first.next_runs[0]));
    let item = desk.pipelines.get(&desk.tenant, &id).await.unwrap().item;
    assert_eq!((item.schedule_cron.as_deref(), item.next_run_at), (Some("0 3 * * *"), first.next_run_at));

    desk.apply(&at_three().replace("0 3", "30 4")).await;
    let changed = only().await;
    assert_eq!((&changed.id, changed.cron_expression.as_str()), (&first.id, "30 4 * * *"));
    let odd = ScheduleWish { cron_expression: Some("* * * * *".into()), ..Default::default() };
    let refused = desk.schedules.update(&desk.caller, &desk.tenant, &first.id, odd).await.unwrap_err();
    assert!(refused.to_string().contains("in its pipeline's file"), "{refused}");
    let off = ScheduleWish { is_active: Some(false), ..Default::default() };
    let disabled = desk.schedules.update(&desk.caller, &desk.tenant, &first.id, off).await.unwrap();
    assert_eq!((disabled.is_active, disabled.next_run_at), (false, None));
    desk.apply(&at_three()).await;
    assert!(!only().await.is_active, "the file does not say whether it is enabled");
    let on = ScheduleWish { is_active: Some(true), ..Default::default() };
    desk.schedules.update(&desk.caller, &desk.tenant, &first.id, on).await.unwrap();

    let stand = async |standing| {
        let wish = PipelineWish { status: Some(standing), ..Default::default() };
        desk.pipelines.update(&desk.caller, &desk.tenant, (&id, None), wish).await.unwrap();
        only().await.next_run_at
    };
    assert_eq!(stand(Standing::Paused).await, None);
    assert!(stand(Standing::Active).await.is_some());
    desk.apply(FILE).await;
    assert!(desk.schedules.list(&desk.tenant, &id, "", 10).await.unwrap().is_empty());
    desk.end().await;
}

async fn sc_2_and_sc_4_a_schedule_is_made_enabled_and_disabled(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(FILE).await;
    let new = |cron: &str| ScheduleWish {
        target_id: Some(id.clone()),
        cron_expression: Some(cron.into()),
        until: Some("orders".into()),
        ..Default::default()
    };
    let made = desk.schedules.create(&desk.caller, &desk.tenant, new("*/5 * * * *")).await.unwrap();
    assert_eq!((made.timezone.as_str(), made.missed, made.until.as_deref()), ("UTC", Missed::Skip, Some("orders")));
    assert_eq!((made.target_name.as_str(), made.text.as_str()), ("shop", "Every 5 minutes, UTC"));
    let create = async |wish| desk.schedules.create(&desk.caller, &desk.tenant, wish).await.unwrap_err();
    let field = |refusal| match refusal {
        Refusal::Wrong { field, .. } => field,
        other => panic!("{other}"),
    };
    assert_eq!(field(create(new("* *")).await), "cron_expression");
    let zone = ScheduleWish { timezone: Some("Mars/Base".into()), ..new("* * * * *") };
    assert_eq!(field(create(zone).await), "timezone");
    let block = ScheduleWish { until: Some("nothing".into()), ..new("* * * * *") };
    assert_eq!(field(create(block).await), "until");
    let target = ScheduleWish { target_id: Some("nothing".into()), ..new("* * * * *") };
    assert_eq!(field(create(target).await), "target_id");

    let change = async |wish| desk.schedules.update(&desk.caller, &desk.tenant, &made.id, wish).await.unwrap();
    let off = change(ScheduleWish { is_active: Some(false), ..Default::default() }).await;
    assert_eq!((off.is_active, off.next_run_at), (false, None));
    let whole = change(ScheduleWish { is_active: Some(true), until: Some(String::new()), ..Default::default() }).await;
    assert_eq!((whole.until, whole.next_run_at.is_some()), (None, true));
    let seen = PreviewWish { cron_expression: "0 9 * * mon-fri".into(), timezone: Some("Europe/Warsaw".into()) };
    assert_eq!(Schedules::preview(&seen).unwrap().text, "Every Monday to Friday at 9:00 AM Europe/Warsaw");
    desk.schedules.remove(&desk.caller, &desk.tenant, &made.id).await.unwrap();
    assert!(matches!(desk.schedules.get(&desk.tenant, &made.id).await, Err(Refusal::NotFound(_))));
    desk.end().await;
}

/// The newest runs of the default organization, newest first.
pub(super) async fn runs(desk: &Desk) -> Vec<crate::store::OwnedRun> {
    let organization = desk.tenant.organization.id.clone();
    let query = RunQuery { organization, limit: 100, ..RunQuery::default() };
    desk.process.handle.runs_of(&query).await.unwrap().runs
}

/// Looks again and again until it is so.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let looking = async {
        while !is_so().await {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TEST_LIMIT, looking).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn sc_1_a_time_that_comes_begins_a_run(database: &Database) {
    let desk = Desk::new(database).await;
    desk.process.handle.keep_schedules();
    let every_second = format!("{FILE}schedule: {{cron: '* * * * * *'}}\n");
    let id = desk.create(&every_second).await;
    until("a run begins by itself", async || !runs(&desk).await.is_empty()).await;
    let first = runs(&desk).await.pop().unwrap();
    assert_eq!((first.origin.pipeline.as_ref(), first.origin.revision), (Some(&id), Some(1)));
    assert_eq!(desk.process.wait(&first.run.id).await.unwrap().state, Phase::Success);
    let schedule = desk.schedules.list(&desk.tenant, &id, "", 10).await.unwrap().remove(0);
    let tick = first.origin.tick().unwrap();
    assert_eq!((&tick.schedule, tick.at % 1000), (&schedule.id, 0));
    assert!(schedule.last_run.is_some());
    // Nothing more begins once it is paused.
    let paused = PipelineWish { status: Some(Standing::Paused), ..Default::default() };
    desk.pipelines.update(&desk.caller, &desk.tenant, (&id, None), paused).await.unwrap();
    let due = desk.process.handle.store().due(clock::now() + HOUR, 10).await.unwrap();
    assert!(due.is_empty());
    until("the last run ends", async || runs(&desk).await.iter().all(|run| run.run.state.is_terminal())).await;
    desk.end().await;
}

async fn sc_6_what_waits_runs_when_the_run_under_way_has_ended(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(&at_three()).await;
    desk.world.lock().unwrap().turns.insert("log".into(), vec![Turn::Hang]);
    let hanging = desk.pipelines.run(&desk.caller, &desk.tenant, &id, Default::default()).await.unwrap().run.id;
    let store = desk.process.handle.store().clone();
    // Three days later.
    let now = clock::now() + 3 * 24 * HOUR;
    let due = store.due(now, 10).await.unwrap();
    assert!(due.len() == 1 && due[0].state.is_busy);
    let decided = due.iter().map(|due| (due, crate::schedule::step(&due.state, now))).collect::<Vec<_>>();
    assert_eq!(decided[0].1.ticks.len(), 3);
    store.decide(&decided).await.unwrap();
    store.decide(&decided).await.unwrap();
    let waiting = desk.schedules.list(&desk.tenant, &id, "", 10).await.unwrap().remove(0).waiting;
    assert_eq!(waiting, 3, "decided once");
    assert!(store.ready(now, 10).await.unwrap().is_empty(), "one run at a time");
    desk.process.handle.keep_schedules();
    desk.process.handle.cancel(&hanging).await.unwrap();
    until("all three run", async || {
        let runs = runs(&desk).await;
        runs.iter().filter(|run| run.origin.tick().is_some() && run.run.state == Phase::Success).count() == 3
    })
    .await;
    let ticks: Vec<i64> = runs(&desk).await.into_iter().filter_map(|run| Some(run.origin.tick()?.at)).collect();
    assert!(ticks.is_sorted_by(|newer, older| newer > older), "oldest first: {ticks:?}");
    desk.end().await;
}

/// A coordinator as far as schedules go: decides and begins runs at the time `now` until nothing is left, or until it dies
/// after as many writes as `life` has left.
async fn coordinate(store: Store, now: i64, life: Arc<AtomicI64>) {
    let dies = || life.fetch_sub(1, Ordering::SeqCst) <= 0;
    loop {
        let due = store.due(now, 50).await.unwrap();
        let decided: Vec<_> = due.iter().map(|due| (due, crate::schedule::step(&due.state, now))).collect();
        if dies() {
            return;
        }
        store.decide(&decided).await.unwrap();
        let ready = store.ready(now, 50).await.unwrap();
        if due.is_empty() && ready.is_empty() {
            return;
        }
        for scheduled in ready {
            if dies() {
                return;
            }
            match begin(&store, scheduled).await {
                Ok(()) | Err(Error::Ticked { .. }) => {}
                // The index that lets one run be active.
                Err(Error::Database { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}

pub(super) async fn begin(store: &Store, scheduled: Scheduled) -> crate::Result<()> {
    let pipeline = flowetl_proto::pipeline::Pipeline { name: scheduled.key, ..scheduled.definition };
    let version = Version::of(&pipeline).unwrap();
    let (id, now) = (clock::new_run_id(), clock::now());
    let origin = Origin {
        organization: Some(scheduled.organization),
        pipeline: scheduled.pipeline.as_ref().map(|(id, _)| id.clone()),
        revision: scheduled.pipeline.map(|(_, revision)| revision),
        cause: Some(scheduled.cause),
        trigger: Trigger::Schedule,
        ..Origin::default()
    };
    let first = |term, _| (record(id, &version, term, now), ());
    store.create(&version, &origin, 1, now, first).await
}

fn record(id: RunId, version: &Version, term: i64, now: i64) -> Record {
    let run = RunRow {
        id,
        pipeline: version.pipeline.clone(),
        hash: version.hash.clone(),
        options: RunOptions::default(),
        state: Phase::Running,
        failure: None,
        term,
        seq: 1,
        created_at: now,
        started_at: now,
        finished_at: None,
        kept: false,
        queued: false,
        totals: Totals::default(),
    };
    let event = RunEvent { seq: 1, at: now, kind: "begun".into(), detail: json!({}) };
    Record {
        run,
        segments: vec![],
        attempts: vec![],
        sink_commits: vec![],
        loaded: vec![],
        written: vec![],
        positions: vec![],
        schemas: vec![],
        event,
        news: None,
    }
}

async fn sc_5_five_hundred_times_get_one_run_each_from_two_coordinators_of_which_one_dies(database: &Database) {
    const SCHEDULES: usize = 500;
    let desk = Desk::new(database).await;
    let id = desk.create(&at_three()).await;
    let mut directory = desk.process.handle.store().change_directory().await.unwrap();
    let pipeline = directory.stored_pipeline(&desk.tenant.organization.id, &id).await.unwrap().unwrap();
    let revision = directory.revision(&id, 1).await.unwrap().unwrap();
    let schedule = directory.schedule_of_file(&id).await.unwrap().unwrap();
    for number in 1..SCHEDULES {
        let (id, name) = (clock::new_id(), format!("p{number}"));
        let copy = crate::pipelines::StoredPipeline { id: id.clone(), key: name.clone(), name, ..pipeline.clone() };
        assert!(directory.add_stored_pipeline(&copy).await.unwrap());
        directory.add_revision(&id, &revision).await.unwrap();
        let copy = crate::schedule::Schedule { id: clock::new_id(), target: Target::Pipeline(id), ..schedule.clone() };
        directory.put_schedule(&copy).await.unwrap();
    }
    directory.commit().await.unwrap();

    let now = schedule.next_at.unwrap().0 + 30_000;
    let (one, two) = (Store::open(&database.url).await.unwrap(), Store::open(&database.url).await.unwrap());
    let dies = tokio::spawn(coordinate(one, now, Arc::new(AtomicI64::new(120))));
    let lives = tokio::spawn(coordinate(two.clone(), now, Arc::new(AtomicI64::new(i64::MAX))));
    dies.await.unwrap();
    lives.await.unwrap();
    // What the dead one had decided about and the other did not see any more.
    coordinate(two.clone(), now, Arc::new(AtomicI64::new(i64::MAX))).await;

    let query = RunQuery { organization: desk.tenant.organization.id.clone(), limit: 10_000, ..RunQuery::default() };
    let mut begun = BTreeMap::new();
    for run in two.runs_of(&query).await.unwrap().runs {
        *begun.entry(run.origin.tick().unwrap().clone()).or_insert(0) += 1;
    }
    assert_eq!(begun.len(), SCHEDULES);
    assert!(begun.values().all(|runs| *runs == 1), "{begun:?}");
    assert!(begun.keys().all(|tick| tick.at == schedule.next_at.unwrap().0));
    two.close().await;
    desk.end().await;
}

/// The first run that begins by itself.
pub(super) async fn first_run(desk: &Desk) -> RunId {
    until("a run begins by itself", async || !runs(desk).await.is_empty()).await;
    runs(desk).await.pop().unwrap().run.id
}
