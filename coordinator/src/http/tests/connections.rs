//! Connections and the vault over HTTP.

use flowetl_proto::run::Options;
use reqwest::header::LINK;
use serde_json::{Value, json};

use super::App;
use crate::connections::Connections;
use crate::connections::tests::{RIGHT, catalogue};
use crate::tests::{Database, extract, load, on_both, pipeline};

on_both!(
    ap_3_to_9_the_seven_endpoints_of_connections,
    cn_12_a_connection_that_is_used_is_deleted_on_purpose_only,
    cn_20_connections_are_taken_out_and_in_again,
    se_4_the_vault_is_locked_and_unlocked,
);

const PASSWORD: &str = "battery staple";

fn shop() -> Value {
    json!({
        "name": "Production shop", "db_type": "postgresql", "host": "localhost", "port": 5433, "database": "shop",
        "username": "etl", "password": RIGHT,
    })
}

async fn ap_3_to_9_the_seven_endpoints_of_connections(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    assert_eq!(app.get("/connections", &team.viewer).await.good(), json!([]));
    let tested = app.post("/connections/test", &team.editor, shop()).await.good();
    let details = json!({ "db_type": "postgresql", "version": "Fake 1.0" });
    assert_eq!(tested, json!({ "success": true, "message": "Connection successful", "details": details }));
    let made = app.post("/connections/", &team.editor, shop()).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    let one = format!("/connections/{}", made["_id"].as_str().unwrap());
    for (key, value) in shop().as_object().unwrap() {
        let expected = if key == "password" { &json!("encrypted_value") } else { value };
        assert_eq!(made[key], *expected, "{key}");
    }
    assert_eq!((&made["last_tested_at"], &made["last_test_status"]), (&Value::Null, &Value::Null));
    for path in [one.clone(), format!("{one}/")] {
        let mut shown = app.get(&path, &team.viewer).await.good();
        assert_eq!(shown.as_object_mut().unwrap().remove("used_by"), Some(json!([])));
        assert_eq!(shown, made);
    }
    let change = json!({ "host": "new-host.com", "port": 3307 });
    let changed = app.put(&one, &team.editor, change).await.good();
    assert_eq!(
        (&changed["host"], &changed["port"], &changed["username"]),
        (&json!("new-host.com"), &json!(3307), &json!("etl"))
    );
    let tested = app.post(&format!("{one}/test"), &team.editor, Value::Null).await.good();
    assert_eq!(tested["details"], details);
    let listed = app.get("/connections/?type=postgres&search=new-host", &team.viewer).await.good();
    assert_eq!((&listed[0]["_id"], &listed[0]["last_test_status"]), (&made["_id"], &json!("success")));
    app.post("/connections", &team.editor, shop()).await.refused(409);
    assert!(
        app.post("/connections", &team.editor, json!({ "name": "x", "db_type": "oracle" }))
            .await
            .refused(422)
            .contains("oracle")
    );
    app.post("/connections", &team.editor, json!([])).await.refused(400);
    app.put(&one, &team.editor, json!({ "port": 0 })).await.refused(422);
    app.get("/connections?direction=up", &team.viewer).await.refused(422);

    let other = json!({ "name": "lake", "type": "file", "path": "/lake", "direction": "source", "folder": "eu" });
    app.post("/connections", &team.editor, other).await.good();
    let page = app.get("/connections?limit=1", &team.viewer).await;
    let next = page.headers[LINK].to_str().unwrap().trim_start_matches('<').split('>').next().unwrap().to_owned();
    assert_eq!(page.json()[0]["name"], "lake");
    assert_eq!(app.get(&format!("/connections{next}"), &team.viewer).await.good()[0]["name"], "Production shop");
    assert_eq!(
        app.get("/connections?folder=eu&direction=source", &team.viewer).await.good().as_array().unwrap().len(),
        1
    );

    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    app.get(&one, &stranger).await.refused(404);
    assert_eq!(app.get("/connections", &stranger).await.good(), json!([]));
    let removed = app.delete(&one, &team.admin).await;
    assert_eq!((removed.status.as_u16(), removed.text.as_str()), (204, ""));
    app.get(&one, &team.viewer).await.refused(404);
    let audit = app.get("/organizations/acme/audit", &team.admin).await.good().to_string();
    assert!(audit.contains("connection.deleted") && !audit.contains(RIGHT), "{audit}");
    app.end().await;
}

