//! Runs over HTTP: whose they are, which are shown, and how they are cancelled.

use flowetl_proto::run::Options;
use reqwest::Method;
use serde_json::{Value, json};

use super::{Answer, App};
use crate::tests::world::Turn;
use crate::tests::{Database, extract, load, on_both, pipeline};

on_both!(ap_14_runs_are_those_of_ones_organization);

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
