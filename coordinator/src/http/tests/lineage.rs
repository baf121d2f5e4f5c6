//! Lineage over HTTP: what is drawn of an organization's pipelines, transformations, tables and triggers.

use flowetl_proto::id::RunId;
use serde_json::{Value, json};

use super::App;
use super::discovery::connection;
use crate::tests::{Database, on_both};

on_both!(ui_10_lineage_shows_where_data_comes_from_and_goes_to, pl_2_a_list_shows_systems_and_newest_runs,);

const COPY: &str = "name: copy\nblocks:\n  a: {extract: shop.public.raw}\n  b: {load: a, to: shop.public.orders}\n";
const REPORT: &str = "name: report\nblocks:\n  \
    a: {extract: {connection: shop, query: 'select * from orders join public.raw using (id)'}}\n  \
    b: {load: a, to: 'postgres://127.0.0.1/house#public.report'}\n";

async fn create(app: &App, token: &str, path: &str, wish: Value) -> String {
    app.post(path, token, wish).await.good()["id"].as_str().unwrap().to_owned()
}

async fn run(app: &App, token: &str, pipeline: &str) -> String {
    let begun = app.post(&format!("/pipelines/{pipeline}/run"), token, Value::Null).await.good();
    let run = begun["id"].as_str().unwrap().to_owned();
    app.served.process.wait(&RunId::new(&run)).await.unwrap();
    run
}

async fn ui_10_lineage_shows_where_data_comes_from_and_goes_to(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    connection(&app, &team.editor, "shop").await;
    assert_eq!(app.get("/lineage", &team.viewer).await.good(), json!({ "nodes": [], "edges": [] }));
    let copy = create(&app, &team.editor, "/pipelines", json!({ "text": COPY })).await;
    let report = create(&app, &team.editor, "/pipelines", json!({ "text": REPORT })).await;
    let draft = json!({ "text": "name: draft\nblocks: {a: {extract: nowhere.b}}", "status": "draft" });
    let draft = create(&app, &team.editor, "/pipelines", draft).await;
    let run_id = run(&app, &team.editor, &copy).await;
    let wish = |name: &str, sql: &str, materialization: &str| {
        json!({ "name": name, "sql_body": sql, "materialization": materialization, "connection": "shop",
                "schema_name": "public" })
    };
    let clean = wish("clean", "select * from {{ source('shop_public', 'orders') }}", "ephemeral");
    let clean = create(&app, &team.editor, "/transformations", clean).await;
    let totals = wish("totals", "select count(*) from {{ ref('clean') }}", "table");
    let totals = create(&app, &team.editor, "/transformations", totals).await;
    let after = json!({ "kind": "upstream", "target_id": report, "upstream": [copy] });
    let trigger = create(&app, &team.editor, "/triggers", after).await;

    let drawn = app.get("/lineage", &team.viewer).await.good();
    let nodes: Vec<_> = drawn["nodes"].as_array().unwrap().iter().map(|node| node["id"].as_str().unwrap()).collect();
    let made = |kind: &str, id: &str| format!("{kind}:{id}");
    let table = |name: &str| format!("table:{name}");
    let (copy, report) = (made("pipeline", &copy), made("pipeline", &report));
    let (clean, totals) = (made("transformation", &clean), made("transformation", &totals));
    // `orders` of the query is `shop.public.orders`: there is no other.
    let (raw, orders) = (table("shop.public.raw"), table("shop.public.orders"));
    let (house, total) = (table("postgres://127.0.0.1/house.public.report"), table("shop.public.totals"));
    let all = [&copy, &made("pipeline", &draft), &report, &clean, &totals, &house, &orders, &raw, &total];
    assert_eq!(nodes, all, "{drawn:#}");
    let edges: Vec<_> = drawn["edges"].as_array().unwrap().iter().collect();
    let edge = |from: &str, to: &str, kind: &str| json!({ "from": from, "to": to, "kind": kind, "trigger_id": null });
    let mut expected = vec![
        edge(&raw, &copy, "reads"),
        edge(&copy, &orders, "writes"),
        edge(&raw, &report, "reads"),
        edge(&orders, &report, "reads"),
        edge(&report, &house, "writes"),
        edge(&orders, &clean, "reads"),
        edge(&clean, &totals, "reads"),
        edge(&totals, &total, "writes"),
    ];
    expected.push(json!({ "from": copy, "to": report, "kind": "triggers", "trigger_id": trigger }));
    assert_eq!(edges.len(), expected.len(), "{drawn:#}");
    for edge in &expected {
        assert!(edges.contains(&edge), "{edge} is not in {drawn:#}");
    }
    let first = &drawn["nodes"][0];
    assert_eq!((&first["name"], &first["last_run"]["status"]), (&json!("copy"), &json!("success")));
    assert_eq!(first["last_run"]["id"], run_id);

    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    assert_eq!(app.get("/lineage", &stranger).await.good(), json!({ "nodes": [], "edges": [] }));
    app.end().await;
}

async fn pl_2_a_list_shows_systems_and_newest_runs(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    connection(&app, &team.editor, "shop").await;
    let copy = create(&app, &team.editor, "/pipelines", json!({ "text": COPY })).await;
    create(&app, &team.editor, "/pipelines", json!({ "text": REPORT })).await;
    let mut runs = Vec::new();
    for _ in 0..16 {
        runs.insert(0, run(&app, &team.editor, &copy).await);
    }
    let listed = app.get("/pipelines", &team.viewer).await.good();
    let item = &listed["pipelines"][0];
    let shown: Vec<_> = item["recent_runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap()).collect();
    assert_eq!(shown, runs[..14]);
    assert_eq!(item["recent_runs"][0]["status"], "success");
    let shop = json!([{ "connection": "shop", "type": "postgres" }]);
    assert_eq!((&item["sources"], &item["targets"]), (&shop, &shop));
    let other = &listed["pipelines"][1];
    assert_eq!((&other["recent_runs"], &other["sources"]), (&json!([]), &shop));
    // What has no name says only what it is.
    assert_eq!(other["targets"], json!([{ "connection": null, "type": "postgres" }]));
    let detail = app.get(&format!("/pipelines/{copy}"), &team.viewer).await.good();
    assert_eq!(detail["recent_runs"].as_array().unwrap().len(), 14);
    app.end().await;
}
