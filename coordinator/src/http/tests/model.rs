//! What each thing is made of, as the API shows it; and that words of SQL are only words.

use serde_json::{Value, json};

use super::App;
use crate::tests::pipelines::FILE;
use crate::tests::{Database, on_both};

on_both!(
    dm_1_dm_2_dm_13_connections_pipelines_and_schedules,
    dm_8_to_10_organizations_people_and_members,
    se_8_words_of_sql_are_only_words,
);

/// Fails unless `document` has all the fields, named with spaces between.
#[track_caller]
fn has(document: &Value, fields: &str) {
    let missing: Vec<_> = fields.split_whitespace().filter(|field| document.get(field).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} are missing in {document}");
}

async fn dm_1_dm_2_dm_13_connections_pipelines_and_schedules(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let shop = json!({ "name": "shop", "type": "postgres", "host": "a", "username": "etl", "database": "b" });
    let connection = app.post("/connections", &team.editor, shop).await.good();
    has(&connection, "id _id name type db_type config host port database username direction created_at updated_at");
    has(&connection, "last_tested_at last_test_status");
    let wish = json!({ "text": FILE });
    let pipeline = app.post("/pipelines", &team.editor, wish).await.good();
    has(&pipeline, "id name description graph_definition status is_active updated_at schedule_cron revision text");
    let wish = json!({ "target_type": "pipeline", "target_id": pipeline["id"], "cron_expression": "0 3 * * *" });
    let schedule = app.post("/schedules", &team.editor, wish).await.good();
    has(&schedule, "id target_type target_id cron_expression is_active timezone");
    app.end().await;
}

async fn dm_8_to_10_organizations_people_and_members(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let organization = app.get("/organizations/acme", &team.viewer).await.good();
    has(&organization, "organization role");
    has(&organization["organization"], "id name slug");
    let me = app.get("/auth/me", &team.viewer).await.good();
    has(&me, "id email name super_admin created_at memberships");
    assert_eq!(me["memberships"][0]["role"], "viewer");
    let members = app.get("/organizations/acme/members", &team.viewer).await.good();
    let roles: Vec<_> = members.as_array().unwrap().iter().map(|member| member["role"].as_str().unwrap()).collect();
    assert_eq!(roles.len(), 5);
    for role in ["owner", "admin", "editor", "viewer"] {
        assert!(roles.contains(&role), "{role} is not in {roles:?}");
    }
    app.end().await;
}

async fn se_8_words_of_sql_are_only_words(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let name = "x'); drop table person; --";
    let file = json!({ "name": name, "type": "file", "path": "/lake" });
    assert_eq!(app.post("/connections", &team.editor, file).await.good()["name"], name);
    let found = app.get("/connections?search=%27%29%3B%20drop%20table", &team.viewer).await.good();
    assert_eq!(found[0]["name"], name);
    let odd = "%27%20or%20%271%27%3D%271";
    for list in ["/connections?search=", "/connections?folder=", "/pipelines?search=", "/schedules?pipeline="] {
        let answer = app.get(&format!("{list}{odd}"), &team.viewer).await;
        assert!(!answer.status.is_server_error() && !answer.text.contains("drop table"), "{list}: {answer:?}");
    }
    for one in ["/connections/", "/pipelines/", "/schedules/", "/runs/"] {
        app.get(&format!("{one}{odd}"), &team.viewer).await.refused(404);
    }
    app.login("a'--@example.com", "' or '1'='1").await.refused(401);
    assert_eq!(app.get("/organizations/acme/members", &team.viewer).await.good().as_array().unwrap().len(), 5);
    app.end().await;
}
