//! The API as people and programs call it: a served coordinator, people of it, and short words for calls.

use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use serde_json::{Value, json};

use super::{Answer, Served};
use crate::grpc::Seat;
use crate::http::HttpConfig;
use crate::tests::Database;

/// The password of everybody.
const PASSWORD: &str = "correct horse";

/// A served coordinator.
pub(super) struct App {
    pub served: Served,
}

/// Access tokens of people of the default organization, `acme`; each has one role there.
pub(super) struct Team {
    /// Made it, and owns it too.
    pub super_admin: String,
    pub owner: String,
    pub admin: String,
    pub editor: String,
    pub viewer: String,
}

impl App {
    pub(super) async fn start(database: &Database) -> Self {
        Self::start_with(database, HttpConfig::default()).await
    }

    pub(super) async fn start_with(database: &Database, config: HttpConfig) -> Self {
        Self { served: Served::start(database, config).await }
    }

    pub(super) async fn end(self) {
        self.served.end().await;
    }

    /// Lets another lead.
    pub(super) fn stand_by(&self, leader: &str) {
        self.served.seat.send_replace(Seat::StandsBy { leader: Some(leader.to_owned()) });
    }

    /// A call with a token, unless it is empty, and a body, unless it is null.
    async fn ask(&self, method: Method, path: &str, token: &str, body: Value) -> Answer {
        let mut request = self.served.call(method, path);
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if !body.is_null() {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        Answer::of(request).await
    }

    pub(super) async fn get(&self, path: &str, token: &str) -> Answer {
        self.ask(Method::GET, path, token, Value::Null).await
    }

    pub(super) async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.ask(Method::POST, path, token, body).await
    }

    pub(super) async fn put(&self, path: &str, token: &str, body: Value) -> Answer {
        self.ask(Method::PUT, path, token, body).await
    }

    pub(super) async fn patch(&self, path: &str, token: &str, body: Value) -> Answer {
        self.ask(Method::PATCH, path, token, body).await
    }

    pub(super) async fn delete(&self, path: &str, token: &str) -> Answer {
        self.ask(Method::DELETE, path, token, Value::Null).await
    }

    /// A call without a body, about `acme` and things that are not there: `GET /runs/{run}`.
    pub(super) async fn bare(&self, call: &str, token: &str) -> Answer {
        let (method, path) = call.split_once(' ').unwrap();
        let mut path = path.replace("{organization}", "acme");
        while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
            path.replace_range(from..=to, "nothing");
        }
        let mut request = self.served.call(method.parse().unwrap(), &path);
        if !token.is_empty() {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
            request = request.header("x-organization", "acme");
        }
        Answer::of(request).await
    }

    pub(super) async fn login(&self, email: &str, password: &str) -> Answer {
        let form = format!("username={}&password={}", email.replace('@', "%40"), password.replace(' ', "+"));
        let request = self.served.call(Method::POST, "/auth/login");
        Answer::of(request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form)).await
    }

    /// The access token of someone who signs up, with what else is said.
    pub(super) async fn sign_up(&self, email: &str, more: Value) -> String {
        let mut wish = json!({ "email": email, "password": PASSWORD, "name": "Someone" });
        for (key, value) in more.as_object().unwrap() {
            wish[key] = value.clone();
        }
        let answer = self.post("/auth/register", "", wish).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()["access_token"].as_str().unwrap().to_owned()
    }

    /// The access token of someone who comes to an organization by an invitation of `by`.
    pub(super) async fn join(&self, organization: &str, by: &str, email: &str, role: &str) -> String {
        let wish = json!({ "email": email, "role": role });
        let made = self.post(&format!("{organization}/invitations"), by, wish).await.good();
        self.sign_up(email, json!({ "invitation": made["secret"] })).await
    }

    /// The id of who has a token.
    pub(super) async fn person(&self, token: &str) -> String {
        self.get("/auth/me", token).await.good()["id"].as_str().unwrap().to_owned()
    }

    pub(super) async fn team(&self) -> Team {
        let super_admin = self.sign_up("ann@example.com", json!({ "organization": "Acme" })).await;
        let mut tokens = Vec::new();
        for role in ["owner", "admin", "editor", "viewer"] {
            let email = format!("{role}@example.com");
            tokens.push(self.join("/organizations/acme", &super_admin, &email, role).await);
        }
        let [owner, admin, editor, viewer] = <[String; 4]>::try_from(tokens).unwrap();
        Team { super_admin, owner, admin, editor, viewer }
    }
}
