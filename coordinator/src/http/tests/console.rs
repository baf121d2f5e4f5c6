//! The console's files beside the API, and what the console draws its forms from.

use flowetl_proto::catalogue::{BlockDescription, ConnectorDescription, Places};
use flowetl_proto::pipeline::PortType;
use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::{Value, json};

use super::{Answer, App, Served};
use crate::connections::tests::RIGHT;
use crate::http::HttpConfig;
use crate::tests::{Database, on_both};

on_both!(cn_13_forms_are_drawn_from_what_executors_announce, what_only_an_executor_knows_is_drawn_checked_and_kept,);

/// A block and a connector that nothing here names.
fn strangers() -> (BlockDescription, ConnectorDescription) {
    let text = json!({ "type": "string" });
    let block = BlockDescription {
        kind: "enrich".into(),
        keyword: "enrich".into(),
        with: None,
        label: "Enrich from an API".into(),
        description: "Asks a service about each row.".into(),
        input: Some(PortType::S3File),
        output: Some(PortType::S3File),
        settings: json!({
            "type": "object", "additionalProperties": false, "required": ["enrich", "url", "batch"],
            "properties": {
                "enrich": { "type": "string", "x-input": "block" }, "url": text,
                "batch": { "type": "integer", "minimum": 1, "maximum": 500 },
                "copy_to": { "x-reference": "target" },
            },
        }),
    };
    let connector = ConnectorDescription {
        name: "ledger".into(),
        label: "Ledger".into(),
        schemes: vec!["ledger".into()],
        places: Places::Tables,
        settings: json!({
            "type": "object", "additionalProperties": false, "required": ["type", "host", "tenant"],
            "properties": {
                "type": { "const": "ledger" }, "host": text, "tenant": text,
                "key": { "type": "string", "writeOnly": true },
            },
        }),
    };
    (block, connector)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_address_that_is_not_the_apis_is_a_page() {
    let database = Database::sqlite();
    let served = Served::start(&database, HttpConfig::default()).await;
    for path in ["/", "/connections", "/runs/7/", "/pipelines/x?tab=graph"] {
        let page = served.get(path).await;
        assert_eq!(
            (page.status, page.headers[CONTENT_TYPE].to_str().unwrap()),
            (StatusCode::OK, "text/html; charset=utf-8")
        );
        assert!(page.text.starts_with("<!") && page.text.contains("FlowETL"), "{page:?}");
        assert!(page.headers[CONTENT_SECURITY_POLICY].to_str().unwrap().starts_with("default-src 'self';"));
        assert_ne!(page.headers.get(CACHE_CONTROL).map(|value| value.as_bytes()), Some(&b"no-store"[..]));
    }
    for path in ["/api/v1/nothing", "/api/v2/runs", "/assets/nothing.js", "/../Cargo.toml", "/..%2fpackage.json"] {
        let refused = served.get(path).await.refused(404);
        assert!(refused.contains("there is nothing at"), "{path}: {refused}");
    }
    let posted = Answer::of(served.client.post(format!("{}/runs", served.url))).await;
    posted.refused(404);
    served.end().await;
    database.drop().await;
}

async fn cn_13_forms_are_drawn_from_what_executors_announce(database: &Database) {
    let app = App::start(database).await;
    let token = app.sign_up("ann@example.com", json!({ "organization": "Acme" })).await;
    let catalogue = app.get("/catalogue", &token).await.good();
    let announced = serde_json::to_value(crate::connections::tests::catalogue()).unwrap();
    for group in ["blocks", "connectors"] {
        assert!(!announced[group].as_array().unwrap().is_empty());
        assert_eq!(catalogue[group], announced[group]);
    }
    app.end().await;
}

async fn what_only_an_executor_knows_is_drawn_checked_and_kept(database: &Database) {
    let app = App::start(database).await;
    let token = app.sign_up("ann@example.com", json!({ "organization": "Acme" })).await;
    let file = |settings: &str| {
        format!(
            "name: enriched\nblocks:\n  a: {{extract: books.public.raw}}\n  more: {{enrich: a, {settings}}}\n  \
             b: {{load: more, to: books.public.made}}\n"
        )
    };
    let right = file("url: 'http://service', batch: 10, copy_to: books.public.copy");
    let books = |settings: Value| {
        let mut wish = json!({ "name": "books", "type": "ledger", "host": "db" });
        wish.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        wish
    };
    let validate = async |text: &str| app.post("/pipelines/validate", &token, json!({ "text": text })).await.good();
    assert_eq!(validate(&right).await["is_valid"], false, "nobody has announced it");
    app.post("/connections", &token, books(json!({ "tenant": "t" }))).await.refused(422);

    *app.served.fake.more.lock().unwrap() = Some(strangers());
    let (block, connector) = strangers();
    let catalogue = app.get("/catalogue", &token).await.good();
    assert_eq!(catalogue["blocks"].as_array().unwrap().last(), Some(&serde_json::to_value(block).unwrap()));
    assert_eq!(catalogue["connectors"].as_array().unwrap().last(), Some(&serde_json::to_value(connector).unwrap()));
    let refused = app.post("/connections", &token, books(json!({}))).await.refused(422);
    assert!(refused.contains("tenant"), "{refused}");
    let made = app.post("/connections", &token, books(json!({ "tenant": "t", "key": RIGHT }))).await.good();
    assert!(!made.to_string().contains(RIGHT), "{made}");

    let drawn = validate(&right).await;
    assert_eq!((&drawn["is_valid"], &drawn["problems"]), (&json!(true), &json!([])), "{drawn:#}");
    let nodes = drawn["graph_definition"]["nodes"].as_array().unwrap();
    assert!(nodes.iter().any(|node| node["id"] == "more" && node["kind"] == "enrich"), "{drawn:#}");
    for (settings, said) in [
        ("url: x, batch: 501", "`batch`"),
        ("url: x, batch: 1, sharpness: 2", "unknown key `sharpness`"),
        ("batch: 1", "the key `url` is missing"),
        ("url: x, batch: 1, copy_to: bocks.public.x", "unknown connection `bocks`"),
    ] {
        let checked = validate(&file(settings)).await;
        assert_eq!(checked["is_valid"], false, "{settings}");
        let problem = &checked["problems"][0];
        assert!(problem["message"].as_str().unwrap().contains(said), "{settings}: {problem}");
        assert_eq!((&problem["line"], &problem["block"]), (&json!(4), &json!("more")), "{settings}: {problem}");
    }
    let kept = app.post("/pipelines", &token, json!({ "text": right })).await.good();
    assert_eq!(kept["targets"], json!([{ "connection": "books", "type": "ledger" }]));
    app.end().await;
}
