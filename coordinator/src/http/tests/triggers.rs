//! Triggers, webhooks, parameters and limits over HTTP: what each call answers, to whom.

use flowetl_proto::look::FileState;
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};

use super::{Answer, App};
use crate::clock;
use crate::tests::pipelines::FILE;
use crate::tests::schedules::until;
use crate::tests::world::Turn;
use crate::tests::{Database, on_both};
use crate::trigger::Watcher;

on_both!(
    x27_triggers_are_made_called_and_removed,
    x27_files_that_arrive_begin_one_run,
    x27_a_place_is_checked_when_it_is_said,
    x18_runs_wait_for_their_turn_and_say_so,
);

async fn create(app: &App, token: &str, text: &str) -> String {
    let made = app.post("/pipelines", token, json!({ "text": text })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn x27_triggers_are_made_called_and_removed(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let with_day = format!("{FILE}params:\n  day: {{type: date}}\n");
    let shop = create(&app, &team.editor, &with_day).await;
    let report = create(&app, &team.editor, &FILE.replace("name: shop", "name: report")).await;
    let wish = json!({ "kind": "webhook", "target_id": shop });
    app.post("/triggers", &team.viewer, wish.clone()).await.refused(403);
    app.post("/triggers", &team.editor, json!({ "kind": "moon", "target_id": shop })).await.refused(400);
    let made = app.post("/triggers", &team.editor, wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    let (id, url) = (made["id"].as_str().unwrap(), made["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap());
    let after = json!({ "kind": "upstream", "target_id": report, "upstream": [shop] });
    let after = app.post("/triggers", &team.editor, after).await.json();
    assert_eq!((&after["url"], &after["upstream"][0]["upstream_name"]), (&Value::Null, &json!("shop")));
    let round = json!({ "kind": "upstream", "target_id": shop, "upstream": [report] });
    let refused = app.post("/triggers", &team.editor, round).await.refused(422);
    assert!(refused.contains("`shop` -> `report` -> `shop`"), "{refused}");

    // Whoever calls has not signed in, and names what types of content they like.
    let call = async |body: &str, key: &str| {
        let request =
            app.served.call(Method::POST, url).header("idempotency-key", key).header(CONTENT_TYPE, "text/plain");
        Answer::of(request.body(body.to_owned())).await
    };
    call("[1]", "a").await.refused(400);
    call(&" ".repeat(65 << 10), "a").await.refused(413);
    call(r#"{"day": "tomorrow"}"#, "a").await.refused(422);
    let first = call(r#"{"day": "2026-11-22", "more": {}}"#, "a").await;
    assert_eq!((first.status.as_u16(), &first.json()["is_repeated"]), (202, &json!(false)), "{first:?}");
    let again = call("", "a").await;
    assert_eq!((&again.json()["id"], &again.json()["is_repeated"]), (&first.json()["id"], &json!(true)));
    app.post("/hooks/nothing", "", Value::Null).await.refused(404);
    let seen = app.get(&format!("/triggers/{id}"), &team.viewer).await.good();
    assert_eq!((&seen["waiting"], &seen["firings"][0]["id"]), (&json!(1), &first.json()["id"]));
    assert!(!seen.to_string().contains("flowetl_hook_"), "the secret is shown once");

    let list = async |query: &str| app.get(&format!("/triggers{query}"), &team.viewer).await.good();
    assert_eq!(list("?limit=1").await["next"], *id);
    assert_eq!(list(&format!("?pipeline={report}")).await["triggers"][0]["id"], after["id"]);
    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    app.get(&format!("/triggers/{id}"), &stranger).await.refused(404);
    let off = app.put(&format!("/triggers/{id}"), &team.editor, json!({ "is_active": false })).await.good();
    assert_eq!(off["is_active"], false);
    call("", "b").await.refused(409);
    app.delete(&format!("/triggers/{id}"), &team.editor).await.refused(403);
    assert_eq!(app.delete(&format!("/triggers/{id}"), &team.admin).await.status, 204);
    app.end().await;
}

/// A connection of files, and who looks at it: at any time that is asked for.
async fn lake(app: &App, token: &str) -> Watcher {
    app.post("/connections", token, json!({ "name": "lake", "type": "file", "path": "/lake" })).await.good();
    Watcher::new(app.served.process.handle.clone(), app.served.fake.clone())
}

async fn x27_files_that_arrive_begin_one_run(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let watcher = lake(&app, &team.editor).await;
    let handle = app.served.process.handle.clone();
    handle.keep_schedules();
    let shop = create(&app, &team.editor, FILE).await;
    let wish = json!({ "kind": "files", "target_id": shop, "place": "lake/raw/*.csv" });
    let made = app.post("/triggers", &team.editor, wish).await.good();
    assert_eq!((&made["place"], &made["every_seconds"]), (&json!("lake/raw/*.csv"), &json!(30)));
    let trigger = format!("/triggers/{}", made["id"].as_str().unwrap());
    let firings = async || app.get(&trigger, &team.viewer).await.good()["firings"].clone();
    // Looks long after what was said to be the next time.
    let look = async |files: &[(&str, u64)]| {
        let state = |(path, size): &(&str, u64)| FileState { path: (*path).into(), size: *size, version: "1".into() };
        *app.served.fake.files.lock().unwrap() = files.iter().map(state).collect();
        watcher.look(clock::now() + 3_600_000).await.unwrap();
    };
    look(&[("raw/old.csv", 1)]).await;
    look(&[("raw/old.csv", 1), ("raw/b.csv", 7)]).await;
    look(&[("raw/old.csv", 1), ("raw/b.csv", 8), ("raw/a.csv", 1)]).await;
    assert_eq!(firings().await, json!([]), "one is still written, and the other was seen once");
    *app.served.fake.broken.lock().unwrap() = Some("no such bucket".into());
    look(&[]).await;
    assert_eq!(app.get(&trigger, &team.viewer).await.good()["problem"], "no such bucket");
    // Two that look at once write down one event.
    let due = async || handle.store().directory().await.unwrap().due_watches(i64::MAX, 9).await.unwrap().pop().unwrap();
    let (one, other) = (due().await, due().await);
    look(&[("raw/old.csv", 1), ("raw/b.csv", 8), ("raw/a.csv", 1)]).await;
    let mut directory = handle.store().change_directory().await.unwrap();
    assert_eq!(one, other);
    assert!(!directory.watch_looked(&other, 0, None).await.unwrap(), "a look that was overtaken counts for nothing");
    drop(directory);
    let fired = firings().await;
    let arrived = json!({ "count": 2, "files": ["raw/a.csv", "raw/b.csv"] });
    assert_eq!((fired.as_array().unwrap().len(), &fired[0]["arrived"]), (1, &arrived));
    assert_eq!(app.get(&trigger, &team.viewer).await.good()["problem"], Value::Null);
    until("it has run", async || {
        let runs = app.get("/runs?trigger=files", &team.viewer).await.good();
        runs["runs"][0]["status"] == "success"
    })
    .await;
    let runs = app.get("/runs", &team.viewer).await.good();
    assert_eq!(runs["runs"].as_array().unwrap().len(), 1);
    let run = app.get(&format!("/runs/{}", runs["runs"][0]["id"].as_str().unwrap()), &team.viewer).await.good();
    assert_eq!((&run["trigger"], &run["arrived"]), (&json!("files"), &arrived));
    look(&[("raw/old.csv", 1), ("raw/b.csv", 8), ("raw/a.csv", 1)]).await;

    // What a place held before it was said is no arrival; nobody looks for a trigger that is off.
    app.put(&trigger, &team.editor, json!({ "place": "lake/new/", "every_seconds": 5 })).await.good();
    look(&[("new/x.csv", 1)]).await;
    look(&[("new/x.csv", 1)]).await;
    app.put(&trigger, &team.editor, json!({ "is_active": false })).await.good();
    assert!(handle.store().directory().await.unwrap().due_watches(i64::MAX, 9).await.unwrap().is_empty());
    app.put(&trigger, &team.editor, json!({ "is_active": true })).await.good();
    look(&[("new/x.csv", 1), ("new/y.csv", 1)]).await;
    look(&[("new/x.csv", 1), ("new/y.csv", 1)]).await;
    let fired = firings().await;
    assert_eq!((fired.as_array().unwrap().len(), &fired[0]["arrived"]["files"]), (2, &json!(["new/y.csv"])));
    assert_eq!(app.delete(&trigger, &team.admin).await.status, 204);
    app.delete("/connections/nothing", &team.admin).await.refused(404);
    drop((handle, watcher));
    app.end().await;
}

async fn x27_a_place_is_checked_when_it_is_said(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    drop(lake(&app, &team.editor).await);
    let shop = json!({ "name": "shop", "type": "postgres", "host": "localhost" });
    app.post("/connections", &team.editor, shop).await.good();
    let id = create(&app, &team.editor, FILE).await;
    for (wish, expected) in [
        (json!({ "place": "lake" }), "write `connection/path`, such as `files/raw/*.csv`"),
        (json!({ "place": "lage/a.csv" }), "there is no connection `lage`, did you mean `lake`?"),
        (json!({ "place": "shop/a.csv" }), "`shop` holds tables"),
        (json!({ "place": "lake/../b.csv" }), "leaves the folder of `lake`"),
        (json!({}), "say where the files arrive"),
        (json!({ "place": "lake/a.csv", "every_seconds": 4 }), "a trigger looks every 5 to 86400 seconds"),
        (json!({ "place": "lake/a.csv", "upstream": [id] }), "only a trigger of kind `upstream` waits for pipelines"),
        (json!({ "kind": "webhook", "place": "lake/a.csv" }), "only a trigger of kind `files` looks at a place"),
        (json!({ "kind": "webhook", "every_seconds": 9 }), "only a trigger of kind `files` looks every so often"),
    ] {
        let mut whole = json!({ "kind": "files", "target_id": id });
        whole.as_object_mut().unwrap().extend(wish.as_object().unwrap().clone());
        let refused = app.post("/triggers", &team.editor, whole).await.refused(422);
        assert!(refused.contains(expected), "{wish}: {refused}");
    }
    app.end().await;
}

async fn x18_runs_wait_for_their_turn_and_say_so(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let limit =
        async |most: Value, token: &str| app.patch("/organizations/acme", token, json!({ "runs_at_once": most })).await;
    limit(json!(1), &team.admin).await.refused(403);
    limit(json!(-1), &team.owner).await.refused(422);
    assert_eq!(limit(json!(1), &team.owner).await.good()["runs_at_once"], 1);
    let pipelines =
        async |name: &str| create(&app, &team.editor, &FILE.replace("name: shop", &format!("name: {name}"))).await;
    let (one, two) = (pipelines("one").await, pipelines("two").await);
    app.served.world.lock().unwrap().turns.insert("log".into(), vec![Turn::Hang]);
    let run = async |id: &str, wish: Value| {
        let run = app.post(&format!("/pipelines/{id}/run"), &team.editor, wish).await.good();
        run["id"].as_str().unwrap().to_owned()
    };
    let first = run(&one, json!({})).await;
    let second = run(&two, json!({ "priority": "high" })).await;
    let shown = app.get(&format!("/runs/{second}"), &team.viewer).await.good();
    let expected =
        json!(["pending", "queued", "high", "1 of 1 runs of the organization are under way, and this one comes next"]);
    assert_eq!(json!([shown["status"], shown["detail"], shown["priority"], shown["reason"]]), expected);
    let pending = app.get("/runs?status=pending", &team.viewer).await.good();
    assert_eq!((pending["runs"].as_array().unwrap().len(), &pending["runs"][0]["id"]), (1, &json!(second)));
    // A limit that is raised counts at once.
    assert_eq!(limit(json!(0), &team.owner).await.good()["runs_at_once"], Value::Null);
    let handle = app.served.process.handle.clone();
    assert_eq!(handle.wait(&second.as_str().into()).await.unwrap().state.as_str(), "success");
    assert_eq!(app.post(&format!("/runs/{first}/cancel"), &team.editor, Value::Null).await.status, 202);
    handle.wait(&first.as_str().into()).await.unwrap();
    drop(handle);
    app.end().await;
}
