//! An installation that older code has written.

use serde_json::json;

use super::App;
use crate::store::tests::write_as_of;
use crate::tests::{Database, on_both};

on_both!(dm_15_an_older_database_is_migrated_and_its_runs_are_seen);

async fn dm_15_an_older_database_is_migrated_and_its_runs_are_seen(database: &Database) {
    // Before there were people and organizations.
    write_as_of(database, 202_611_212_130).await;
    let app = App::start(database).await;
    let team = app.team().await;
    let page = app.get("/runs", &team.viewer).await.good();
    let shown: Vec<_> = page["runs"].as_array().unwrap().iter().map(|run| (&run["id"], &run["status"])).collect();
    assert_eq!(shown, [(&json!("r2"), &json!("failed")), (&json!("r1"), &json!("success"))]);
    assert_eq!(page["runs"][0]["error_message"], "no such table");
    let one = app.get("/runs/r1", &team.viewer).await.good();
    assert_eq!(one["view"]["pipeline"], "p");
    let positions = app.served.process.handle.positions(Some("p")).await.unwrap();
    assert_eq!(positions[0].position.value, "7");
    app.end().await;
}
