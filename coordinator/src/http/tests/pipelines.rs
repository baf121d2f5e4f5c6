//! Pipelines and schedules over HTTP: what each call answers, to whom.

use std::time::Duration;

use flowetl_proto::id::RunId;
use reqwest::Method;
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, IF_MATCH};
use serde_json::{Value, json};

use super::{Answer, App};
use crate::connections::tests::RIGHT;
use crate::tests::Database;
use crate::tests::on_both;
use crate::tests::pipelines::FILE;

on_both!(
    ap_10_to_12_pipelines_are_made_listed_and_changed,
    ap_13_a_pipeline_is_run,
    pl_3_and_cn_14_a_pipeline_names_the_connections_of_its_organization,
    ap_20_revisions_are_compared_and_brought_back,
    ap_20_files_are_validated_and_planned,
    ap_20_and_sc_8_schedules_are_made_changed_and_previewed,
    a_call_with_a_key_is_done_once,
);

async fn call(
    app: &App,
    (method, path): (Method, &str),
    token: &str,
    headers: &[(&str, &str)],
    body: &Value,
) -> Answer {
    let mut request = app.served.call(method, path).bearer_auth(token);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if !body.is_null() {
        request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
    }
    Answer::of(request).await
}

async fn create(app: &App, token: &str, text: &str) -> String {
    let made = app.post("/pipelines", token, json!({ "text": text })).await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["id"].as_str().unwrap().to_owned()
}

async fn ap_10_to_12_pipelines_are_made_listed_and_changed(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let made = app.post("/pipelines", &team.editor, json!({ "text": FILE, "message": "the first" })).await;
    assert_eq!((made.status.as_u16(), &made.headers[ETAG]), (201, &"\"1\"".parse().unwrap()), "{made:?}");
    let made = made.json();
    let id = made["id"].as_str().unwrap();
    assert_eq!((&made["name"], &made["status"], &made["is_active"]), (&json!("shop"), &json!("active"), &json!(true)));
    assert_eq!((&made["outcome"], &made["text"]), (&json!("created"), &json!(FILE)));
    assert_eq!(made["graph_definition"]["edges"][0]["target"], "log");
    app.post("/pipelines", &team.editor, json!({ "text": FILE })).await.refused(409);
    for number in 1..4 {
        create(&app, &team.editor, &FILE.replace("name: shop", &format!("name: p{number}"))).await;
    }

    let list = async |query: &str| {
        let page = app.get(&format!("/pipelines{query}"), &team.viewer).await.good();
        let names: Vec<String> =
            page["pipelines"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap().to_owned()).collect();
        (names.join(" "), page["next"].clone())
    };
    assert_eq!(list("").await, ("p1 p2 p3 shop".into(), Value::Null));
    assert_eq!(list("?limit=2").await, ("p1 p2".into(), json!("p2")));
    assert_eq!(list("?limit=2&after=p2").await.0, "p3 shop");
    assert_eq!(list("?search=SH&status=Active,error").await.0, "shop");
    assert_eq!(list("?status=paused").await.0, "");
    app.get("/pipelines?status=odd", &team.viewer).await.refused(422);
    app.get("/pipelines?stat=odd", &team.viewer).await.refused(400);

    let one = format!("/pipelines/{id}");
    let put = async |tag: &str, body: Value| {
        let headers = [(IF_MATCH.as_str(), tag)];
        call(&app, (Method::PUT, &one), &team.editor, &headers, &body).await
    };
    let paused = put("\"1\"", json!({ "status": "paused" })).await.good();
    assert_eq!((&paused["status"], &paused["revision"]), (&json!("paused"), &json!(1)));
    let longer = format!("{FILE}memory: 512MB\n");
    let changed = put("\"1\"", json!({ "text": longer })).await;
    assert_eq!((&changed.headers[ETAG], &changed.json()["revision"]), (&"\"2\"".parse().unwrap(), &json!(2)));
    assert!(put("\"1\"", json!({ "text": FILE })).await.refused(412).contains("has changed since"));
    put("two", json!({ "text": FILE })).await.refused(400);
    assert_eq!(put("*", json!({ "text": longer })).await.good()["outcome"], "unchanged");
    put("*", json!({ "is_active": true })).await.refused(400);

    let wrong = put("*", json!({ "text": "blocks: {a: {extrat: x}, b: {laod: a}}" })).await;
    assert!(wrong.refused(422).starts_with("the pipeline is wrong: shop.yml:1:"), "{wrong:?}");
    assert_eq!(wrong.json()["problems"].as_array().unwrap().len(), 2, "all at once: {wrong:?}");
    assert!(wrong.json()["problems"][0]["line"].is_number());
    let large = json!({ "text": format!("{FILE}# {}", "x".repeat(500_000)) });
    put("*", large).await.good();
    let file = app.get(&format!("{one}/export"), &team.viewer).await;
    assert!(file.text.starts_with(FILE) && file.headers[CONTENT_TYPE] == "application/yaml", "{:?}", file.headers);
    assert_eq!(file.headers[CONTENT_DISPOSITION], "attachment; filename=\"shop.yml\"");

    app.delete(&one, &team.editor).await.refused(403);
    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    app.get(&one, &stranger).await.refused(404);
    app.post(&format!("{one}/run"), &stranger, Value::Null).await.refused(404);
    assert_eq!(app.get("/pipelines", &stranger).await.good()["pipelines"], json!([]));
    assert_eq!(app.delete(&one, &team.admin).await.status, 204);
    app.get(&one, &team.viewer).await.refused(404);
    app.end().await;
}