async fn cn_12_a_connection_that_is_used_is_deleted_on_purpose_only(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let make = async |name: &str, path: &str| {
        let wish = json!({ "name": name, "type": "file", "path": path });
        app.post("/connections", &team.editor, wish).await.good()["id"].as_str().unwrap().to_owned()
    };
    let (lake, raw, idle) = (make("lake", "/lake").await, make("raw", "/raw").await, make("lak", "/lak").await);
    let text = |of: &str, more: &str| {
        format!("{more}blocks:\n  a: {{extract: {of}/a.csv}}\n  b: {{load: a, to: {of}/b.csv}}\n")
    };
    let mut pipelines = Vec::new();
    for (name, text) in [
        ("second", text("lake", "")),
        ("first", text("lake", "description: lak\n")),
        ("own", text("lake", "connections: {lake: 'file:///elsewhere'}\n")),
        ("fourth", text("lake", "")),
        ("third", text("lake", "")),
    ] {
        let made = app.post("/pipelines", &team.editor, json!({ "name": name, "text": text })).await.good();
        pipelines.push((name, made["id"].clone()));
    }
    let waits = json!({ "kind": "files", "target_id": pipelines[2].1, "place": "raw/*.csv" });
    app.post("/triggers", &team.editor, waits).await.good();
    let users = async |id: &str| {
        let shown = app.get(&format!("/connections/{id}"), &team.viewer).await.good();
        let users = shown["used_by"].as_array().unwrap().iter();
        users.map(|user| user["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(users(&lake).await, ["first", "fourth", "second", "third"], "`own` has another of that name");
    assert_eq!((users(&raw).await, users(&idle).await), (vec!["own".to_owned()], vec![]));
    let refused = app.delete(&format!("/connections/{lake}"), &team.admin).await.refused(409);
    assert!(refused.contains("`lake` is used by `first`, `fourth`, `second` and 1 more"), "{refused}");
    assert!(app.delete(&format!("/connections/{raw}"), &team.admin).await.refused(409).contains("used by `own`:"));
    assert_eq!(app.delete(&format!("/connections/{idle}"), &team.admin).await.status, 204);
    app.delete(&format!("/connections/{lake}?force=maybe"), &team.admin).await.refused(400);
    assert_eq!(app.delete(&format!("/connections/{lake}?force=true"), &team.admin).await.status, 204);
    app.end().await;
}

async fn cn_20_connections_are_taken_out_and_in_again(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let made = app.post("/connections", &team.editor, shop()).await.good();
    let bare = app.get("/connections/export", &team.viewer).await.good();
    assert_eq!(bare["connections"][0]["config"].get("password"), None);
    assert_eq!((&bare["encryption"], bare["connections"][0].get("secrets")), (&Value::Null, None));
    app.post("/connections/export", &team.admin, json!({ "passphrase": PASSWORD })).await.refused(403);
    let sealed = app.post("/connections/export", &team.owner, json!({ "passphrase": PASSWORD })).await.good();
    assert!(!sealed.to_string().contains(RIGHT));

    let other = app.sign_up("other@example.com", json!({ "organization": "Other" })).await;
    let import = |passphrase: Option<&str>, more: Value| {
        let mut import = sealed.clone();
        import["passphrase"] = json!(passphrase);
        for (key, value) in more.as_object().unwrap() {
            import[key] = value.clone();
        }
        import
    };
    let missing = app.post("/connections/import", &other, import(None, json!({}))).await;
    assert!(missing.refused(422).contains("need its passphrase"));
    let wrong = app.post("/connections/import", &other, import(Some("wrong passphrase"), json!({}))).await;
    assert!(wrong.refused(422).contains("does not open `password` of `Production shop`"));
    let imported = app.post("/connections/import", &other, import(Some(PASSWORD), json!({}))).await.good();
    assert_eq!(imported["created"], json!(["Production shop"]));
    let there = app.get("/connections", &other).await.good();
    assert_ne!(there[0]["id"], made["id"]);
    let test = format!("/connections/{}/test", there[0]["id"].as_str().unwrap());
    assert_eq!(app.post(&test, &other, Value::Null).await.good()["success"], true, "the secret came with it");
    let again = app.post("/connections/import", &other, import(Some(PASSWORD), json!({}))).await.good();
    assert_eq!(again["skipped"], json!(["Production shop"]));
    let more = json!({ "existing": "replace" });
    let again = app.post("/connections/import", &other, import(Some(PASSWORD), more)).await.good();
    assert_eq!(again["replaced"], json!(["Production shop"]));
    let mixed = json!({ "version": 1, "connections": [
        { "name": "no", "type": "oracle" }, { "name": "yes", "type": "file", "config": { "path": "/x" } },
    ] });
    let imported = app.post("/connections/import", &other, mixed).await.good();
    assert_eq!((&imported["created"], &imported["refused"][0]["name"]), (&json!(["yes"]), &json!("no")));
    app.end().await;
}

async fn se_4_the_vault_is_locked_and_unlocked(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let status = |open: &Value| (open["locked"].clone(), open["key"].clone(), open["password"].clone());
    let open = app.get("/vault/status", &team.viewer).await.good();
    assert_eq!((status(&open), &open["exists"]), ((json!(false), json!(false), json!(false)), &json!(false)));
    app.post("/vault/lock", &team.owner, Value::Null).await.refused(409);
    app.post("/connections", &team.editor, shop()).await.good();
    let set = app.put("/vault/password", &team.owner, json!({ "password": PASSWORD, "only": true })).await.good();
    assert_eq!(status(&set), (json!(false), json!(false), json!(true)));
    let locked = app.post("/vault/lock", &team.owner, Value::Null).await.good();
    assert_eq!(locked["locked"], true);

    let list = app.get("/connections", &team.viewer).await.good();
    let one = format!("/connections/{}", list[0]["id"].as_str().unwrap());
    assert!(app.post(&format!("{one}/test"), &team.editor, Value::Null).await.refused(423).contains("locked"));
    app.put(&one, &team.editor, json!({ "password": "x" })).await.refused(423);
    app.put(&one, &team.editor, json!({ "folder": "eu" })).await.good();

    let process = &app.served.process;
    let connections = Connections::new(process.handle.vault(), app.served.fake.clone());
    let mut waiting = pipeline("waiting", vec![extract("a"), load("b", "a", "replace")]);
    waiting.connections = connections.named_by_default(&catalogue()).await.unwrap();
    assert_eq!(waiting.connections.len(), 1);
    let run = process.handle.submit(waiting, Options::default()).await.unwrap();
    let shown = app.get(&format!("/executions/{run}"), &team.viewer).await.good();
    assert_eq!((&shown["status"], &shown["detail"]), (&json!("pending"), &json!("waiting for unlock")));
    assert_eq!(app.get("/runs", &team.viewer).await.good()["runs"][0]["status"], "pending");

    let wrong = app.post("/vault/unlock", &team.owner, json!({ "password": "wrong" })).await;
    assert_eq!(wrong.refused(422), "this is not the master password");
    assert_eq!(app.post("/vault/unlock", &team.owner, json!({ "password": PASSWORD })).await.good()["locked"], false);
    process.wait(&run).await.unwrap();
    let shown = app.get(&format!("/runs/{run}"), &team.viewer).await.good();
    assert_eq!((&shown["status"], &shown["detail"]), (&json!("success"), &Value::Null));
    assert!(!shown.to_string().contains(RIGHT));
    assert_eq!(app.post(&format!("{one}/test"), &team.editor, Value::Null).await.good()["success"], true);
    app.end().await;
}
