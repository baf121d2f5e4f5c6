//! What lies behind connections, over HTTP.

use std::sync::atomic::Ordering;

use flowetl_proto::tables::{Column, PAGE_TABLES, Table, TableKind};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::App;
use crate::connections::tests::RIGHT;
use crate::news::{Happening, Watcher};
use crate::tests::simulate::TEST_LIMIT;
use crate::tests::{Database, on_both};

on_both!(
    sd_2_a_look_is_made_in_the_background_one_at_a_time,
    sd_3_dm_7_what_was_found_is_kept_searched_and_compared,
    sd_5_rows_are_shown_by_an_executor,
    sd_3_many_tables_are_searched_page_by_page,
);

/// A table of two columns.
pub(super) fn table(schema: &str, name: &str) -> Table {
    let column = |name: &str, declared: &str| Column {
        name: name.into(),
        declared: declared.into(),
        arrow_type: Some("Int64".into()),
        nullable: name != "id",
    };
    Table {
        schema: schema.into(),
        name: name.into(),
        kind: TableKind::Table,
        rows: Some(7),
        columns: vec![column("id", "bigint"), column("total", "bigint")],
        primary_key: vec!["id".into()],
        foreign_keys: vec![],
        problem: None,
    }
}

/// The path of a new connection.
pub(super) async fn connection(app: &App, token: &str, name: &str) -> String {
    let wish = json!({ "name": name, "type": "postgres", "host": "db", "database": "shop", "password": RIGHT });
    let made = app.post("/connections", token, wish).await.good();
    format!("/connections/{}", made["id"].as_str().unwrap())
}

async fn watcher(app: &App, token: &str) -> Watcher {
    let id = app.get("/organizations/acme", token).await.good()["organization"]["id"].as_str().unwrap().to_owned();
    app.served.process.handle.watch(id, None).await.unwrap()
}

/// The next happening of this kind.
async fn told(watcher: &mut Watcher, kind: &str) -> Happening {
    loop {
        let told = timeout(TEST_LIMIT, watcher.next()).await.unwrap().unwrap();
        if told.kind == kind {
            return Happening::clone(&told);
        }
    }
}

/// Looks at a connection, to the end.
pub(super) async fn discover(app: &App, token: &str, connection: &str) -> Value {
    let mut watcher = watcher(app, token).await;
    let begun = app.post(&format!("{connection}/discover"), token, Value::Null).await;
    assert_eq!(begun.status, 202, "{begun:?}");
    told(&mut watcher, "discovery.ended").await.detail
}

async fn sd_2_a_look_is_made_in_the_background_one_at_a_time(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let one = connection(&app, &team.editor, "shop").await;
    let discover = format!("{one}/discover");
    let status = |view: &Value| (view["state"].clone(), view["found_at"].is_null(), view["message"].clone());
    let view = app.get(&discover, &team.viewer).await.good();
    assert_eq!(status(&view), (json!("never"), true, Value::Null));
    assert!(app.get(&format!("{one}/tables"), &team.viewer).await.refused(409).contains("nobody has looked"));

    *app.served.fake.tables.lock().unwrap() = vec![table("public", "orders")];
    let mut watcher = watcher(&app, &team.viewer).await;
    let held = app.served.fake.held.lock().await;
    for _ in 0..2 {
        let begun = app.post(&discover, &team.editor, Value::Null).await;
        assert_eq!((begun.status.as_u16(), &begun.json()["state"]), (202, &json!("running")));
    }
    told(&mut watcher, "discovery.started").await;
    drop(held);
    let ended = told(&mut watcher, "discovery.ended").await;
    assert_eq!((&ended.detail["success"], &ended.detail["tables"]), (&json!(true), &json!(1)));
    assert_eq!(app.served.fake.discovered.load(Ordering::SeqCst), 1, "the second look was the first one");
    let view = app.get(&discover, &team.viewer).await.good();
    assert_eq!(status(&view), (json!("success"), false, Value::Null));
    assert!(view["drift"].is_null() && view["age_seconds"].as_i64().unwrap() < 600, "{view}");

    // One that fails leaves what was found before.
    *app.served.fake.broken.lock().unwrap() = Some("permission denied for schema x".into());
    assert_eq!(super::discovery::discover(&app, &team.editor, &one).await["success"], false);
    let view = app.get(&discover, &team.viewer).await.good();
    assert_eq!(status(&view), (json!("failed"), false, json!("permission denied for schema x")));
    assert_eq!(app.get(&format!("{one}/tables"), &team.viewer).await.good()["tables"][0]["name"], "orders");
    app.put("/vault/password", &team.owner, json!({ "password": "battery staple", "only": true })).await.good();
    app.post("/vault/lock", &team.owner, Value::Null).await.good();
    app.post(&discover, &team.editor, Value::Null).await.refused(423);
    let audit = app.get("/organizations/acme/audit", &team.admin).await.good().to_string();
    assert!(audit.contains("discovery.started") && !audit.contains(RIGHT));
    assert!(!database.dump().await.contains(RIGHT));
    app.end().await;
}