async fn ap_13_a_pipeline_is_run(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let id = create(&app, &team.editor, FILE).await;
    let run = format!("/pipelines/{id}/run");
    app.post(&run, &team.viewer, Value::Null).await.refused(403);
    let begun = app.post(&run, &team.editor, Value::Null).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let begun = begun.json();
    assert_eq!(
        (&begun["pipeline"], &begun["pipeline_id"], &begun["revision"]),
        (&json!("shop"), &json!(id), &json!(1))
    );
    let first = RunId::new(begun["id"].as_str().unwrap());
    app.served.process.wait(&first).await.unwrap();
    app.post(&run, &team.editor, json!({ "until": "nothing" })).await.refused(422);
    app.post(&run, &team.editor, json!({ "unitl": "orders" })).await.refused(400);
    let whole = app.post(&run, &team.editor, json!({ "full_refresh": true })).await.good();
    app.served.process.wait(&RunId::new(whole["id"].as_str().unwrap())).await.unwrap();
    let shown = app.get(&format!("/pipelines/{id}"), &team.viewer).await.good();
    assert_eq!((&shown["last_run"]["id"], &shown["last_run"]["status"]), (&whole["id"], &json!("success")));
    for by in ["shop", &id] {
        let runs = app.get(&format!("/runs?pipeline={by}"), &team.viewer).await.good();
        assert_eq!(runs["runs"].as_array().unwrap().len(), 2, "{runs}");
    }
    app.end().await;
}

async fn pl_3_and_cn_14_a_pipeline_names_the_connections_of_its_organization(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let text = "name: kept\nblocks:\n  orders: {extract: warehouse.public.orders}\n  log: {load: orders, to: warehouse.public.log}\n";
    let unknown = app.post("/pipelines", &team.editor, json!({ "text": text })).await;
    assert!(unknown.refused(422).contains("warehouse"), "{unknown:?}");
    let connection =
        json!({ "name": "warehouse", "type": "postgres", "host": "db", "username": "etl", "password": RIGHT });
    assert_eq!(app.post("/connections", &team.editor, connection).await.status, 201);
    let id = create(&app, &team.editor, text).await;
    assert_eq!(app.get(&format!("/pipelines/{id}"), &team.viewer).await.good()["problems"], json!([]));
    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    app.post("/pipelines", &stranger, json!({ "text": text })).await.refused(422);
    let begun = app.post(&format!("/pipelines/{id}/run"), &team.editor, Value::Null).await.good();
    let run = RunId::new(begun["id"].as_str().unwrap());
    app.served.process.wait(&run).await.unwrap();
    let given = app.served.world.lock().unwrap().secrets.clone();
    assert!(!given.is_empty() && given.iter().all(|secrets| secrets.contains(RIGHT)), "{given:?}");
    for path in [format!("/pipelines/{id}"), format!("/runs/{run}"), "/events?after=0".to_owned()] {
        let shown = app.get(&path, &team.viewer).await;
        assert!(shown.status == 200 && !shown.text.contains(RIGHT), "{path}");
    }
    app.end().await;
}

