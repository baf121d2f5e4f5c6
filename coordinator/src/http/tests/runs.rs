//! Runs over HTTP: whose they are, which are shown, and how they are cancelled.

use flowetl_proto::code::Class;
use flowetl_proto::id::RunId;
use flowetl_proto::log::{Level, Line};
use flowetl_proto::quarantine::Row;
use flowetl_proto::run::Options;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::timeout;

use super::{Answer, App};
use crate::clock;
use crate::store::{Origin, Trigger};
use crate::tests::simulate::TEST_LIMIT;
use crate::tests::world::Turn;
use crate::tests::{Database, extract, load, on_both, pipeline, sql, test};

on_both!(
    ap_14_runs_are_those_of_ones_organization,
    mo_1_runs_are_found_by_what_is_known_of_them,
    mo_2_mo_7_dm_3_dm_4_a_run_tells_what_happened_to_it,
    nr_3_a_failed_run_goes_on_from_the_block_that_failed,
    ap_15_dm_5_what_is_said_of_a_run_is_told_whole_and_in_order,
    rows_that_were_put_aside_are_shown_page_by_page,
    mo_3_mo_5_who_follows_a_run_hears_it_to_its_end,
    mo_8_to_10_one_call_shows_how_everything_stands,
    mo_11_pl_13_a_pipeline_shows_its_last_run_and_all_before,
);