async fn sd_3_dm_7_what_was_found_is_kept_searched_and_compared(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let one = connection(&app, &team.editor, "shop").await;
    let changed = |mut table: Table| {
        table.columns[1].declared = "numeric(12,2)".into();
        table.columns.push(Column { name: "note".into(), declared: "text".into(), arrow_type: None, nullable: true });
        table.primary_key.clear();
        table
    };
    let names = ["Orders", "customers", "old_orders"];
    *app.served.fake.tables.lock().unwrap() = names.iter().map(|name| table("public", name)).collect();
    discover(&app, &team.editor, &one).await;
    let tables = async |query: &str| {
        let page = app.get(&format!("{one}/tables{query}"), &team.viewer).await.good();
        let all = page["tables"].as_array().unwrap().clone();
        all.iter()
            .map(|table| format!("{}.{}", table["schema"].as_str().unwrap(), table["name"].as_str().unwrap()))
            .collect::<Vec<_>>()
    };
    assert_eq!(tables("?search=ORDERS").await.len(), 2);
    assert_eq!(tables("?search=public.cust").await, ["public.customers"]);
    assert_eq!(tables("?search=%25").await.len(), 0);
    app.get(&format!("{one}/tables?cursor=x"), &team.viewer).await.refused(422);

    *app.served.fake.tables.lock().unwrap() =
        vec![changed(table("public", "Orders")), table("public", "customers"), table("raw", "new")];
    let ended = discover(&app, &team.editor, &one).await;
    let counted =
        |detail: &Value| ["added", "removed", "changed"].map(|n| detail[format!("tables_{n}")].as_u64().unwrap());
    assert_eq!(counted(&ended), [1, 1, 1]);
    let view = app.get(&format!("{one}/discover"), &team.viewer).await.good();
    assert_eq!(counted(&view["drift"]), [1, 1, 1]);
    let changes: Vec<_> = view["drift"]["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| {
            let text = |key: &str| change[key].as_str().unwrap_or("-").to_owned();
            ["change", "table", "column", "before", "after"].map(text).join(" ")
        })
        .collect();
    assert_eq!(
        changes,
        [
            "column_changed Orders total bigint numeric(12,2)",
            "column_added Orders note - text",
            "keys_changed Orders - - -",
            "table_added new - - -",
            "table_removed old_orders - - -",
        ]
    );
    let schemas = app.get(&format!("{one}/schemas"), &team.viewer).await.good();
    assert_eq!(schemas["schemas"], json!([{ "name": "public", "tables": 2 }, { "name": "raw", "tables": 1 }]));
    let detail = app.get(&format!("{one}/tables/public/Orders"), &team.viewer).await.good();
    assert_eq!(
        (&detail["reference"], &detail["columns"][1]["type"]),
        (&json!("shop.public.Orders"), &json!("numeric(12,2)"))
    );
    let again = discover(&app, &team.editor, &one).await;
    assert_eq!(counted(&again), [0, 0, 0], "what is only estimated is no change");
    app.get(&format!("{one}/tables/public/old_orders"), &team.viewer).await.refused(404);

    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    for path in ["discover", "schemas", "tables", "tables/public/Orders"] {
        app.get(&format!("{one}/{path}"), &stranger).await.refused(404);
    }
    app.post(&format!("{one}/discover"), &stranger, Value::Null).await.refused(404);
    app.delete(&one, &team.admin).await;
    assert!(!database.dump().await.contains("public.customers"), "it is forgotten with its connection");
    app.end().await;
}

async fn sd_5_rows_are_shown_by_an_executor(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let one = connection(&app, &team.editor, "shop").await;
    let rows = app.get(&format!("{one}/tables/public/orders/preview?limit=2"), &team.editor).await.good();
    let columns = json!([{ "name": "asked", "type": "Utf8" }]);
    assert_eq!(rows, json!({ "columns": columns, "rows": [["shop.public.orders 2"]], "incomplete": false }));
    app.get(&format!("{one}/tables/public/orders/preview"), &team.viewer).await.refused(403);
    let lake = json!({ "name": "lake", "type": "file", "path": "/lake" });
    let lake = app.post("/connections", &team.editor, lake).await.good();
    let lake = format!("/connections/{}", lake["id"].as_str().unwrap());
    for (path, asked) in [
        ("%2F/a.csv", "lake/a.csv 100"),
        ("raw%2F2025/o-*.csv", "lake/raw/2025/o-*.csv 100"),
        ("%2F/by%2F", "lake/by/ 100"),
    ] {
        let rows = app.get(&format!("{lake}/tables/{path}/preview?limit=5000"), &team.editor).await.good();
        assert_eq!(rows["rows"][0][0], asked);
    }
    *app.served.fake.broken.lock().unwrap() = Some("`shop` has no table `x`".into());
    assert_eq!(
        app.get(&format!("{one}/tables/public/x/preview"), &team.editor).await.refused(422),
        "`shop` has no table `x`"
    );
    app.end().await;
}

async fn sd_3_many_tables_are_searched_page_by_page(database: &Database) {
    const TABLES: usize = 6 * PAGE_TABLES;
    let app = App::start(database).await;
    let team = app.team().await;
    let one = connection(&app, &team.editor, "shop").await;
    let all = (0..TABLES).map(|n| table(["a", "b"][n % 2], &format!("t{n:05}")));
    *app.served.fake.tables.lock().unwrap() = all.collect();
    assert_eq!(discover(&app, &team.editor, &one).await["tables"], TABLES);
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = app.get(&format!("{one}/tables?schema=b&limit=700{cursor}"), &team.viewer).await.good();
        found.extend(page["tables"].as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let expected: Vec<_> = (0..TABLES / 2).map(|n| format!("t{:05}", 2 * n + 1)).collect();
    assert_eq!(found, expected);
    let few = app.get(&format!("{one}/tables?search=2999"), &team.viewer).await.good();
    assert_eq!(few["tables"].as_array().unwrap().len(), 1);
    app.end().await;
}
