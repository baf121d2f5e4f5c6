//! The built-in warehouse as pipelines have it: an organization's own schemas, and nobody else's.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::world::{Database, Running, Served, World};

/// How long an organization may wait for its schemas, on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The program with a warehouse, which its default organization has its share of.
fn start(world: &World, house: &Database) -> Served {
    let mut command = world.command(&["up", "--listen", "127.0.0.1:0", "--auth", "off"]);
    command.env("FLOWETL_WAREHOUSE_URL", &house.url);
    let served = Served::of(Running::start(command));
    // The first call makes the default organization.
    let started = Instant::now();
    while served.get("/connections?search=warehouse").as_array().is_none_or(Vec::is_empty) {
        assert!(started.elapsed() < LIMIT, "the organization gets no connection to the warehouse");
        thread::sleep(Duration::from_millis(20));
    }
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
    house.run("create schema tenant_other_raw; create table tenant_other_raw.secret as select 7 as id");
    world.write("orders.csv", "id,amount\n1,10\n2,20\n");
    let served = start(&world, &house);
    let csv = world.path("orders.csv");
    let shop = format!(
        "  orders: {{extract: '{}'}}\n  raw: {{load: orders, to: warehouse.tenant_default_raw.orders}}\n  \
         best: {{sql: 'select id from orders where amount > 10', in: warehouse, to: tenant_default_marts.best, after: [raw]}}\n  \
         again: {{extract: {{connection: warehouse, query: 'select * from best'}}, after: [best]}}\n  \
         copied: {{load: again, to: warehouse.copied}}\n",
        csv.display()
    );
    let ended = run(&served, "shop", &shop);
    assert_eq!(ended["status"], "success", "{ended}");
    assert_eq!(house.number("select count(*) from tenant_default_raw.orders"), 2);
    assert_eq!(house.number("select id from tenant_default_marts.best"), 2);
    assert_eq!(house.number("select id from tenant_default_raw.copied"), 2);

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