async fn ap_20_revisions_are_compared_and_brought_back(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let id = create(&app, &team.editor, FILE).await;
    let other = FILE.replace("db.public.log", "db.public.elsewhere");
    let wish = json!({ "text": other, "message": "another target" });
    let applied = app.post("/pipelines/apply", &team.editor, wish.clone()).await;
    assert_eq!((applied.status.as_u16(), &applied.json()["outcome"]), (200, &json!("changed")));
    assert_eq!(app.post("/pipelines/apply", &team.editor, wish).await.good()["outcome"], "unchanged");
    let one = format!("/pipelines/{id}");
    let revisions = app.get(&format!("{one}/revisions"), &team.viewer).await.good();
    let author = app.person(&team.editor).await;
    assert_eq!((revisions.as_array().unwrap().len(), &revisions[0]["message"]), (2, &json!("another target")));
    assert_eq!((&revisions[0]["author"], &revisions[0]["is_valid"]), (&json!(author), &json!(true)));
    let diff = app.get(&format!("{one}/diff?from=1&to=2"), &team.viewer).await.good();
    assert_eq!(diff["blocks_changed"], json!(["log"]));
    assert!(diff["text"].as_str().unwrap().contains("\n+  log: {load: orders, to: db.public.elsewhere"), "{diff}");
    let back = app.post(&format!("{one}/revisions/1/restore"), &team.editor, Value::Null).await.good();
    assert_eq!((&back["revision"], &back["text"]), (&json!(3), &json!(FILE)));
    let third = app.get(&format!("{one}/revisions/3"), &team.viewer).await.good();
    assert_eq!((&third["restored"], &third["text"]), (&json!(1), &json!(FILE)));
    app.get(&format!("{one}/revisions/9"), &team.viewer).await.refused(404);
    app.get(&format!("{one}/revisions/x"), &team.viewer).await.refused(404);
    app.get(&format!("{one}/diff?from=1&to=9"), &team.viewer).await.refused(404);
    app.end().await;
}

async fn ap_20_files_are_validated_and_planned(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let validate =
        async |text: &str| app.post("/pipelines/validate", &team.viewer, json!({ "text": text })).await.good();
    let right = validate(FILE).await;
    assert_eq!((&right["is_valid"], &right["problems"]), (&json!(true), &json!([])));
    assert_eq!(right["graph_definition"]["nodes"].as_array().unwrap().len(), 2);
    let wrong = validate("name: x\nblocks: {a: {extract: db.t}, b: {loat: a}}").await;
    assert_eq!((&wrong["is_valid"], wrong["problems"].as_array().unwrap().len()), (&json!(false), 2), "{wrong}");
    assert_eq!((&wrong["problems"][0]["line"], &wrong["problems"][0]["block"]), (&json!(2), &json!("a")));
    assert_eq!(validate("blocks: [").await["graph_definition"], Value::Null);
    let graph = json!({ "graph_definition": right["graph_definition"], "name": "x" });
    assert_eq!(app.post("/pipelines/validate", &team.viewer, graph).await.good()["is_valid"], true);
    // This executor sees a failure wherever it looks.
    let plan = app.post("/pipelines/plan", &team.editor, json!({ "text": FILE })).await;
    assert!(plan.refused(422).contains("block `orders`: made to fail"), "{plan:?}");
    let id = create(&app, &team.editor, FILE).await;
    let plan = app.post(&format!("/pipelines/{id}/plan"), &team.editor, Value::Null).await;
    assert!(plan.refused(409).contains("made to fail"), "{plan:?}");
    app.end().await;
}

