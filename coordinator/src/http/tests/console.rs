//! The console's files beside the API, and what the console draws its forms from.

use reqwest::StatusCode;
use reqwest::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use serde_json::json;

use super::{Answer, App, Served};
use crate::http::HttpConfig;
use crate::tests::{Database, on_both};

on_both!(cn_13_forms_are_drawn_from_what_executors_announce);

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
