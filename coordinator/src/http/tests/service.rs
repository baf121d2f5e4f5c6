//! What holds for every call: paths, problems, headers, certificates, and who leads.

use flowetl_proto::trust::Certificate;
use reqwest::{Client, Method};
use serde_json::json;

use super::{Answer, App, Served};
use crate::grpc::Seat;
use crate::http::body::BODY_BYTES_MAX;
use crate::http::{HttpConfig, openapi};
use crate::tests::Database;
use crate::tests::access::Certificates;

const DESCRIPTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi.json");

/// `UPDATE_OPENAPI=1` writes the file.
#[test]
fn the_committed_description_is_that_of_the_code() {
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(DESCRIPTION, openapi::text()).unwrap();
    }
    let committed = std::fs::read_to_string(DESCRIPTION).unwrap();
    assert!(committed == openapi::text(), "`{DESCRIPTION}` is not current: run this test with UPDATE_OPENAPI=1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ap_16_health_says_who_leads_and_others_are_told() {
    let database = Database::sqlite();
    let served = Served::start(&database, HttpConfig::default()).await;
    for path in ["/health", "/health/", "/api/v1/health", "/api/v1/health/"] {
        let health = served.get(path).await.good();
        assert_eq!((&health["status"], &health["role"]), (&"ok".into(), &"leader".into()), "{path}");
    }
    served.seat.send_replace(Seat::StandsBy { leader: Some("http://10.0.0.1:50051".into()) });
    let health = served.get("/health").await.good();
    assert_eq!((&health["role"], &health["leader"]), (&"standby".into(), &"http://10.0.0.1:50051".into()));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ap_17_the_docs_are_served_without_any_other_host() {
    let database = Database::sqlite();
    let served = Served::start(&database, HttpConfig::default()).await;
    for path in ["/docs", "/docs/"] {
        let page = served.get(path).await;
        assert!(page.text.contains("swagger-ui"), "{page:?}");
        let named = page.text.split('"').filter(|text| text.starts_with("./") || text.starts_with("http"));
        let named: Vec<_> = named.collect();
        assert!(named.len() > 3, "{named:?}");
        for name in named {
            assert_eq!(served.get(&format!("/docs/{}", name.trim_start_matches("./"))).await.status, 200, "{name}");
        }
    }
    let starts = served.get("/docs/swagger-initializer.js").await;
    assert!(starts.text.contains("/api/v1/openapi.json"), "{starts:?}");
    assert_eq!(served.get("/api/v1/openapi.json").await.text, openapi::text());
    served.get("/docs/nothing").await.refused(404);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ap_18_the_page_to_read_is_served_without_any_other_host() {
    let database = Database::sqlite();
    let served = Served::start(&database, HttpConfig::default()).await;
    for path in ["/redoc", "/redoc/"] {
        let page = served.get(path).await;
        assert!(page.text.contains("<script src=\"redoc.js\">") && !page.text.contains("http"), "{page:?}");
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("default-src 'self'") && !policy.contains("https:"), "{policy}");
    }
    let script = served.get("/redoc/redoc.js").await;
    assert_eq!(script.headers["content-type"], "text/javascript; charset=utf-8");
    assert!(script.text.len() > 500_000 && !script.text.contains("cdn.redoc.ly"), "{}", script.text.len());
    assert!(
        script.text.trim_end().ends_with("Redoc.init('/api/v1/openapi.json', {}, document.getElementById('redoc'));")
    );
    served.get("/redoc/nothing").await.refused(404);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_a_problem() {
    let database = Database::sqlite();
    let served = Served::start(&database, HttpConfig::default()).await;
    for path in ["/api/v1/nothing", "/api/v1", "/api/v2/health"] {
        assert!(served.get(path).await.refused(404).contains("there is nothing at"), "{path}");
    }
    let other = Answer::of(served.call(Method::DELETE, "/health")).await;
    assert_eq!(other.refused(405), "`/api/v1/health` does not take `DELETE`");
    assert_eq!(other.headers["allow"], "GET");
    let head = Answer::of(served.call(Method::HEAD, "/health")).await;
    assert_eq!((head.status.as_u16(), head.text.as_str()), (200, ""));
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_8_a_body_has_a_type_and_a_limit() {
    let database = Database::sqlite();
    let served = Served::start(&database, HttpConfig::default()).await;
    let send = async |kind: &'static str, body: String| {
        Answer::of(served.call(Method::POST, "/auth/refresh").header("content-type", kind).body(body)).await
    };
    send("application/json", "x".repeat(BODY_BYTES_MAX + 1)).await.refused(413);
    assert!(send("application/json", "x".repeat(BODY_BYTES_MAX)).await.refused(400).contains("the body is wrong"));
    assert_eq!(send("text/plain", "{}".into()).await.refused(415), "the body is to be `application/json`");
    // Fields in their order, without their names.
    assert!(send("application/json", r#"["none"]"#.into()).await.refused(400).contains("expected an object"));
    let right = r#"{"refresh_token": "none"}"#;
    send("Application/JSON; charset=utf-8", right.into()).await.refused(401);
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_6_browsers_are_bound() {
    let database = Database::sqlite();
    let origins = vec!["http://localhost:5173".parse().unwrap()];
    let served = Served::start(&database, HttpConfig { origins, ..HttpConfig::default() }).await;
    for (origin, allowed) in [("http://localhost:5173", true), ("http://localhost:5174", false), ("null", false)] {
        let preflight = served.call(Method::OPTIONS, "/auth/login").header("origin", origin);
        let preflight = Answer::of(preflight.header("access-control-request-method", "POST")).await;
        let answer = Answer::of(served.call(Method::GET, "/health").header("origin", origin)).await;
        assert_eq!((preflight.status.as_u16(), answer.status.as_u16()), (204, 200));
        for headers in [preflight.headers, answer.headers] {
            let found = headers.get("access-control-allow-origin").map(|value| value.to_str().unwrap());
            assert_eq!(found, allowed.then_some(origin));
            assert_eq!(headers["x-content-type-options"], "nosniff");
            assert_eq!(headers["content-security-policy"], "default-src 'none'; frame-ancestors 'none'");
            assert_eq!(
                (&headers["x-frame-options"], &headers["vary"]),
                (&"DENY".parse().unwrap(), &"origin".parse().unwrap())
            );
        }
    }
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_certificate_nothing_goes_in_the_clear() {
    let (database, certificates) = (Database::sqlite(), Certificates::new());
    let own: Certificate = certificates.own();
    let mut served = Served::start(&database, HttpConfig { certificate: Some(own), ..HttpConfig::default() }).await;
    assert!(served.client.get(format!("{}/health", served.url)).send().await.is_err(), "nobody knows the authority");
    let authority = reqwest::Certificate::from_pem(&certificates.read("ca.crt")).unwrap();
    served.client = Client::builder().add_root_certificate(authority).build().unwrap();
    assert_eq!(served.get("/health").await.good()["role"], "leader");
    let clear = served.url.replace("https://", "http://");
    assert!(served.client.get(format!("{clear}/health")).send().await.is_err());
    served.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn se_8_what_is_nested_deeply_is_refused_and_the_service_lives() {
    const DEPTH: usize = 10_000;
    let database = Database::sqlite();
    let app = App::start(&database).await;
    let token = app.sign_up("ann@example.com", json!({})).await;
    let nested = |open: &str, close: &str| format!("{}1{}", open.repeat(DEPTH), close.repeat(DEPTH));
    let posted = async |path: &str, body: String| {
        let request =
            app.served.call(Method::POST, path).bearer_auth(&token).header("content-type", "application/json");
        Answer::of(request.body(body)).await
    };
    for body in [nested("[", "]"), nested("{\"a\":", "}"), format!("{{\"name\":{}}}", nested("[", "]"))] {
        posted("/connections", body).await.refused(400);
    }
    let expression = format!("blocks: {{a: {{sql: \"select {}\"}}}}", nested("(", ")"));
    for text in [nested("[", "]"), nested("{a: ", "}"), "- ".repeat(DEPTH), expression] {
        let found = posted("/pipelines/validate", json!({ "text": text }).to_string()).await.good();
        assert_eq!((&found["is_valid"], found["problems"].as_array().unwrap().len()), (&json!(false), 1), "{found}");
    }
    app.end().await;
}
