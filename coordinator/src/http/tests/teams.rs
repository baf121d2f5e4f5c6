//! Organizations, members, invitations, API keys, and the audit log.

use serde_json::{Value, json};

use super::App;
use crate::tests::{Database, on_both};

on_both!(
    so_1_and_so_3_an_organization_is_changed_handed_over_and_ended,
    so_2_and_au_12_members_are_invited_changed_and_removed,
    au_4_a_key_acts_as_its_maker_within_its_scopes,
    au_11_every_change_is_written_down_without_secrets,
);

fn id(value: &Value) -> String {
    value["id"].as_str().unwrap_or_else(|| panic!("no id in {value}")).to_owned()
}

async fn so_1_and_so_3_an_organization_is_changed_handed_over_and_ended(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let made = app.post("/organizations", &team.owner, json!({ "name": "Second", "slug": "second" })).await;
    assert_eq!(made.status, 201);
    app.post("/organizations", &team.viewer, json!({ "name": "Other", "slug": "second" })).await.refused(409);
    let second = format!("/organizations/{}", id(&made.json()));
    let changed = app.patch(&second, &team.owner, json!({ "name": "The second" })).await.good();
    assert_eq!((&changed["name"], &changed["slug"]), (&json!("The second"), &json!("second")));
    app.patch(&second, &team.owner, json!({ "slug": "acme" })).await.refused(409);
    app.patch(&second, &team.owner, json!({ "slug": "No slug" })).await.refused(422);
    assert_eq!(app.get("/organizations/second", &team.owner).await.good()["role"], "owner");

    let viewer = app.person(&team.viewer).await;
    app.post(&format!("{second}/transfer"), &team.owner, json!({ "person": viewer })).await.refused(404);
    app.join(&second, &team.owner, "heir@example.com", "viewer").await;
    let members = app.get(&format!("{second}/members"), &team.owner).await.good();
    let heir = members.as_array().unwrap().iter().find(|m| m["email"] == "heir@example.com").unwrap().clone();
    let handed = app.post(&format!("{second}/transfer"), &team.owner, json!({ "person": heir["person"] })).await;
    assert_eq!(handed.status, 204);
    assert_eq!(app.get(&second, &team.owner).await.good()["role"], "admin");
    app.delete(&second, &team.owner).await.refused(403);
    let heir = app.login("heir@example.com", "correct horse").await.good();
    assert_eq!(app.delete(&second, heir["access_token"].as_str().unwrap()).await.status, 204);
    app.get(&second, &team.owner).await.refused(404);
    assert!(app.delete("/organizations/acme", &team.owner).await.refused(409).contains("default"));
    app.end().await;
}

async fn so_2_and_au_12_members_are_invited_changed_and_removed(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let acme = "/organizations/acme";
    let invited = json!({ "email": "new@example.com", "role": "member" });
    app.post(&format!("{acme}/invitations"), &team.admin, json!({ "email": "new@example.com", "role": "owner" }))
        .await
        .refused(403);
    let made = app.post(&format!("{acme}/invitations"), &team.admin, invited.clone()).await.good();
    assert_eq!(made["role"], "editor", "`member` is another word for it");
    let secret = made["secret"].as_str().unwrap();
    assert_eq!(made["link"], format!("/signup?invitation={secret}"));
    let open = app.get(&format!("{acme}/invitations"), &team.admin).await;
    assert!(open.text.contains(&id(&made)) && !open.text.contains(secret), "{open:?}");

    // For whom it is not, it does not count, and it stays.
    let bob = app.sign_up("bob@example.com", json!({})).await;
    app.post("/invitations/accept", &bob, json!({ "secret": secret })).await.refused(403);
    let new = app.sign_up("new@example.com", json!({ "invitation": secret })).await;
    let me = app.get("/auth/me", &new).await.good();
    assert_eq!(me["memberships"].as_array().unwrap().len(), 1, "none of one's own is made");
    app.post("/invitations/accept", &new, json!({ "secret": secret })).await.refused(404);
    let back = app.post(&format!("{acme}/invitations"), &team.admin, invited).await.good();
    assert_eq!(app.delete(&format!("{acme}/invitations/{}", id(&back)), &team.admin).await.status, 204);
    app.post("/invitations/accept", &new, json!({ "secret": back["secret"] })).await.refused(404);

    let member = async |token: &str| format!("{acme}/members/{}", app.person(token).await);
    let (new_member, owner, admin) = (member(&new).await, member(&team.owner).await, member(&team.admin).await);
    let changed = app.patch(&new_member, &team.admin, json!({ "role": "viewer" })).await.good();
    assert_eq!(changed["role"], "viewer");
    let before = changed["last_seen_at"].as_str().unwrap().to_owned();
    app.login("new@example.com", "correct horse").await.good();
    let members = app.get(&format!("{acme}/members"), &team.admin).await.good();
    let seen = members.as_array().unwrap().iter().find(|m| m["email"] == "new@example.com").unwrap();
    assert!(seen["last_seen_at"].as_str().unwrap() > before.as_str(), "{seen} was seen after {before}");
    app.patch(&new_member, &team.admin, json!({ "role": "owner" })).await.refused(403);
    app.patch(&owner, &team.admin, json!({ "role": "viewer" })).await.refused(403);
    app.delete(&owner, &team.admin).await.refused(403);
    assert_eq!(app.delete(&new_member, &team.admin).await.status, 204);
    app.get(acme, &new).await.refused(404);

    // Someone always owns it: Ann, who made it, and Olga do now.
    assert_eq!(app.delete(&member(&team.super_admin).await, &team.owner).await.status, 204);
    app.patch(&owner, &team.owner, json!({ "role": "viewer" })).await.refused(409);
    app.delete(&format!("{acme}/members/me"), &team.owner).await.refused(409);
    app.delete(&owner, &team.owner).await.refused(409);
    app.patch(&admin, &team.owner, json!({ "role": "owner" })).await.good();
    app.patch(&owner, &team.owner, json!({ "role": "viewer" })).await.good();
    assert_eq!(app.delete(&format!("{acme}/members/me"), &team.viewer).await.status, 204);
    app.get(acme, &team.viewer).await.refused(404);
    app.end().await;
}