async fn ap_14_runs_are_those_of_ones_organization(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    let submit = async |name: &str, options: Options| {
        let blocks = vec![extract("a"), load("b", "a", "replace")];
        handle.submit(pipeline(name, blocks), options).await.unwrap()
    };
    let first = submit("first", Options::default()).await;
    handle.wait(&first).await.unwrap();
    let second = submit("second", Options::default()).await;
    handle.wait(&second).await.unwrap();
    app.served.world.lock().unwrap().turns.insert("b".into(), vec![Turn::Hang]);
    let third = submit("first", Options { full_refresh: true, ..Options::default() }).await;

    let list = async |query: &str| {
        let page = app.get(&format!("/runs{query}"), &team.viewer).await.good();
        let ids: Vec<String> =
            page["runs"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
        (ids, page["next"].clone())
    };
    let (first, second, third) = (first.to_string(), second.to_string(), third.to_string());
    assert_eq!(list("").await, (vec![third.clone(), second.clone(), first.clone()], Value::Null));
    assert_eq!(list("?status=SUCCESS").await.0, [second.clone(), first.clone()]);
    assert_eq!(list("?status=running,failed").await.0, [&*third]);
    assert_eq!(list("?pipeline=first&status=success").await.0, [&*first]);
    let (page, next) = list("?limit=2").await;
    assert_eq!((page, &next), (vec![third.clone(), second.clone()], &json!(second)));
    assert_eq!(list(&format!("?limit=2&before={second}")).await, (vec![first.clone()], Value::Null));
    app.get("/runs?status=odd", &team.viewer).await.refused(422);
    app.get("/runs?stat=failed", &team.viewer).await.refused(400);

    for name in ["/runs", "/executions", "/jobs", "/runs/"] {
        assert_eq!(app.get(name, &team.viewer).await.good()["runs"].as_array().unwrap().len(), 3, "{name}");
    }
    let one = app.get(&format!("/executions/{first}"), &team.viewer).await.good();
    assert_eq!((&one["status"], &one["view"]["blocks"]["b"]["state"]), (&json!("success"), &json!("success")));

    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    assert_eq!(app.get("/runs", &stranger).await.good()["runs"], json!([]), "their own organization has none");
    app.get(&format!("/runs/{first}"), &stranger).await.refused(404);
    app.post(&format!("/runs/{third}/cancel"), &stranger, Value::Null).await.refused(404);
    let named = app.served.call(Method::GET, "/runs").bearer_auth(&stranger).header("x-organization", "acme");
    Answer::of(named).await.refused(404);

    app.post(&format!("/runs/{third}/cancel"), &team.viewer, Value::Null).await.refused(403);
    assert_eq!(app.post(&format!("/jobs/{third}/cancel"), &team.editor, Value::Null).await.status, 202);
    let ended = handle.wait(&third.as_str().into()).await.unwrap();
    assert_eq!(ended.state.as_str(), "cancelled");
    assert_eq!(app.get(&format!("/runs/{third}"), &team.viewer).await.good()["status"], "cancelled");
    let log = app.get("/organizations/acme/audit?limit=1", &team.admin).await.good();
    assert_eq!((&log[0]["action"], &log[0]["subject"]), (&json!("run.cancelled"), &json!(third)));
    drop(handle);
    app.end().await;
}

/// A text that only the failure of `failed` has.
const ODD: &str = "made to fail: user";

async fn mo_1_runs_are_found_by_what_is_known_of_them(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    let organization = app.get("/auth/me", &team.viewer).await.good()["memberships"][0]["organization"]["id"].clone();
    let organization = organization.as_str().unwrap().to_owned();
    let fails = app.served.world.clone();
    let run = async |name: &str, origin: Origin, turn: Option<Turn>| {
        fails.lock().unwrap().turns.insert("b".into(), turn.into_iter().collect());
        let blocks = vec![extract("a"), load("b", "a", "replace")];
        let run = handle.submit_for(pipeline(name, blocks), Options::default(), origin).await.unwrap();
        handle.wait(&run).await.unwrap();
        run.to_string()
    };
    let owned = |trigger| Origin { organization: Some(organization.clone()), trigger, ..Origin::default() };
    let by_hand = run("one", owned(Trigger::Manual), None).await;
    let failed = run("two", owned(Trigger::Api), Some(Turn::Fail(Class::User))).await;
    let by_itself = run("two", owned(Trigger::Schedule), None).await;
    // A run of no organization is the default one's.
    let of_file = run("three", Origin::default(), None).await;
    let list = async |query: &str| {
        let page = app.get(&format!("/executions?{query}"), &team.viewer).await.good();
        let ids = page["runs"].as_array().unwrap().iter().map(|r| r["id"].as_str().unwrap().to_owned());
        (ids.collect::<Vec<_>>(), page["next"].clone())
    };
    assert_eq!(list("").await.0, [&*of_file, &by_itself, &failed, &by_hand]);
    assert_eq!(list("trigger=manual").await.0, [&*by_hand]);
    assert_eq!(list("trigger=manual,CLIENT").await.0, [&*of_file, &by_hand]);
    assert_eq!(list("pipeline=two&trigger=api").await.0, [&*failed]);
    assert_eq!(list("search=TO%20FAIL:%20user").await, (vec![failed.clone()], Value::Null));
    assert_eq!(list("search=to%25fail").await.0, [""; 0]);
    assert_eq!(list("search=fail&status=success").await.0, [""; 0]);
    assert_eq!(list("status=success&trigger=schedule").await.0, [&*by_itself]);
    assert_eq!(list("status=pending").await.0, [""; 0]);
    assert_eq!(list("status=Pending,FAILED&limit=1").await, (vec![failed.clone()], json!(failed)));
    let times: Vec<Value> = {
        let page = app.get("/runs", &team.viewer).await.good();
        page["runs"].as_array().unwrap().iter().map(|run| run["created_at"].clone()).collect()
    };
    let (first, third) = (times[3].as_str().unwrap(), times[1].as_str().unwrap());
    assert_eq!(list(&format!("from={third}")).await.0[..], [&*of_file, &by_itself]);
    assert_eq!(list(&format!("to={third}&from={first}")).await.0[..], [&*failed, &by_hand]);
    for wrong in ["from=yesterday", "to=12", "trigger=moon", "pipeline=one&transformation=two"] {
        app.get(&format!("/runs?{wrong}"), &team.viewer).await.refused(422);
    }
    let page = app.get("/runs?pipeline=one", &team.viewer).await.good();
    let item = &page["runs"][0];
    assert_eq!((&item["trigger"], &item["status"]), (&json!("manual"), &json!("success")));
    assert_eq!((&item["records_extracted"], &item["records_loaded"]), (&json!(3), &json!(3)));
    assert!(item["duration_seconds"].as_f64().unwrap() >= 0.0);
    drop(handle);
    app.end().await;
}

async fn mo_2_mo_7_dm_3_dm_4_a_run_tells_what_happened_to_it(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    app.served.world.lock().unwrap().turns.insert("b".into(), vec![Turn::Fail(Class::SourceTransient)]);
    let blocks = vec![extract("a"), load("b", "a", "replace")];
    let run = handle.submit(pipeline("shop", blocks), Options::default()).await.unwrap();
    handle.wait(&run).await.unwrap();
    let one = app.get(&format!("/jobs/{run}"), &team.viewer).await.good();
    assert_eq!((&one["status"], &one["error"], &one["trigger"]), (&json!("success"), &Value::Null, &json!("client")));
    let attempts: Vec<_> =
        one["attempts"].as_array().unwrap().iter().map(|a| (a["number"].clone(), a["status"].clone())).collect();
    assert_eq!(attempts, [(json!(1), json!("failed")), (json!(2), json!("won"))]);
    let why = &one["attempts"][0]["error"];
    assert_eq!((&why["class"], &why["cause"]), (&json!("source_transient"), &json!("source_transient")));
    assert_eq!(why["led_to"], json!(["made to fail"]));
    let told: Vec<_> = one["timeline"].as_array().unwrap().iter().map(|m| m["event"].as_str().unwrap()).collect();
    assert_eq!((told[0], told.last()), ("begun", Some(&"committed")));
    assert!(told.contains(&"failed") && told.contains(&"prepared"), "{told:?}");
    let failed = one["timeline"].as_array().unwrap().iter().find(|m| m["event"] == "failed").unwrap().clone();
    assert_eq!((&failed["attempt"], &failed["level"]), (&json!(1), &json!("error")));
    let task = one["tasks"].as_array().unwrap().iter().find(|task| task["block_id"] == "b").unwrap().clone();
    assert_eq!((&task["status"], &task["output_metadata"]["is_published"]), (&json!("success"), &json!(true)));
    assert_eq!(task["execution_id"], run.as_str());
    assert!(task["logs"].as_str().unwrap().contains(run.as_str()), "{task}");
    for (figure, rows) in [("rows_loaded", 3), ("records_extracted", 3), ("records_loaded", 3), ("records_failed", 0)] {
        assert_eq!(one[figure], rows, "{figure}");
    }
    for time in ["created_at", "started_at", "finished_at"] {
        assert!(one[time].as_str().unwrap().ends_with('Z'), "{time}");
    }
    assert!(one.as_object().unwrap().contains_key("pipeline_id") && one["error_message"].is_null());
    drop(handle);
    app.end().await;
}

async fn nr_3_a_failed_run_goes_on_from_the_block_that_failed(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    app.served.world.lock().unwrap().turns.insert("c".into(), vec![Turn::Fail(Class::User)]);
    let blocks = vec![extract("a"), sql("b", &["a"]), test("checks", "b"), load("c", "b", "replace")];
    let run = handle.submit(pipeline("shop", blocks), Options::default()).await.unwrap();
    assert_eq!(handle.wait(&run).await.unwrap().state.as_str(), "failed");
    let one = app.get(&format!("/runs/{run}"), &team.viewer).await.good();
    assert_eq!((&one["error"]["class"], &one["error_message"]), (&json!("user"), &json!(ODD)));

    app.post(&format!("/runs/{run}/retry"), &team.viewer, Value::Null).await.refused(403);
    let before = app.served.world.lock().unwrap().started.len();
    let answer = app.post(&format!("/executions/{run}/retry"), &team.editor, Value::Null).await;
    assert_eq!((answer.status.as_u16(), &answer.good()["id"]), (202, &json!(run.as_str())));
    let ended = handle.wait(&run).await.unwrap();
    assert_eq!(ended.state.as_str(), "success");
    let again = app.served.world.lock().unwrap().started[before..].to_vec();
    assert_eq!(again, ["c"], "what was committed does not run again");
    let refused = app.post(&format!("/runs/{run}/retry"), &team.editor, Value::Null).await.refused(409);
    assert!(refused.contains("it succeeded"), "{refused}");
    let log = app.get("/organizations/acme/audit?limit=1", &team.admin).await.good();
    assert_eq!((&log[0]["action"], &log[0]["subject"]), (&json!("run.retried"), &json!(run.as_str())));
    drop(handle);
    app.end().await;
}

/// The executor says this of a run, at that time.
fn say(app: &App, run: &RunId, at: i64, block: &str, level: Level, message: &str) {
    let line = Line { at, level, block: Some(block.into()), message: message.into(), ..Line::default() };
    app.served.world.lock().unwrap().lines.push((run.clone(), line));
}

async fn ap_15_dm_5_what_is_said_of_a_run_is_told_whole_and_in_order(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    let run = handle.submit(pipeline("shop", vec![extract("a"), load("b", "a", "replace")]), Options::default());
    let run = run.await.unwrap();
    handle.wait(&run).await.unwrap();
    let now = clock::now();
    say(&app, &"another".into(), now, "b", Level::Info, "of another run");
    for number in 0..100 {
        let (block, level) = if number % 2 == 0 { ("a", Level::Info) } else { ("b", Level::Warn) };
        say(&app, &run, now + 1_000 + number, block, level, &format!("line {number}"));
    }
    let path = format!("/executions/{run}/logs");
    let (mut lines, mut query) = (Vec::new(), "?limit=9".to_owned());
    loop {
        let page = app.get(&format!("{path}{query}"), &team.viewer).await.good();
        assert!(page["lines"].as_array().unwrap().len() <= 10);
        lines.extend(page["lines"].as_array().unwrap().iter().cloned());
        query = format!("?limit=9&after={}", page["next"].as_str().unwrap());
        if page["has_more"] == false {
            break;
        }
    }
    let messages =
        |lines: &[Value]| lines.iter().map(|l| l["message"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    let told = messages(&lines);
    assert_eq!(told[0], "the run has begun");
    assert!(told.iter().any(|text| text.contains("is visible in its target")), "{told:?}");
    let own: Vec<_> = told.iter().filter(|text| text.starts_with("line ")).cloned().collect();
    assert_eq!(own, (0..100).map(|number| format!("line {number}")).collect::<Vec<_>>(), "each once, in order");
    assert!(lines.is_sorted_by_key(|line| line["at"].as_str().unwrap().to_owned()));

    let found = async |query: &str| {
        messages(app.get(&format!("{path}?limit=1000&{query}"), &team.viewer).await.good()["lines"].as_array().unwrap())
    };
    assert_eq!(
        found("search=LINE%209&block=a&level=info").await,
        ["line 90", "line 92", "line 94", "line 96", "line 98"]
    );
    assert_eq!(found("level=warn").await.len(), 50);
    assert!(found("level=DEBUG").await.len() >= told.len());
    app.get(&format!("{path}?level=loud"), &team.viewer).await.refused(422);
    app.get(&format!("{path}?after=x"), &team.viewer).await.refused(422);

    let as_text = app.served.call(Method::GET, &path).bearer_auth(&team.viewer).header("accept", "text/plain");
    let text = Answer::of(as_text).await.text;
    assert_eq!(text.lines().filter(|line| line.contains(" line ")).count(), 100);
    assert!(text.lines().next().unwrap().ends_with("info  the run has begun"), "{text}");
    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    app.get(&path, &stranger).await.refused(404);
    drop(handle);
    app.end().await;
}

async fn rows_that_were_put_aside_are_shown_page_by_page(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    app.served.world.lock().unwrap().turns.insert("b".into(), vec![Turn::Fail(Class::SourceTransient)]);
    let run = handle.submit(pipeline("shop", vec![extract("a"), load("b", "a", "replace")]), Options::default());
    let run = run.await.unwrap();
    assert_eq!(handle.wait(&run).await.unwrap().state.as_str(), "success");
    let tries: Vec<_> = handle.attempts(&run).await.unwrap().into_iter().map(|row| row.token).collect();
    let [failed, won] = tries[..] else { panic!("{tries:?}") };
    let row = |location: &str| Row {
        block: "a".into(),
        location: location.into(),
        reason: "no number".into(),
        row: "x,1".into(),
    };
    let aside = [(failed, "line 1"), (won, "line 1"), (won, "line 4"), (won, "line 7")];
    app.served.world.lock().unwrap().aside.extend(aside.map(|(token, location)| (token, row(location))));

    let path = format!("/runs/{run}/quarantine");
    let first = app.get(&format!("{path}?limit=2"), &team.editor).await.good();
    let shown = json!({ "block": "a", "location": "line 1", "reason": "no number", "row": "x,1" });
    assert_eq!((&first["rows"][0], &first["has_more"]), (&shown, &json!(true)), "that of the attempt that counts");
    let next = format!("{path}?limit=2&block=a&after={}", first["next"].as_str().unwrap());
    let last = app.get(&next, &team.editor).await.good();
    assert_eq!((last["rows"].as_array().unwrap().len(), &last["has_more"]), (1, &json!(false)));
    assert_eq!(last["rows"][0]["location"], "line 7");
    assert_eq!(app.get(&format!("{path}?block=b"), &team.editor).await.good()["rows"], json!([]));
    app.get(&format!("{path}?after=x"), &team.editor).await.refused(422);
    app.get(&path, &team.viewer).await.refused(403);
    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    app.get(&path, &stranger).await.refused(404);
    drop(handle);
    app.end().await;
}

async fn mo_3_mo_5_who_follows_a_run_hears_it_to_its_end(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    app.served.world.lock().unwrap().turns.insert("b".into(), vec![Turn::Hang]);
    let run = handle.submit(pipeline("shop", vec![extract("a"), load("b", "a", "replace")]), Options::default());
    let run = run.await.unwrap();
    say(&app, &run, clock::now(), "b", Level::Info, "hello");
    let follow = app.served.call(Method::GET, &format!("/runs/{run}/logs?follow=true")).bearer_auth(&team.viewer);
    let mut answer = follow.header("accept", "text/event-stream").send().await.unwrap();
    let mut text = String::new();
    let mut hear = async |text: &mut String, end: &str| {
        while !text.contains(end) {
            let chunk = timeout(TEST_LIMIT, answer.chunk()).await.expect("more in time").unwrap();
            text.push_str(std::str::from_utf8(&chunk.expect("it goes on")).unwrap());
        }
    };
    hear(&mut text, "hello").await;
    app.post(&format!("/runs/{run}/cancel"), &team.editor, Value::Null).await;
    hear(&mut text, "the run is asked to end").await;
    handle.wait(&run).await.unwrap();
    say(&app, &run, clock::now(), "b", Level::Info, "bye");
    hear(&mut text, "bye").await;
    hear(&mut text, "event: end").await;
    assert_eq!(text.matches("hello").count(), 1);
    drop(handle);
    app.end().await;
}

async fn mo_8_to_10_one_call_shows_how_everything_stands(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    let shown = async |token: &str| app.get("/dashboard", token).await.good();
    let empty = shown(&team.viewer).await;
    assert_eq!((&empty["success_rate"], &empty["runs_today"]), (&Value::Null, &json!(0)));
    assert_eq!(empty["last_24_hours"].as_array().unwrap().len(), 24);

    let file = "connections: {files: file:///tmp}\nschedule: {cron: '0 3 * * *'}\nblocks:\n  a: {extract: files/a.csv}\n  \
                c: {sql: 'select * from a'}\n  b: {load: c, to: files/b.parquet}\n";
    let made = app.post("/pipelines", &team.editor, json!({ "name": "shop", "text": file })).await.good();
    let id = made["id"].as_str().unwrap();
    let run = async |turn: Option<Turn>| {
        app.served.world.lock().unwrap().turns.insert("b".into(), turn.into_iter().collect());
        let run = app.post(&format!("/pipelines/{id}/run"), &team.editor, Value::Null).await.good();
        handle.wait(&run["id"].as_str().unwrap().into()).await.unwrap();
    };
    run(None).await;
    run(None).await;
    run(Some(Turn::Fail(Class::User))).await;
    let now = shown(&team.viewer).await;
    let totals = &now["totals"];
    assert_eq!(
        (&totals["pipelines"], &totals["transformations"], &totals["schedules"]),
        (&json!(1), &json!(0), &json!(1)),
        "a block of a pipeline is no transformation"
    );
    assert!((now["success_rate"].as_f64().unwrap() - 2.0 / 3.0).abs() < 1e-9, "{now:#}");
    let hours = now["last_24_hours"].as_array().unwrap();
    let sum = |state: &str| hours.iter().map(|hour| hour[state].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("success"), sum("failed"), sum("running")), (2, 1, 0));
    assert_eq!((now["recent_runs"].as_array().unwrap().len(), &now["runs_today"]), (3, &json!(3)));
    assert_eq!(now["next_scheduled"][0]["pipeline"], "shop");
    assert_eq!((&now["pipelines"]["error"], &now["pipelines"]["active"]), (&json!(1), &json!(0)));
    let attention = &now["needs_attention"][0];
    assert_eq!(
        (&attention["kind"], &attention["name"], &attention["message"]),
        (&json!("failed"), &json!("shop"), &json!(ODD))
    );

    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    let theirs = shown(&stranger).await;
    assert_eq!((&theirs["totals"]["pipelines"], &theirs["recent_runs"]), (&json!(0), &json!([])));
    let executors = app.get("/executors", &team.viewer).await.good();
    for executor in executors.as_array().unwrap() {
        app.get(&format!("/executors/{}", executor["id"].as_str().unwrap()), &team.viewer).await.good();
    }
    app.get("/executors/none", &team.viewer).await.refused(404);
    app.post("/executors/none/drain", &team.super_admin, Value::Null).await.refused(404);
    drop(handle);
    app.end().await;
}

async fn mo_11_pl_13_a_pipeline_shows_its_last_run_and_all_before(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let handle = app.served.process.handle.clone();
    let file = "connections: {files: file:///tmp}\nblocks:\n  a: {extract: files/a.csv}\n  b: {load: a, to: files/b.parquet}\n";
    let made = app.post("/pipelines", &team.editor, json!({ "name": "shop", "text": file })).await.good();
    let path = format!("/pipelines/{}", made["id"].as_str().unwrap());
    let last = async || app.get("/pipelines", &team.viewer).await.good()["pipelines"][0]["last_run"].clone();
    assert_eq!(last().await, Value::Null);
    let mut runs = Vec::new();
    for turn in [None, Some(Turn::Fail(Class::User))] {
        app.served.world.lock().unwrap().turns.insert("b".into(), turn.into_iter().collect());
        let run = app.post(&format!("{path}/run"), &team.editor, Value::Null).await.good()["id"].clone();
        handle.wait(&run.as_str().unwrap().into()).await.unwrap();
        runs.push(run);
    }
    let newest = last().await;
    assert_eq!((&newest["id"], &newest["status"]), (&runs[1], &json!("failed")));
    assert_eq!(app.get(&path, &team.viewer).await.good()["last_run"], newest);
    let of_it = app.get("/runs?pipeline=shop", &team.viewer).await.good();
    let figures: Vec<_> = of_it["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (&run["id"], &run["status"], &run["records_loaded"]))
        .collect();
    let (failed, success) = (json!("failed"), json!("success"));
    assert_eq!(figures, [(&runs[1], &failed, &json!(0)), (&runs[0], &success, &json!(3))]);
    drop(handle);
    app.end().await;
}
