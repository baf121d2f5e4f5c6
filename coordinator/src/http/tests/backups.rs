//! Backups over HTTP: made while the service goes on, listed, downloaded, deleted; by super admins alone.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, RANGE};
use serde_json::json;

use super::App;
use crate::backup::restore;
use crate::tests::simulate::config;
use crate::tests::{Database, on_both};

on_both!(fi_3_a_backup_is_made_of_what_is_served,);

/// What a call is answered with, from a byte on.
async fn content(app: &App, path: &str, token: &str, range: &str) -> (u16, Vec<u8>) {
    let request = app.served.call(Method::GET, path).header(AUTHORIZATION, format!("Bearer {token}"));
    let answer = request.header(RANGE, range).send().await.unwrap();
    (answer.status().as_u16(), answer.bytes().await.unwrap().to_vec())
}

async fn fi_3_a_backup_is_made_of_what_is_served(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    app.post("/backups", &team.owner, json!(null)).await.refused(403);
    app.get("/backups", &team.owner).await.refused(403);
    assert_eq!(app.get("/backups", &team.super_admin).await.good(), json!([]));
    let first = app.post("/backups", &team.super_admin, json!(null)).await.good();
    app.post("/organizations", &team.super_admin, json!({ "name": "Later", "slug": "later" })).await.good();
    let second = app.post("/backups", &team.super_admin, json!(null)).await.good();
    let listed = app.get("/backups", &team.super_admin).await.good();
    assert_eq!((&listed[0]["name"], &listed[1]["name"]), (&second["name"], &first["name"]), "the newest first");
    assert_eq!(listed[1]["size"], first["size"]);

    let one = format!("/backups/{}", first["name"].as_str().unwrap());
    app.get(&format!("{one}/content"), &team.owner).await.refused(403);
    let (status, head) = content(&app, &format!("{one}/content"), &team.super_admin, "bytes=0-99").await;
    assert_eq!((status, head.len()), (206, 100));
    let (_, rest) = content(&app, &format!("{one}/content"), &team.super_admin, "bytes=100-").await;
    let whole = [head, rest].concat();
    assert_eq!(whole.len() as u64, first["size"].as_u64().unwrap());
    let text = String::from_utf8(zstd::decode_all(&whole[..]).unwrap()).unwrap();
    assert!(text.contains("viewer@example.com") && !text.contains("Later"), "what was there at its moment");

    let other = Database::sqlite();
    let file = other.home.path().join("copy");
    std::fs::write(&file, &whole).unwrap();
    assert!(restore(&config(&other), &file).await.unwrap() > 0);
    other.drop().await;

    for nothing in ["nothing", "..%2Fetl-files", "..%2F..%2Fvault.key"] {
        app.get(&format!("/backups/{nothing}"), &team.super_admin).await.refused(404);
        app.get(&format!("/backups/{nothing}/content"), &team.super_admin).await.refused(404);
        app.delete(&format!("/backups/{nothing}"), &team.super_admin).await.refused(404);
    }
    assert_eq!(app.delete(&one, &team.super_admin).await.status.as_u16(), 204);
    app.get(&one, &team.super_admin).await.refused(404);
    assert_eq!(app.get("/backups", &team.super_admin).await.good().as_array().unwrap().len(), 1);
    let audit = app.get("/audit", &team.super_admin).await.good().to_string();
    assert!(audit.contains("backup.created") && audit.contains("backup.deleted"), "{audit}");
    app.end().await;
}