async fn au_4_a_key_acts_as_its_maker_within_its_scopes(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let keys = "/organizations/acme/api-keys";
    let wish = json!({ "name": "nightly", "scopes": ["runs:read"], "expires_at": "2999-01-01T00:00:00Z" });
    let made = app.post(keys, &team.editor, wish).await.good();
    let key = made["key"].as_str().unwrap();
    assert!(key.starts_with(made["prefix"].as_str().unwrap()) && key.len() > 40, "{made}");
    let list = app.get(keys, &team.editor).await;
    assert!(list.text.contains("nightly") && !list.text.contains(key), "{list:?}");
    assert_eq!(app.get(keys, &team.viewer).await.good(), json!([]), "it is not theirs");
    assert_eq!(app.get(keys, &team.admin).await.good().as_array().unwrap().len(), 1);

    app.get("/runs", key).await.good();
    assert!(app.get("/organizations/acme", key).await.refused(403).contains("scope"));
    app.get(keys, key).await.refused(403);
    app.get("/auth/me", key).await.refused(403);
    assert!(!app.get(keys, &team.editor).await.good()[0]["last_used_at"].is_null());
    for (field, wrong) in [("scopes", json!([])), ("expires_at", json!("2020-01-01T00:00:00Z")), ("name", json!(""))] {
        let mut wish = json!({ "name": "x", "scopes": ["runs:read"] });
        wish[field] = wrong;
        app.post(keys, &team.editor, wish).await.refused(422);
    }
    let one = format!("{keys}/{}", id(&made));
    app.delete(&one, &team.viewer).await.refused(404);
    assert_eq!(app.delete(&one, &team.admin).await.status, 204);
    app.get("/runs", key).await.refused(401);

    let again = app.post(keys, &team.editor, json!({ "name": "x", "scopes": ["runs:read"] })).await.good();
    let editor = app.person(&team.editor).await;
    app.get("/runs", again["key"].as_str().unwrap()).await.good();
    assert_eq!(app.delete(&format!("/organizations/acme/members/{editor}"), &team.admin).await.status, 204);
    app.get("/runs", again["key"].as_str().unwrap()).await.refused(401);
    app.end().await;
}

async fn au_11_every_change_is_written_down_without_secrets(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let wish = json!({ "name": "nightly", "scopes": ["runs:read"] });
    let key = app.post("/organizations/acme/api-keys", &team.owner, wish).await.good();
    app.patch("/organizations/acme", &team.owner, json!({ "name": "New" })).await.good();
    let log = app.get("/organizations/acme/audit", &team.admin).await;
    let entries = log.good();
    let newest = &entries[0];
    assert_eq!((&newest["action"], &newest["address"]), (&json!("organization.changed"), &json!("127.0.0.1")));
    assert_eq!((&newest["before"]["name"], &newest["after"]["name"]), (&json!("Acme"), &json!("New")));
    assert_eq!(newest["person"], app.person(&team.owner).await);
    let page = app.get("/organizations/acme/audit?limit=2", &team.admin).await.good();
    let rest = app.get(&format!("/organizations/acme/audit?before={}", id(&page[1])), &team.admin).await.good();
    assert_eq!(page.as_array().unwrap().len() + rest.as_array().unwrap().len(), entries.as_array().unwrap().len());

    let whole = app.get("/audit?limit=500", &team.super_admin).await;
    let actions: Vec<_> =
        whole.good().as_array().unwrap().iter().map(|e| e["action"].as_str().unwrap().to_owned()).collect();
    for action in
        ["person.registered", "session.begun", "organization.made", "invitation.made", "member.joined", "api_key.made"]
    {
        assert!(actions.iter().any(|found| found == action), "{action} is not in {actions:?}");
    }
    for secret in ["correct horse", "argon2", key["key"].as_str().unwrap(), &team.owner] {
        assert!(!whole.text.contains(secret), "{secret}");
    }
    app.end().await;
}
