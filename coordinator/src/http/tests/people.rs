//! Signing up, in and out, and what is kept of it.

use serde_json::{Value, json};

use super::App;
use crate::tests::{Database, on_both};

on_both!(
    ap_2_the_first_to_sign_up_runs_the_installation,
    ap_1_a_password_lets_in_and_says_nothing_else,
    au_2_a_refresh_token_counts_once,
    signing_out_ends_everything_at_once,
    au_10_a_session_lasts_until_a_new_password_ends_it,
    guessing_gets_slower,
    of_many_at_once_one_is_the_first,
);

async fn ap_2_the_first_to_sign_up_runs_the_installation(database: &Database) {
    let app = App::start(database).await;
    let ann = app.sign_up("Ann@Example.com", json!({ "organization": "Acme, Inc." })).await;
    let me = app.get("/auth/me", &ann).await.good();
    assert_eq!((&me["email"], &me["super_admin"]), (&json!("ann@example.com"), &json!(true)));
    let belongs = &me["memberships"][0];
    assert_eq!((&belongs["role"], &belongs["organization"]["slug"]), (&json!("owner"), &json!("acme-inc")));

    let bob = app.sign_up("bob@example.com", json!({ "organization": "Acme  INC" })).await;
    let me = app.get("/auth/me", &bob).await.good();
    assert_eq!(
        (&me["super_admin"], &me["memberships"][0]["organization"]["slug"]),
        (&json!(false), &json!("acme-inc-2"))
    );

    let again = json!({ "email": "BOB@example.com", "password": "another one", "name": "Bob" });
    app.post("/auth/register", "", again).await.refused(409);
    for (field, wrong) in [("email", "bob"), ("password", "1234567"), ("name", " ")] {
        let mut wish = json!({ "email": "carl@example.com", "password": "long enough", "name": "Carl" });
        wish[field] = wrong.into();
        let answer = app.post("/auth/register", "", wish).await;
        answer.refused(422);
        assert_eq!(answer.json()["field"], field);
    }
    let said = app.post("/auth/register", "", json!({ "email": "x@y", "nam": 1 })).await.refused(400);
    assert!(said.contains("nam"), "{said}");
    app.end().await;
}

async fn ap_1_a_password_lets_in_and_says_nothing_else(database: &Database) {
    let app = App::start(database).await;
    app.sign_up("ann@example.com", json!({})).await;
    let tokens = app.login("ANN@example.com", "correct horse").await.good();
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(900)));
    app.get("/auth/me", tokens["access_token"].as_str().unwrap()).await.good();
    let wrong = app.login("ann@example.com", "wrong horse").await;
    let nobody = app.login("nobody@example.com", "wrong horse").await;
    assert_eq!(wrong.refused(401), nobody.refused(401));
    assert_eq!(wrong.headers["www-authenticate"], "Bearer");
    app.post("/auth/login", "", json!({ "username": "ann@example.com", "password": "correct horse" }))
        .await
        .refused(415);
    for token in ["", "x", "flowetl_x", "eyJhbGciOiJub25lIn0.e30."] {
        app.get("/auth/me", token).await.refused(401);
    }
    app.end().await;
}

async fn au_2_a_refresh_token_counts_once(database: &Database) {
    let app = App::start(database).await;
    app.sign_up("ann@example.com", json!({})).await;
    let first = app.login("ann@example.com", "correct horse").await.good();
    let refresh =
        async |tokens: &Value| app.post("/auth/refresh", "", json!({ "refresh_token": tokens["refresh_token"] })).await;
    let second = refresh(&first).await.good();
    let third = refresh(&second).await.good();
    let of = |tokens: &Value| tokens["access_token"].as_str().unwrap().to_owned();
    app.get("/auth/me", &of(&third)).await.good();
    let other = app.login("ann@example.com", "correct horse").await.good();

    refresh(&second).await.refused(401);
    refresh(&third).await.refused(401);
    app.get("/auth/me", &of(&third)).await.refused(401);
    refresh(&json!({ "refresh_token": "nothing" })).await.refused(401);
    app.get("/auth/me", &of(&other)).await.good();
    refresh(&other).await.good();
    app.end().await;
}

async fn signing_out_ends_everything_at_once(database: &Database) {
    let app = App::start(database).await;
    app.sign_up("ann@example.com", json!({})).await;
    let tokens = app.login("ann@example.com", "correct horse").await.good();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(app.post("/auth/logout", access, Value::Null).await.status, 204);
    app.get("/auth/me", access).await.refused(401);
    app.post("/auth/refresh", "", json!({ "refresh_token": tokens["refresh_token"] })).await.refused(401);
    app.end().await;
}

async fn au_10_a_session_lasts_until_a_new_password_ends_it(database: &Database) {
    let app = App::start(database).await;
    let one = app.sign_up("ann@example.com", json!({})).await;
    let other = app.login("ann@example.com", "correct horse").await.good();
    let wish = |old: &str, new: &str| json!({ "old": old, "new": new });
    app.post("/auth/password", &one, wish("wrong horse", "battery staple")).await.refused(422);
    app.post("/auth/password", &one, wish("correct horse", "short")).await.refused(422);
    assert_eq!(app.post("/auth/password", &one, wish("correct horse", "battery staple")).await.status, 204);
    app.get("/auth/me", &one).await.good();
    app.get("/auth/me", other["access_token"].as_str().unwrap()).await.refused(401);
    app.post("/auth/refresh", "", json!({ "refresh_token": other["refresh_token"] })).await.refused(401);
    app.login("ann@example.com", "correct horse").await.refused(401);
    app.login("ann@example.com", "battery staple").await.good();
    app.end().await;
}

async fn guessing_gets_slower(database: &Database) {
    let app = App::start(database).await;
    app.sign_up("ann@example.com", json!({})).await;
    // However long each takes: the wait doubles with every failure.
    let mut failures = 0;
    let slowed = loop {
        let answer = app.login("ann@example.com", "wrong horse").await;
        if answer.status == 429 {
            break answer;
        }
        answer.refused(401);
        failures += 1;
        assert!(failures < 15, "guessing is not slowed");
    };
    assert!(failures >= 5, "people mistype: {failures}");
    assert!(slowed.refused(429).starts_with("too many sign-ins have failed"));
    assert!(slowed.headers.contains_key("retry-after"));
    app.login("bob@example.com", "wrong horse").await.refused(401);
    app.end().await;
}

async fn of_many_at_once_one_is_the_first(database: &Database) {
    let app = App::start(database).await;
    let sign_up = async |number: usize| {
        let token = app.sign_up(&format!("{number}@example.com"), json!({ "organization": "Same" })).await;
        app.get("/auth/me", &token).await.good()
    };
    let people = futures::future::join_all((0..5).map(sign_up)).await;
    assert_eq!(people.iter().filter(|me| me["super_admin"] == true).count(), 1, "{people:?}");
    let mut slugs: Vec<_> = people.iter().map(|me| me["memberships"][0]["organization"]["slug"].to_string()).collect();
    slugs.sort();
    assert_eq!(slugs, ["\"same\"", "\"same-2\"", "\"same-3\"", "\"same-4\"", "\"same-5\""]);

    let tokens = app.login("0@example.com", "correct horse").await.good();
    let refresh = async |_| app.post("/auth/refresh", "", json!({ "refresh_token": tokens["refresh_token"] })).await;
    let answers = futures::future::join_all((0..4).map(refresh)).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1, "{answers:?}");
    app.end().await;
}
