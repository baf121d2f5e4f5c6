//! The built-in warehouse as pipelines have it: an organization's own schemas, and nobody else's.

use serde_json::{Value, json};

use crate::failure::wait_until;
use crate::world::{Database, Running, Served, World};

/// The program with a warehouse, which its default organization has its share of.
fn start(world: &World, house: &Database) -> Served {
    let mut command = world.command(&["up", "--listen", "127.0.0.1:0", "--auth", "off"]);
    command.env("FLOWETL_WAREHOUSE_URL", &house.url);
    let served = Served::of(Running::start(command));
    // The first call makes the default organization.
    wait_until("the organization's connection to the warehouse", || {
        served.get("/connections?search=warehouse").as_array().is_some_and(|found| !found.is_empty())
    });
    served
}

/// How a pipeline of these blocks ends.
fn run(served: &Served, name: &str, blocks: &str) -> Value {
    let text = format!("name: {name}\nblocks:\n{blocks}");
    let made = served.post("/pipelines", &json!({ "text": text }));
    ended(served, &format!("/pipelines/{}/run", made["id"].as_str().unwrap()), &json!({}))
}

/// How the run ends that a call begins.
fn ended(served: &Served, call: &str, wish: &Value) -> Value {
    let run = served.post(call, wish);
    let path = format!("/runs/{}", run["id"].as_str().unwrap());
    served.call("GET", &format!("{path}/logs?follow=true"), &Value::Null);
    served.get(&path)
}

#[test]
fn au_8_pipelines_use_their_organizations_schemas_and_the_database_refuses_others() {
    let (world, house) = (World::new(), Database::postgres());
    house.run("create schema tenant_other_raw; create table tenant_other_raw.secret (id bigint, amount bigint); insert into tenant_other_raw.secret values (7, 0)");
    world.write("orders.csv", "id,amount\n1,10\n2,20\n");
    let served = start(&world, &house);
    let csv = world.path("orders.csv");
    let shop = format!(
        "  orders: {{extract: '{}'}}\n  raw: {{load: orders, to: warehouse.raw.orders}}\n  \
         best: {{sql: 'select id from orders where amount > 10', in: warehouse, to: marts.best, after: [raw]}}\n  \
         again: {{extract: {{connection: warehouse, query: 'select * from best'}}, after: [best]}}\n  \
         copied: {{load: again, to: warehouse.copied}}\n  \
         read: {{extract: warehouse.tenant_default_raw.orders, after: [raw]}}\n  \
         staged: {{load: read, to: warehouse.staging.orders}}\n",
        csv.display()
    );
    let ended = run(&served, "shop", &shop);
    assert_eq!(ended["status"], "success", "{ended}");
    assert_eq!(house.number("select count(*) from tenant_default_raw.orders"), 2);
    assert_eq!(house.number("select id from tenant_default_marts.best"), 2);
    assert_eq!(house.number("select id from tenant_default_raw.copied"), 2);
    assert_eq!(house.number("select count(*) from tenant_default_staging.orders"), 2);

    let out = world.path("out.csv");
    for (name, blocks) in [
        (
            "table",
            format!("  a: {{extract: warehouse.tenant_other_raw.secret}}\n  b: {{load: a, to: '{}'}}\n", out.display()),
        ),
        (
            "query",
            format!(
                "  a: {{extract: {{connection: warehouse, query: select * from tenant_other_raw.secret}}}}\n  b: {{load: a, to: '{}'}}\n",
                out.display()
            ),
        ),
        (
            "inside",
            "  a: {sql: select * from tenant_other_raw.secret, in: warehouse, to: tenant_default_raw.stolen}\n".into(),
        ),
        ("made", "  a: {sql: select 8 as id, in: warehouse, to: tenant_other_raw.secret}\n".into()),
        (
            "load",
            format!("  a: {{extract: '{}'}}\n  b: {{load: a, to: warehouse.tenant_other_raw.mine}}\n", csv.display()),
        ),
        (
            "append",
            format!(
                "  a: {{extract: '{}'}}\n  b: {{load: a, to: warehouse.tenant_other_raw.secret, write: append}}\n",
                csv.display()
            ),
        ),
    ] {
        let ended = run(&served, name, &blocks);
        assert_eq!(ended["status"], "failed", "{name}: {ended}");
        assert!(ended["error_message"].as_str().unwrap().contains("permission denied"), "{name}: {ended}");
    }
    assert!(!out.exists());
    assert_eq!(
        house.texts("select relname::text from pg_class where relnamespace = 'tenant_other_raw'::regnamespace"),
        ["secret"]
    );
    assert_eq!(house.number("select id from tenant_other_raw.secret"), 7);
    assert!(!house.has("tenant_default_raw.stolen"));
    served.end();
}

