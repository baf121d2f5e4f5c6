//! People who come through another service: joined, made, let in again; and what is not set up.

use std::net::{IpAddr, Ipv4Addr};

use serde_json::json;

use super::App;
use crate::accounts::{Accounts, Doors, Identity};
use crate::tests::{Database, on_both};

on_both!(x14_who_comes_through_another_service_is_joined_or_made,);

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn identity(subject: &str, email: &str, name: Option<&str>) -> Identity {
    let issuer = "https://id.example.com".to_owned();
    Identity { issuer, subject: subject.to_owned(), email: email.to_owned(), name: name.map(str::to_owned) }
}

async fn x14_who_comes_through_another_service_is_joined_or_made(database: &Database) {
    let app = App::start(database).await;
    let accounts = Accounts::open(app.served.process.handle.store(), &Doors::new()).await.unwrap();
    let enter = async |identity: Identity| accounts.enter(&identity, HERE).await.unwrap().access_token;
    let before = app.sign_up("ann@example.com", json!({ "organization": "Acme" })).await;
    let ann = app.person(&before).await;

    // Joined by the address, whoever had it before without proof.
    let token = enter(identity("1", "Ann@Example.com", None)).await;
    assert_eq!(app.person(&token).await, ann);
    app.get("/auth/me", &before).await.refused(401);
    app.login("ann@example.com", "correct horse").await.refused(401);
    // Known from then on, whatever the address is now.
    assert_eq!(app.person(&enter(identity("1", "ann@new.example.com", None)).await).await, ann);

    let bob = enter(identity("2", "bob@example.com", Some("Bob"))).await;
    let me = app.get("/auth/me", &bob).await.good();
    assert_eq!(
        (&me["name"], &me["email"], &me["super_admin"]),
        (&json!("Bob"), &json!("bob@example.com"), &json!(false))
    );
    assert_eq!(me["memberships"][0]["role"], "owner");
    app.login("bob@example.com", "").await.refused(401);
    let wish = json!({ "old": "", "new": "battery staple" });
    app.post("/auth/password", &bob, wish).await.refused(422);
    app.post("/auth/register", "", json!({ "email": "bob@example.com", "password": "battery staple", "name": "x" }))
        .await
        .refused(409);
    let wrong = accounts.enter(&identity("3", "no address", None), HERE).await;
    assert!(wrong.is_err());
    let log = app.get("/audit?limit=100", &token).await.good().to_string();
    assert!(log.contains("person.identity_joined") && log.contains("person.identity_added"), "{log}");

    assert_eq!(app.get("/auth/methods", "").await.good(), json!({ "password": true, "oidc": false, "open": false }));
    assert!(app.get("/auth/oidc/login", "").await.refused(404).contains("through another service"));
    app.end().await;
}
