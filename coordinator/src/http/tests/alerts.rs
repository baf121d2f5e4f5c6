//! Destinations of alerts over HTTP.

use serde_json::{Value, json};

use super::App;
use crate::notify::tests::Receiver;
use crate::tests::pipelines::FILE;
use crate::tests::{Database, on_both};

on_both!(nr_2_destinations_are_made_tested_and_removed, nr_2_a_pipeline_names_destinations_that_are_there);

async fn nr_2_destinations_are_made_tested_and_removed(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let receiver = Receiver::start(&[]).await;
    let wish = json!({ "name": "ops", "kind": "webhook", "url": receiver.url, "events": ["recovered", "failed"] });
    app.post("/alerts/destinations", &team.editor, wish.clone()).await.refused(403);
    let made = app.post("/alerts/destinations/", &team.admin, wish.clone()).await;
    assert_eq!(made.status, 201);
    let made = made.json();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!((&made["host"], &made["events"]), (&json!("127.0.0.1"), &json!(["failed", "recovered"])));
    let listed = app.get("/alerts/destinations", &team.viewer).await;
    assert!(!listed.text.contains("secret"), "{listed:?}");
    assert_eq!(listed.good()[0]["id"], made["id"]);
    app.post("/alerts/destinations", &team.admin, wish).await.refused(409);
    let odd = json!({ "name": "x", "kind": "webhook", "url": receiver.url, "colour": "red" });
    app.post("/alerts/destinations", &team.admin, odd).await.refused(400);
    let near = json!({ "url": "http://[fe80::1]/" });
    let one = format!("/alerts/destinations/{}", made["id"].as_str().unwrap());
    assert_eq!(app.put(&one, &team.admin, near).await.refused(422), "nothing is sent to link-local addresses");

    let tested = app.post(&format!("{one}/test"), &team.admin, Value::Null).await.good();
    assert_eq!(
        (&tested["state"], &tested["status"], &tested["event"]),
        (&json!("delivered"), &json!(200), &json!("test"))
    );
    assert_eq!(receiver.calls().len(), 1);
    let log = app.get("/alerts/deliveries?state=delivered&limit=1", &team.viewer).await.good();
    assert_eq!((&log["deliveries"][0], &log["next"]), (&tested, &tested["id"]));
    let older = format!("/alerts/deliveries?before={}", tested["id"].as_str().unwrap());
    assert_eq!(app.get(&older, &team.viewer).await.good(), json!({ "deliveries": [], "next": null }));
    app.get("/alerts/deliveries?state=lost", &team.viewer).await.refused(400);
    let delivery = format!("/alerts/deliveries/{}", tested["id"].as_str().unwrap());
    let again = app.post(&format!("{delivery}/redeliver"), &team.admin, Value::Null).await.good();
    assert_eq!((&again["state"], &again["id"]), (&json!("waiting"), &tested["id"]));

    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    for path in [&one, &delivery] {
        app.get(path, &stranger).await.refused(404);
    }
    assert_eq!(app.get("/alerts/destinations", &stranger).await.good(), json!([]));
    assert_eq!(app.delete(&one, &team.admin).await.status, 204);
    app.get(&one, &team.viewer).await.refused(404);
    app.get(&delivery, &team.viewer).await.refused(404);
    let audit = app.get("/organizations/acme/audit", &team.admin).await.good().to_string();
    for action in ["destination.made", "destination.tested", "delivery.repeated", "destination.removed"] {
        assert!(audit.contains(action), "{audit}");
    }
    assert!(!audit.contains("secret-path"));
    app.end().await;
}

async fn nr_2_a_pipeline_names_destinations_that_are_there(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    for name in ["ops", "night"] {
        let wish = json!({ "name": name, "kind": "webhook", "url": "http://127.0.0.1:9/", "events": [] });
        assert_eq!(app.post("/alerts/destinations", &team.admin, wish).await.status, 201);
    }
    let text = |to: &str| json!({ "text": format!("{FILE}alerts: {{on: [failed], to: {to}}}\n") });
    let refused = app.post("/pipelines", &team.editor, text("[night, opps, nobody]")).await;
    assert_eq!(refused.status, 422);
    let problems = refused.json()["problems"].clone();
    let told =
        |at: usize| (problems[at]["message"].clone(), problems[at]["hint"].clone(), problems[at]["line"].clone());
    assert_eq!(told(0), (json!("`alerts`: there is no destination `opps`"), json!("did you mean `ops`?"), json!(8)));
    assert!(told(1).1.as_str().unwrap().contains("/alerts/destinations"), "{problems}");
    assert_eq!(app.post("/pipelines", &team.editor, text("[night, ops]")).await.status, 201);
    app.end().await;
}