#[test]
fn au_8_a_setting_that_is_no_warehouse_is_refused_at_the_start() {
    let world = World::new();
    for (url, said) in [
        ("mysql://etl:hidden@db/house", "`mysql`"),
        ("sqlite://house.db", "`sqlite` is no warehouse"),
        ("postgres://etl:hidden@db", "the database is missing"),
    ] {
        let mut command = world.command(&["up", "--listen", "127.0.0.1:0"]);
        command.env("FLOWETL_WAREHOUSE_URL", url);
        let ended = Running::start(command).wait().expect(2);
        let is_named = ended.err.contains("FLOWETL_WAREHOUSE_URL") && ended.err.contains(said);
        assert!(is_named && !ended.err.contains("hidden"), "{}", ended.err);
    }
}

/// The path of a transformation that is made.
fn transformation(served: &Served, name: &str, sql: &str, more: &Value) -> String {
    let mut wish = json!({ "name": name, "sql_body": sql });
    for (key, value) in more.as_object().unwrap() {
        wish[key] = value.clone();
    }
    format!("/transformations/{}", served.post("/transformations", &wish)["id"].as_str().unwrap())
}

/// The rows of a preview, each as its values with colons between.
fn looked_at(served: &Served, transformation: &str, wish: &Value) -> Vec<String> {
    let shown = served.post(&format!("{transformation}/preview"), wish);
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{shown}")).to_owned();
    let row = |row: &Value| row.as_array().unwrap().iter().map(text).collect::<Vec<_>>().join(":");
    shown["rows"].as_array().unwrap().iter().map(row).collect()
}

fn rows_are_seen_before_anything_is_made(served: &Served, house: &Database, (clean, totals): (&str, &str)) {
    let sql = "select id, amount from {{ source('raw', 'orders') }} where amount >= {{ var('least') }} order by 1";
    let not_saved = looked_at(served, clean, &json!({ "params": { "least": 7 }, "sql_body": sql }));
    let oracle =
        "select string_agg(id || ':' || amount, ' ' order by id) from tenant_default_raw.orders where amount >= 7";
    assert_eq!(not_saved.join(" "), house.text(oracle));
    assert_eq!(looked_at(served, clean, &json!({ "limit": 1 })).len(), 1);
    let (status, wrong) = served.call("POST", &format!("{totals}/preview"), &Value::Null);
    assert!(status == 409 && wrong.contains("clean"), "what it needs is not made yet: {wrong}");
}

