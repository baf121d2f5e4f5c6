//! Transformations and their sources over HTTP.

use std::sync::Arc;

use flowetl_proto::id::RunId;
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, ETAG, IF_MATCH};
use serde_json::{Value, json};

use super::discovery::{connection, discover, table};
use super::{Answer, App};
use crate::clock;
use crate::fleet::Roster;
use crate::store::RunQuery;
use crate::tests::schedules::until;
use crate::tests::{Database, on_both};
use crate::transformations::begin_due;

on_both!(
    sd_6_loaded_tables_are_found_again_as_sources,
    dm_11_transformations_are_made_changed_and_removed,
    tr_10_what_cannot_be_run_is_refused_where_it_is_saved,
    dm_3_a_run_of_a_transformation_is_one_among_runs,
    sc_2_a_schedule_that_could_not_run_is_refused,
    sc_2_a_schedule_runs_a_transformation_and_what_it_needs,
);

/// The sources as dbt reads them.
const FILE: &str = "\
version: 2
sources:
  -
    name: shop
    description: \"Tables of connection `shop`\"
    tables:
      -
        name: bare
        description: \"Loaded by pipeline `copy`\"
        meta: {loaded_at: \"TIME\", rows: 3}
  -
    name: shop_public
    description: \"Tables of connection `shop`\"
    schema: public
    tables:
      -
        name: orders
        description: \"Loaded by pipeline `copy`\"
        meta: {loaded_at: \"TIME\", rows: 3}
        columns:
          - {name: id, data_type: bigint, description: Never null}
          - {name: total, data_type: bigint, description: May be null}
";

/// Runs a pipeline to its end, and gives the id of the run.
async fn run(app: &App, token: &str, pipeline: &str) -> String {
    let begun = app.post(&format!("/pipelines/{pipeline}/run"), token, Value::Null).await.good();
    let run = begun["id"].as_str().unwrap().to_owned();
    app.served.process.wait(&RunId::new(&run)).await.unwrap();
    run
}

async fn sd_6_loaded_tables_are_found_again_as_sources(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let shop = connection(&app, &team.editor, "shop").await;
    *app.served.fake.tables.lock().unwrap() = vec![table("public", "orders"), table("public", "others")];
    discover(&app, &team.editor, &shop).await;
    let text = "name: copy\nblocks:\n  a: {extract: shop.public.raw}\n  b: {load: a, to: shop.public.orders}\n  \
                c: {load: a, to: shop.bare}\n  own: {load: a, to: 'postgres://127.0.0.1/db#public.unknown'}\n";
    let made = app.post("/pipelines", &team.editor, json!({ "text": text })).await.good();
    let id = made["id"].as_str().unwrap();
    let sources = async |query: &str| app.get(&format!("/transformations/sources{query}"), &team.viewer).await.good();
    assert_eq!(sources("").await, json!({ "sources": [], "next": null }));

    run(&app, &team.editor, id).await;
    let second = run(&app, &team.editor, id).await;
    let mut listed = sources("").await;
    let found = listed["sources"].as_array_mut().unwrap();
    found.sort_by_key(|source| source["table"].as_str().unwrap().to_owned());
    let tables: Vec<_> = found.iter().map(|source| source["table"].as_str().unwrap()).collect();
    assert_eq!(tables, ["bare", "orders"], "each once, and what no connection of the organization leads to is none");
    let orders = &found[1];
    for (key, value) in [
        ("source", json!("shop_public")),
        ("connection", json!("shop")),
        ("schema", json!("public")),
        ("pipeline", json!("copy")),
        ("pipeline_id", json!(id)),
        ("run_id", json!(second)),
        ("rows", json!(3)),
    ] {
        assert_eq!(orders[key], value, "{key}");
    }
    assert_eq!(orders["columns"][0], json!({ "name": "id", "type": "bigint", "nullable": false }));
    assert_eq!(
        (&found[0]["source"], &found[0]["schema"], &found[0]["columns"]),
        (&json!("shop"), &Value::Null, &json!([]))
    );
    let page = sources("?limit=1").await;
    let next = sources(&format!("?limit=1&after={}", page["next"].as_str().unwrap())).await;
    assert_ne!(page["sources"][0]["id"], next["sources"][0]["id"]);

    let file = app.get("/transformations/sources.yml", &team.viewer).await;
    assert_eq!((file.status.as_u16(), &file.headers[CONTENT_TYPE]), (200, &"application/yaml".parse().unwrap()));
    let mut text = file.text;
    for source in &*found {
        text = text.replacen(source["loaded_at"].as_str().unwrap(), "TIME", 1);
    }
    assert_eq!(text, FILE);

    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    assert_eq!(app.get("/transformations/sources", &stranger).await.good()["sources"], json!([]));
    app.end().await;
}

/// A connection `shop` of which a pipeline has loaded the table `orders`.
async fn loaded(app: &App, token: &str) {
    connection(app, token, "shop").await;
    let text = "name: copy\nblocks:\n  a: {extract: shop.public.raw}\n  b: {load: a, to: shop.public.orders}\n";
    let made = app.post("/pipelines", token, json!({ "text": text })).await.good();
    run(app, token, made["id"].as_str().unwrap()).await;
}

/// What makes a view in `shop`.
fn wish(name: &str, sql: &str) -> Value {
    json!({ "name": name, "sql_body": sql, "connection": "shop", "schema_name": "public" })
}

async fn create(app: &App, token: &str, wish: Value) -> String {
    let made = app.post("/transformations", token, wish).await;
    assert_eq!(made.status, 201, "{made:?}");
    format!("/transformations/{}", made.json()["id"].as_str().unwrap())
}

const ORDERS: &str = "select * from {{ source('shop_public', 'orders') }}";

async fn dm_11_transformations_are_made_changed_and_removed(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    loaded(&app, &team.editor).await;
    let mut clean = wish("clean", ORDERS);
    clean["description"] = json!("orders that count");
    clean["tests"] = json!({ "unique": ["id"] });
    app.post("/transformations", &team.viewer, clean.clone()).await.refused(403);
    let made = app.post("/transformations", &team.editor, clean.clone()).await;
    assert_eq!((made.status.as_u16(), &made.headers[ETAG]), (201, &"\"1\"".parse().unwrap()), "{made:?}");
    let made = made.json();
    for (key, value) in [
        ("name", json!("clean")),
        ("description", json!("orders that count")),
        ("sql_body", json!(ORDERS)),
        ("materialization", json!("view")),
        ("schema_name", json!("public")),
        ("tests", json!({ "unique": ["id"] })),
        ("depends_on", json!([])),
        ("revision", json!(1)),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    app.post("/transformations", &team.editor, clean).await.refused(409);
    let totals = create(&app, &team.editor, wish("totals", "select count(*) from {{ ref('clean') }}")).await;
    create(&app, &team.editor, wish("also", "select 1 as id")).await;
    let list = async |query: &str| app.get(&format!("/transformations{query}"), &team.viewer).await.good();
    let names = |page: &Value| -> Vec<String> {
        page["transformations"].as_array().unwrap().iter().map(|of| of["name"].as_str().unwrap().into()).collect()
    };
    let first = list("?limit=2").await;
    assert_eq!((names(&first), &first["next"]), (vec!["also".into(), "clean".into()], &json!("clean")));
    assert_eq!(names(&list("?limit=2&after=clean").await), ["totals"]);
    assert_eq!(list("?name=totals").await["transformations"][0]["depends_on"], json!(["clean"]));

    let put = async |tag: &str, body: Value| {
        let request = app.served.call(Method::PUT, &totals).bearer_auth(&team.editor).header(IF_MATCH, tag);
        Answer::of(request.header(CONTENT_TYPE, "application/json").body(body.to_string())).await
    };
    let changed = put("\"1\"", json!({ "materialization": "table" })).await;
    assert_eq!((&changed.headers[ETAG], &changed.json()["revision"]), (&"\"2\"".parse().unwrap(), &json!(2)));
    assert!(put("\"1\"", json!({ "description": "x" })).await.refused(412).contains("its revision is 2"));
    assert_eq!(put("*", json!({ "materialization": "table" })).await.good()["revision"], 2, "nothing has changed");

    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    app.get(&totals, &stranger).await.refused(404);
    app.post(&format!("{totals}/run"), &stranger, Value::Null).await.refused(404);
    app.delete(&totals, &team.editor).await.refused(403);
    assert_eq!(app.delete(&totals, &team.admin).await.status, 204);
    app.get(&totals, &team.viewer).await.refused(404);
    let audit = app.get("/organizations/acme/audit", &team.admin).await.good().to_string();
    for action in ["made", "changed", "removed"] {
        assert!(audit.contains(&format!("transformation.{action}")), "{action}");
    }
    app.end().await;
}

async fn tr_10_what_cannot_be_run_is_refused_where_it_is_saved(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let nothing = app.post("/transformations", &team.editor, wish("clean", ORDERS)).await;
    assert!(nothing.refused(422).contains("no pipeline has loaded `shop_public.orders` into `shop`"), "{nothing:?}");
    loaded(&app, &team.editor).await;
    let clean = create(&app, &team.editor, wish("clean", ORDERS)).await;
    let totals = create(&app, &team.editor, wish("totals", "select 1 from {{ ref('clean') }}")).await;
    let last = create(&app, &team.editor, wish("last", "select 1 from {{ ref('totals') }}")).await;

    let post = async |wish: Value| app.post("/transformations", &team.editor, wish).await;
    let wrong = post(wish("x", "select *\nfrom {{ ref('totls') }}")).await;
    let said = "the SQL is wrong: x.sql:2:6: there is no transformation `totls`, did you mean `totals`?";
    assert_eq!(wrong.refused(422), said);
    assert_eq!((&wrong.json()["problems"][0]["line"], &wrong.json()["problems"][0]["column"]), (&json!(2), &json!(6)));
    let wrong = post(wish("x", "select * from {{ source('shop_public', 'ordrs') }}")).await.refused(422);
    assert!(wrong.contains("did you mean `shop_public.orders`?"), "{wrong}");
    assert!(post(wish("x", "{{ config() }}")).await.refused(422).contains("x.sql:1:1: only `{{ ref("));
    assert!(post(wish("x", "select {{ var('day') }}")).await.refused(422).contains("declare it under `params`"));
    for name in ["", "a b", "1a", "rows_of_x", "tests_of_x", &"x".repeat(51)] {
        assert_eq!(post(wish(name, "select 1")).await.json()["field"], "name", "{name}");
    }
    for (key, value, field) in [
        ("sql_body", json!(" "), json!("sql_body")),
        ("connection", json!("shup"), Value::Null),
        ("schema_name", json!(""), json!("schema_name")),
        ("materialization", json!("incremental"), json!("unique_key")),
        ("tests", json!({ "nope": 1 }), Value::Null),
        ("tests", json!({ "test": "clean" }), json!("tests")),
        ("tests", json!({ "relationships": { "id": "nothing.id" } }), json!("tests")),
    ] {
        let mut wish = wish("x", "select 1 as id");
        wish[key] = value;
        let answer = post(wish).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &field), "{key}: {answer:?}");
    }
    app.post("/transformations", &team.editor, json!({ "name": "x", "sql_body": "select 1", "connection": "shop" }))
        .await
        .refused(422);

    let round = app.put(&clean, &team.editor, json!({ "sql_body": "select 1 from {{ ref('last') }}" })).await;
    assert_eq!(
        round.refused(422),
        "the transformations would need each other: `clean` -> `last` -> `totals` -> `clean`"
    );
    assert_eq!(app.get(&clean, &team.viewer).await.good()["sql_body"], ORDERS);
    let itself = app.put(&last, &team.editor, json!({ "sql_body": "select 1 from {{ ref('last') }}" })).await;
    assert!(itself.refused(422).contains("`last` -> `last`"));
    assert_eq!(app.delete(&clean, &team.admin).await.refused(409), "`totals` refer to `clean`: change them first");
    app.put(&clean, &team.editor, json!({ "name": "cleaner" })).await.refused(409);
    let preview = json!({ "sql_body": "select 1 from {{ ref('nobody') }}" });
    app.post(&format!("{totals}/compile"), &team.editor, preview).await.refused(422);
    app.end().await;
}

async fn dm_3_a_run_of_a_transformation_is_one_among_runs(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    loaded(&app, &team.editor).await;
    let mut clean = wish("clean", ORDERS);
    clean["tests"] = json!({ "unique": ["id"] });
    create(&app, &team.editor, clean).await;
    let mut between = wish("between", "select * from {{ ref('clean') }}");
    between["materialization"] = json!("ephemeral");
    let between = create(&app, &team.editor, between).await;
    let totals = create(&app, &team.editor, wish("totals", "select count(*) from {{ ref('between') }}")).await;
    assert!(app.post(&format!("{between}/run"), &team.editor, Value::Null).await.refused(409).contains("is not run"));
    app.served.world.lock().unwrap().started.clear();
    app.post(&format!("{totals}/run?upstream=true"), &team.viewer, Value::Null).await.refused(403);
    let begun = app.post(&format!("{totals}/run?upstream=true"), &team.editor, Value::Null).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    let begun = begun.json();
    let id = totals.rsplit('/').next().unwrap();
    let target = |run: &Value| (run["target_type"].clone(), run["target_id"].clone(), run["pipeline"].clone());
    assert_eq!(target(&begun), (json!("transformation"), json!(id), json!("totals")));
    let run = begun["id"].as_str().unwrap();
    app.served.process.wait(&RunId::new(run)).await.unwrap();
    let started = app.served.world.lock().unwrap().started.clone();
    assert_eq!(
        started,
        ["clean", "rows_of_clean", "tests_of_clean", "totals"],
        "in the order in which they need each other"
    );
    let listed = app.get("/runs", &team.viewer).await.good();
    assert_eq!((target(&listed["runs"][0]), &listed["runs"][0]["status"]), (target(&begun), &json!("success")));
    assert_eq!(target(&listed["runs"][1]).0, json!("pipeline"));
    let shown = app.get("/dashboard", &team.viewer).await.good();
    assert_eq!((&shown["totals"]["transformations"], &shown["totals"]["pipelines"]), (&json!(3), &json!(1)));
    let sources = app.get("/transformations/sources", &team.viewer).await.good();
    assert!(sources.to_string().contains("\"totals\""), "what it has made may be read, too: {sources}");
    let alone = app.post(&format!("{totals}/run"), &team.editor, json!({ "full_refresh": true })).await.good();
    app.served.process.wait(&RunId::new(alone["id"].as_str().unwrap())).await.unwrap();
    assert_eq!(app.served.world.lock().unwrap().started.last().unwrap(), "totals");

    let found = async |query: &str| {
        let page = app.get(&format!("/runs?{query}"), &team.viewer).await.good();
        page["runs"].as_array().unwrap().iter().map(|run| run["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(found("transformation=totals").await, [alone["id"].clone(), begun["id"].clone()]);
    assert_eq!(found(&format!("transformation={id}&limit=1")).await, [alone["id"].clone()]);
    assert_eq!(found("transformation=totals&status=failed").await, [Value::Null; 0]);
    assert_eq!(found("transformation=between").await, [Value::Null; 0]);
    assert_eq!(app.delete(&totals, &team.admin).await.status, 204);
    let of_gone = found(&format!("transformation={id}&status=success")).await;
    assert_eq!(of_gone.len(), 2, "its runs are history, found by its id");
    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    let theirs = app.get(&format!("/runs?transformation={id}"), &stranger).await.good();
    assert_eq!(theirs["runs"], json!([]));
    app.end().await;
}

fn id(path: &str) -> String {
    path.rsplit('/').next().unwrap().to_owned()
}

/// A schedule of a transformation, each second.
fn each_second(path: &str, more: Value) -> Value {
    let mut wish = json!({ "target_type": "transformation", "target_id": id(path), "cron_expression": "* * * * * *" });
    wish.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    wish
}

async fn sc_2_a_schedule_that_could_not_run_is_refused(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    loaded(&app, &team.editor).await;
    let mut clean = wish("clean", ORDERS);
    clean["params"] = json!({ "least": { "type": "integer", "default": 1 } });
    let clean = create(&app, &team.editor, clean).await;
    let totals = create(&app, &team.editor, wish("totals", "select count(*) from {{ ref('clean') }}")).await;
    let mut between = wish("between", "select 1 as id");
    between["materialization"] = json!("ephemeral");
    let between = create(&app, &team.editor, between).await;
    let post = async |wish: Value| app.post("/schedules", &team.editor, wish).await;
    for (path, more, field) in [
        ("/nothing", json!({}), "target_id"),
        (&*totals, json!({ "until": "clean" }), "until"),
        (&*totals, json!({ "params": { "nope": 1 } }), "params"),
        (&*clean, json!({ "params": { "least": "x" } }), "params"),
        (&*clean, json!({ "cron_expression": "* *" }), "cron_expression"),
    ] {
        let answer = post(each_second(path, more)).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["field"]), (422, &json!(field)), "{answer:?}");
    }
    assert!(post(each_second(&between, json!({}))).await.refused(409).contains("is not run"));
    let copy = app.get("/pipelines", &team.viewer).await.good()["pipelines"][0]["id"].clone();
    let pipeline = json!({ "target_id": copy, "with_upstream": true, "cron_expression": "* * * * *" });
    assert_eq!(post(pipeline).await.json()["field"], "with_upstream");
    app.end().await;
}

async fn sc_2_a_schedule_runs_a_transformation_and_what_it_needs(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    loaded(&app, &team.editor).await;
    let clean = create(&app, &team.editor, wish("clean", ORDERS)).await;
    let totals = create(&app, &team.editor, wish("totals", "select count(*) from {{ ref('clean') }}")).await;
    let wish = each_second(&totals, json!({ "with_upstream": true }));
    let made = app.post("/schedules", &team.editor, wish).await.good();
    let shown = (&made["target_type"], &made["target_id"], &made["target_name"], &made["with_upstream"]);
    assert_eq!(shown, (&json!("transformation"), &json!(id(&totals)), &json!("totals"), &json!(true)));
    let list = |path: &str| format!("/schedules?transformation={}", id(path));
    let listed = async |path: &str| app.get(&list(path), &team.viewer).await.good()["schedules"].clone();
    assert_eq!((listed(&totals).await[0]["id"].clone(), listed(&clean).await), (made["id"].clone(), json!([])));
    let next = app.get("/dashboard", &team.viewer).await.good()["next_scheduled"][0].clone();
    assert_eq!((&next["transformation_id"], &next["pipeline"]), (&json!(id(&totals)), &json!("totals")));

    // Two that look at once begin one run of one time.
    app.served.world.lock().unwrap().started.clear();
    let (handle, roster) = (app.served.process.handle.clone(), app.served.fake.clone());
    handle.keep_schedules();
    let roster: Arc<dyn Roster> = roster;
    let one = format!("/schedules/{}", made["id"].as_str().unwrap());
    until("a run that has ended", async || {
        let looks = [(); 2].map(|()| begin_due(&handle, &roster, clock::now()));
        futures::future::try_join_all(looks).await.unwrap();
        app.get(&one, &team.viewer).await.good()["last_run"]["status"] == "success"
    })
    .await;
    let off = app.put(&one, &team.editor, json!({ "is_active": false })).await.good();
    assert_eq!((&off["is_active"], &off["waiting"], &off["with_upstream"]), (&json!(false), &json!(0), &json!(true)));
    let runs = app.get("/runs?trigger=schedule", &team.viewer).await.good()["runs"].clone();
    let run = runs.as_array().unwrap().last().unwrap();
    assert_eq!((&run["target_id"], &run["schedule_id"]), (&json!(id(&totals)), &made["id"]));
    let me = app.get("/auth/me", &team.editor).await.good();
    let organization = me["memberships"][0]["organization"]["id"].as_str().unwrap().to_owned();
    let query = RunQuery { organization, limit: 100, ..RunQuery::default() };
    let owned = handle.runs_of(&query).await.unwrap().runs;
    let mut times: Vec<_> = owned.iter().filter_map(|run| Some(run.origin.tick()?.at)).collect();
    let all = times.len();
    times.dedup();
    assert_eq!((times.len(), all > 0), (all, true), "one run for each time");
    let started = app.served.world.lock().unwrap().started.clone();
    assert_eq!(started[..2], ["clean", "totals"], "what it needs comes first");

    let alone = app.put(&one, &team.editor, json!({ "with_upstream": false })).await.good();
    assert_eq!(alone["with_upstream"], false);
    app.put(&one, &team.editor, json!({ "target_id": id(&clean) })).await.refused(422);
    assert_eq!(app.delete(&totals, &team.admin).await.status, 204);
    assert_eq!(app.get("/schedules", &team.viewer).await.good()["schedules"], json!([]), "they go with it");
    app.end().await;
}