async fn ap_20_and_sc_8_schedules_are_made_changed_and_previewed(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let id = create(&app, &team.editor, FILE).await;
    let wish = json!({ "target_type": "pipeline", "target_id": id, "cron_expression": "0 3 * * *",
                       "timezone": "Europe/Warsaw", "missed": "run_now" });
    app.post("/schedules", &team.viewer, wish.clone()).await.refused(403);
    let made = app.post("/schedules", &team.editor, wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    let made = made.json();
    assert_eq!((&made["text"], &made["target_name"]), (&json!("Every day at 3:00 AM Europe/Warsaw"), &json!("shop")));
    assert_eq!((made["next_runs"].as_array().unwrap().len(), &made["next_runs"][0]), (5, &made["next_run_at"]));
    let one = format!("/schedules/{}", made["id"].as_str().unwrap());
    let put = async |body: Value| call(&app, (Method::PUT, &one), &team.editor, &[], &body).await;
    assert_eq!(put(json!({ "is_active": false })).await.good()["next_run_at"], Value::Null);
    assert_eq!(put(json!({ "is_active": true, "cron_expression": "*/5 * * * *" })).await.good()["is_active"], true);
    put(json!({ "cron_expression": "no" })).await.refused(422);
    put(json!({ "cron": "* * * * *" })).await.refused(400);
    let list = app.get(&format!("/schedules?pipeline={id}"), &team.viewer).await.good();
    assert_eq!((list["schedules"].as_array().unwrap().len(), &list["next"]), (1, &Value::Null));
    let preview = json!({ "cron_expression": "30 2 * * mon-fri", "timezone": "Europe/Warsaw" });
    let preview = app.post("/schedules/preview", &team.viewer, preview).await.good();
    assert_eq!(preview["text"], "Every Monday to Friday at 2:30 AM Europe/Warsaw");
    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    app.get(&one, &stranger).await.refused(404);
    assert_eq!(app.get("/schedules", &stranger).await.good()["schedules"], json!([]));
    assert_eq!(app.delete(&one, &team.admin).await.status, 204);
    app.get(&one, &team.viewer).await.refused(404);
    app.end().await;
}

async fn a_call_with_a_key_is_done_once(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let id = create(&app, &team.editor, FILE).await;
    let post = async |path: &str, token: &str, key: &str, body: &Value| {
        call(&app, (Method::POST, path), token, &[("idempotency-key", key)], body).await
    };
    let wish = json!({ "target_id": id, "cron_expression": "0 3 * * *" });
    let first = post("/schedules", &team.editor, "a", &wish).await;
    let again = post("/schedules/", &team.editor, "a", &wish).await;
    assert_eq!((again.status.as_u16(), &again.text), (201, &first.text));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert!(!first.headers.contains_key("idempotent-replayed"));
    let count = async || app.get("/schedules", &team.viewer).await.good()["schedules"].as_array().unwrap().len();
    assert_eq!(count().await, 1);
    let other = json!({ "target_id": id, "cron_expression": "0 4 * * *" });
    assert!(post("/schedules", &team.editor, "a", &other).await.refused(409).contains("another body"));
    assert_eq!(post("/schedules", &team.admin, "a", &wish).await.status, 201, "another person's key");
    assert_eq!(post("/schedules", &team.editor, "b", &wish).await.status, 201, "another key");
    assert_eq!(count().await, 3);
    post("/schedules", &team.editor, "", &wish).await.refused(400);

    // What was refused may be tried again; what is under way may not.
    let run = format!("/pipelines/{id}/run");
    post(&run, &team.editor, "c", &json!({ "until": "nothing" })).await.refused(422);
    post(&run, &team.editor, "c", &json!({ "until": "nothing" })).await.refused(422);
    let store = app.served.process.handle.store().clone();
    let me = app.person(&team.editor).await;
    let organization = app.get("/organizations/acme", &team.editor).await.good()["organization"]["id"].clone();
    let scope = format!("{} {me} POST /api/v1{run}", organization.as_str().unwrap());
    let begin = async |at| store.begin_once((&scope, "d"), "x", at).await.unwrap();
    assert_eq!(begin(crate::clock::now()).await, crate::store::Earlier::Never);
    post(&run, &team.editor, "d", &Value::Null).await.refused(409);
    drop(store);

    // A secret is shown once and kept nowhere.
    let key = json!({ "name": "k", "scopes": ["runs:read"] });
    let keys = "/organizations/acme/api-keys";
    assert_eq!(post(keys, &team.editor, "e", &key).await.status, 201);
    assert!(post(keys, &team.editor, "e", &key).await.refused(409).contains("secret"));
    tokio::time::timeout(Duration::from_secs(60), app.end()).await.unwrap();
}