#[test]
fn dm_11_and_tr_1_to_7_transformations_become_views_and_tables_and_are_tested() {
    let (world, house) = (World::new(), Database::postgres());
    world.write("orders.csv", "id,amount,day\n1,10,2026-01-01\n2,20,2026-01-02\n3,30,2026-01-03\n");
    let served = start(&world, &house);
    let shop = format!(
        "  rows: {{extract: '{}'}}\n  orders: {{load: rows, to: warehouse.orders}}\n",
        world.path("orders.csv").display()
    );
    assert_eq!(run(&served, "shop", &shop)["status"], "success");
    let sources = served.get("/transformations/sources");
    let found = &sources["sources"][0];
    let (schema, rows) = (&found["schema"], &found["rows"]);
    assert_eq!((&found["source"], schema, rows), (&json!("raw"), &json!("tenant_default_raw"), &json!(3)), "{sources}");

    let clean = transformation(
        &served,
        "clean",
        "select id, amount, day\nfrom {{ source('raw', 'orders') }}\nwhere amount >= {{ var('least') }}",
        &json!({ "params": { "least": { "type": "integer", "default": 20 } },
                 "tests": { "unique": ["id"], "not_null": ["amount"] } }),
    );
    transformation(
        &served,
        "doubled",
        "select *, amount * 2 as twice from {{ ref('clean') }};",
        &json!({ "materialization": "ephemeral" }),
    );
    let totals = transformation(
        &served,
        "totals",
        "select id, twice from {{ ref('doubled') }} order by 1",
        &json!({ "materialization": "table", "schema_name": "marts",
                 "tests": { "relationships": { "id": "clean.id" }, "rows": "> 0",
                            "sql": "select * from {{ ref('totals') }} where twice < 40" } }),
    );
    let compiled = served.post(&format!("{clean}/compile"), &json!({ "params": { "least": 7 } }));
    assert_eq!(
        compiled["sql"], "select id, amount, day\nfrom \"tenant_default_raw\".\"orders\"\nwhere amount >= 7",
        "{compiled}"
    );
    let (status, wrong) =
        served.call("POST", &format!("{clean}/compile"), &json!({ "sql_body": "select 1,\n nothing" }));
    assert!(status == 409 && wrong.contains("at line 2, column 2"), "{wrong}");
    rows_are_seen_before_anything_is_made(&served, &house, (&clean, &totals));
    assert!(!house.has("tenant_default_staging.clean"), "nothing is made where one looks");

    let run = ended(&served, &format!("{totals}/run?upstream=true"), &json!({}));
    let target = (&run["status"], &run["target_type"], &run["pipeline"]);
    assert_eq!(target, (&json!("success"), &json!("transformation"), &json!("totals")), "{run}");
    let kind = |of: &str| house.text(&format!("select relkind::text from pg_class where oid = '{of}'::regclass"));
    assert_eq!((kind("tenant_default_staging.clean"), kind("tenant_default_marts.totals")), ("v".into(), "r".into()));
    let oracle = "select coalesce(string_agg(id || ':' || amount * 2, ' ' order by id), '') from tenant_default_raw.orders where amount >= 20";
    let made = "select string_agg(id || ':' || twice, ' ' order by id) from tenant_default_marts.totals";
    assert_eq!(house.text(made), house.text(oracle));
    assert_eq!(looked_at(&served, &totals, &json!({})).join(" "), house.text(made));

    // A test that fails is the run's failure; a parameter changes what is made.
    let failed = ended(&served, &format!("{totals}/run?upstream=true"), &json!({ "params": { "least": 5 } }));
    assert_eq!(failed["status"], "failed", "{failed}");
    assert!(failed["error_message"].as_str().unwrap().contains("tests_of_totals"), "{failed}");

    // What was a view becomes a table, and reads on where it was.
    served.good("PUT", &clean, &json!({ "materialization": "table" }));
    assert_eq!(ended(&served, &format!("{clean}/run"), &json!({}))["status"], "success");
    assert_eq!(kind("tenant_default_staging.clean"), "r");

    only_what_is_new_is_read(&served, &house);
    sc_2_it_runs_by_itself(&served, &totals);
    served.end();
}

/// A transformation that is scheduled runs when its time comes, and what it needs before it.
fn sc_2_it_runs_by_itself(served: &Served, totals: &str) {
    let id = totals.rsplit('/').next().unwrap();
    let wish = json!({ "target_type": "transformation", "target_id": id, "with_upstream": true,
                       "cron_expression": "*/2 * * * * *" });
    let made = served.post("/schedules", &wish);
    let one = format!("/schedules/{}", made["id"].as_str().unwrap());
    wait_until("a run that began by itself", || served.get(&one)["last_run"]["status"] == "success");
    served.good("PUT", &one, &json!({ "is_active": false }));
    let run = &served.get("/runs?trigger=schedule")["runs"][0];
    assert_eq!((&run["target_id"], &run["schedule_id"]), (&json!(id), &made["id"]), "{run}");
}

/// A transformation that is incremental holds what its table does, and reads no row twice without need.
fn only_what_is_new_is_read(served: &Served, house: &Database) {
    let news = transformation(
        served,
        "news",
        "select id, amount, day from {{ source('raw', 'orders') }}",
        &json!({ "materialization": "incremental", "unique_key": ["id"], "cursor": "day" }),
    );
    let first = ended(served, &format!("{news}/run"), &json!({}));
    assert_eq!((&first["status"], &first["records_loaded"]), (&json!("success"), &json!(3)), "{first}");
    house.run(
        "insert into tenant_default_raw.orders values (4, 40, '2026-01-04'); \
               update tenant_default_raw.orders set amount = 31, day = '2026-01-04' where id = 3",
    );
    let second = ended(served, &format!("{news}/run"), &json!({}));
    assert_eq!(second["status"], "success", "{second}");
    assert!(second["records_extracted"].as_i64().unwrap() < 4, "only what is new is read: {second}");
    let all = |of: &str| house.texts(&format!("select concat_ws(',', id, amount, day) from {of} order by 1"));
    assert_eq!(all("tenant_default_staging.news"), all("tenant_default_raw.orders"));
}
