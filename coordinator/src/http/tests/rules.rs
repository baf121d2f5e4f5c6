//! Who may call what: every endpoint of the router, as everyone.

use reqwest::Method;
use serde_json::json;

use super::{Answer, App};
use crate::http::gate::Needs;
use crate::http::routes::endpoints;
use crate::http::{HttpConfig, openapi};
use crate::tests::{Database, on_both};

on_both!(au_5_to_7_every_endpoint_is_answered_by_its_rule_alone);

/// The least that each endpoint is to ask for, written down a second time: what is not here is not to be there.
const RULES: &str = "\
POST /auth/register: nobody
POST /auth/login: nobody
POST /auth/refresh: nobody
POST /auth/logout: person
POST /auth/password: person
GET /auth/me: person
GET /organizations: person
POST /organizations: person
GET /organizations/{organization}: viewer, organization:read
PATCH /organizations/{organization}: owner, organization:write
DELETE /organizations/{organization}: owner
POST /organizations/{organization}/transfer: owner
GET /organizations/{organization}/members: viewer, organization:read
DELETE /organizations/{organization}/members/me: viewer
PATCH /organizations/{organization}/members/{person}: admin, organization:write
DELETE /organizations/{organization}/members/{person}: admin, organization:write
GET /organizations/{organization}/invitations: admin, organization:read
POST /organizations/{organization}/invitations: admin, organization:write
DELETE /organizations/{organization}/invitations/{invitation}: admin, organization:write
POST /invitations/accept: person
GET /organizations/{organization}/api-keys: viewer
POST /organizations/{organization}/api-keys: viewer
DELETE /organizations/{organization}/api-keys/{key}: viewer
GET /organizations/{organization}/audit: admin, organization:read
GET /audit: super_admin
GET /pipelines: viewer, pipelines:read
POST /pipelines: editor, pipelines:write
POST /pipelines/apply: editor, pipelines:write
POST /pipelines/validate: viewer, pipelines:read
POST /pipelines/plan: editor, pipelines:write
GET /pipelines/{pipeline}: viewer, pipelines:read
PUT /pipelines/{pipeline}: editor, pipelines:write
DELETE /pipelines/{pipeline}: admin, pipelines:write
GET /pipelines/{pipeline}/export: viewer, pipelines:read
POST /pipelines/{pipeline}/plan: editor, pipelines:write
POST /pipelines/{pipeline}/run: editor, pipelines:write
POST /pipelines/preview: editor, pipelines:write
GET /pipelines/{pipeline}/preview: editor, pipelines:write
GET /pipelines/{pipeline}/state: viewer, pipelines:read
PUT /pipelines/{pipeline}/state/{block}: editor, pipelines:write
DELETE /pipelines/{pipeline}/state/{block}: editor, pipelines:write
GET /pipelines/{pipeline}/diff: viewer, pipelines:read
GET /pipelines/{pipeline}/revisions: viewer, pipelines:read
GET /pipelines/{pipeline}/revisions/{number}: viewer, pipelines:read
POST /pipelines/{pipeline}/revisions/{number}/restore: editor, pipelines:write
GET /schedules: viewer, pipelines:read
POST /schedules: editor, pipelines:write
POST /schedules/preview: viewer, pipelines:read
GET /schedules/{schedule}: viewer, pipelines:read
PUT /schedules/{schedule}: editor, pipelines:write
DELETE /schedules/{schedule}: admin, pipelines:write
GET /connections: viewer, connections:read
POST /connections: editor, connections:write
POST /connections/test: editor, connections:write
GET /connections/export: viewer, connections:read
POST /connections/export: owner
POST /connections/import: editor, connections:write
GET /connections/{connection}: viewer, connections:read
PUT /connections/{connection}: editor, connections:write
DELETE /connections/{connection}: admin, connections:write
POST /connections/{connection}/test: editor, connections:write
GET /vault/status: viewer, vault
POST /vault/unlock: owner, vault
POST /vault/lock: owner, vault
PUT /vault/password: owner
GET /events: viewer, events:read
GET /ws: viewer, events:read
GET /organizations/{organization}/events: viewer, events:read
GET /organizations/{organization}/ws: viewer, events:read
GET /runs/{run}/logs: viewer, runs:read
GET /executions/{run}/logs: viewer, runs:read
GET /jobs/{run}/logs: viewer, runs:read
GET /runs/{run}/quarantine: editor, runs:read
GET /runs: viewer, runs:read
GET /runs/{run}: viewer, runs:read
POST /runs/{run}/cancel: editor, runs:write
POST /runs/{run}/retry: editor, runs:write
GET /executions: viewer, runs:read
GET /executions/{run}: viewer, runs:read
POST /executions/{run}/cancel: editor, runs:write
POST /executions/{run}/retry: editor, runs:write
GET /jobs: viewer, runs:read
GET /jobs/{run}: viewer, runs:read
POST /jobs/{run}/cancel: editor, runs:write
POST /jobs/{run}/retry: editor, runs:write
GET /auth/methods: nobody
GET /auth/oidc/login: nobody
GET /auth/oidc/callback: nobody
POST /auth/oidc/token: nobody
GET /dashboard: viewer, runs:read
GET /lineage: viewer, pipelines:read
GET /catalogue: viewer, pipelines:read
GET /executors: viewer, runs:read
GET /executors/{executor}: viewer, runs:read
POST /executors/{executor}/drain: super_admin
POST /connections/{connection}/discover: editor, connections:write
GET /connections/{connection}/discover: viewer, connections:read
GET /connections/{connection}/schemas: viewer, connections:read
GET /connections/{connection}/tables: viewer, connections:read
GET /connections/{connection}/tables/{schema}/{table}: viewer, connections:read
GET /connections/{connection}/tables/{schema}/{table}/preview: editor, connections:write
GET /alerts/destinations: viewer, organization:read
POST /alerts/destinations: admin, organization:write
GET /alerts/destinations/{destination}: viewer, organization:read
PUT /alerts/destinations/{destination}: admin, organization:write
DELETE /alerts/destinations/{destination}: admin, organization:write
POST /alerts/destinations/{destination}/test: admin, organization:write
GET /alerts/deliveries: viewer, organization:read
GET /alerts/deliveries/{delivery}: viewer, organization:read
POST /alerts/deliveries/{delivery}/redeliver: admin, organization:write
GET /files: viewer, files:read
POST /files: editor, files:write
PUT /files: editor, files:write
GET /files/uploads/{upload}: viewer, files:read
PUT /files/uploads/{upload}: editor, files:write
DELETE /files/uploads/{upload}: editor, files:write
GET /files/{file}: viewer, files:read
DELETE /files/{file}: admin, files:write
GET /files/{file}/content: viewer, files:read
GET /files/{file}/preview: viewer, files:read
POST /files/{file}/link: viewer, files:read
GET /files/shared/{link}: nobody
GET /backups: super_admin
POST /backups: super_admin
GET /backups/{backup}: super_admin
DELETE /backups/{backup}: super_admin
GET /backups/{backup}/content: super_admin
GET /triggers: viewer, pipelines:read
POST /triggers: editor, pipelines:write
GET /triggers/{trigger}: viewer, pipelines:read
PUT /triggers/{trigger}: editor, pipelines:write
DELETE /triggers/{trigger}: admin, pipelines:write
POST /hooks/{secret}: nobody
GET /transformations: viewer, pipelines:read
POST /transformations: editor, pipelines:write
GET /transformations/sources: viewer, pipelines:read
GET /transformations/sources.yml: viewer, pipelines:read
GET /transformations/{transformation}: viewer, pipelines:read
PUT /transformations/{transformation}: editor, pipelines:write
DELETE /transformations/{transformation}: admin, pipelines:write
POST /transformations/{transformation}/compile: editor, pipelines:write
POST /transformations/{transformation}/preview: editor, pipelines:write
POST /transformations/{transformation}/run: editor, pipelines:write
";

/// Other names of what is described once.
const EVENTS: [(&str, &str); 2] =
    [("/organizations/{organization}/events", "/events"), ("/organizations/{organization}/ws", "/ws")];

const SCOPES: [&str; 12] = [
    "organization:read",
    "organization:write",
    "runs:read",
    "runs:write",
    "events:read",
    "connections:read",
    "connections:write",
    "vault",
    "pipelines:read",
    "pipelines:write",
    "files:read",
    "files:write",
];

#[test]
fn every_endpoint_has_the_rule_that_is_written_down() {
    let mut found = String::new();
    for endpoint in endpoints() {
        let rule = match endpoint.needs {
            Needs::Nobody => "nobody".to_owned(),
            Needs::Person => "person".to_owned(),
            Needs::SuperAdmin => "super_admin".to_owned(),
            Needs::Member(role, None) => role.as_str().to_owned(),
            Needs::Member(role, Some(scope)) => {
                format!("{}, {}", role.as_str(), serde_json::to_value(scope).unwrap().as_str().unwrap())
            }
        };
        found.push_str(&format!("{} {}: {rule}\n", endpoint.method, endpoint.path));
    }
    assert_eq!(found, RULES);
}

#[test]
fn every_endpoint_is_described() {
    let described = serde_json::to_value(openapi::document()).unwrap();
    for endpoint in endpoints() {
        let path = endpoint.path.replacen("/executions", "/runs", 1).replacen("/jobs", "/runs", 1);
        let path = EVENTS.iter().fold(path, |path, (of, plain)| if path == *of { (*plain).to_owned() } else { path });
        let operation = &described["paths"][&path][endpoint.method.as_str().to_lowercase()];
        assert!(operation.is_object(), "{} {path}", endpoint.method);
        assert_eq!(operation["security"].is_array(), endpoint.needs != Needs::Nobody, "{path}");
    }
}

#[test]
fn every_call_of_the_description_has_a_name_of_its_own() {
    let described = serde_json::to_value(openapi::document()).unwrap();
    let calls = described["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    let mut names: Vec<_> = calls.filter_map(|call| call["operationId"].as_str()).collect();
    assert!(names.contains(&"connections_list") && names.contains(&"auth_login"), "{names:?}");
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

/// What the rule of an endpoint lets a caller do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// 401.
    Unknown,
    /// 403.
    Forbidden,
    /// 404: they are not told that the organization is there.
    Nothing,
    Through,
}

impl Verdict {
    /// The call has no body and names what is not there: whoever is let through is told so, or gets an answer.
    fn of(answer: &Answer) -> Self {
        match answer.status.as_u16() {
            401 => Self::Unknown,
            403 => Self::Forbidden,
            404 if answer.text.contains("there is no organization") => Self::Nothing,
            500.. => panic!("{answer:?}"),
            _ => Self::Through,
        }
    }
}

async fn au_5_to_7_every_endpoint_is_answered_by_its_rule_alone(database: &Database) {
    const ROLES: [&str; 4] = ["viewer", "editor", "admin", "owner"];
    let app = App::start(database).await;
    let team = app.team().await;
    let stranger = app.sign_up("stranger@example.com", json!({})).await;
    let mut keys = Vec::new();
    for scope in SCOPES {
        let wish = json!({ "name": scope, "scopes": [scope] });
        let made = app.post("/organizations/acme/api-keys", &team.owner, wish).await.good();
        keys.push((scope, made["key"].as_str().unwrap().to_owned()));
    }
    // Leaving and signing out come last, for everybody.
    let mut rules: Vec<_> = RULES.lines().collect();
    rules.sort_by_key(|rule| (rule.contains("/auth/logout"), rule.contains("/members/me")));
    for rule in rules {
        let (call, rule) = rule.split_once(": ").unwrap();
        let (least, scope) = rule.split_once(", ").unwrap_or((rule, ""));
        let rank = ROLES.iter().position(|role| *role == least);
        let expected = |role: usize| match least {
            "nobody" | "person" => Verdict::Through,
            "super_admin" => Verdict::Forbidden,
            _ if Some(role) >= rank => Verdict::Through,
            _ => Verdict::Forbidden,
        };
        let of_stranger = if rank.is_some() { Verdict::Nothing } else { expected(3) };
        let of_nobody = if least == "nobody" { Verdict::Through } else { Verdict::Unknown };
        let mut callers = vec![
            ("nobody", "", of_nobody),
            ("a forger", "x.y.z", of_nobody),
            ("a stranger", &stranger, of_stranger),
            ("a super admin", &team.super_admin, Verdict::Through),
        ];
        for (role, token) in [&team.viewer, &team.editor, &team.admin, &team.owner].into_iter().enumerate() {
            callers.push((ROLES[role], token, expected(role)));
        }
        for (of, key) in &keys {
            let is_through = least == "nobody" || scope == *of;
            callers.push((of, key, if is_through { Verdict::Through } else { Verdict::Forbidden }));
        }
        for (who, token, expected) in callers {
            let answer = app.bare(call, token).await;
            assert_eq!(Verdict::of(&answer), expected, "{call} as {who}: {answer:?}");
        }
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_stands_by_refuses_every_call_and_names_the_leader() {
    let database = Database::sqlite();
    let app = App::start(&database).await;
    app.stand_by("http://10.0.0.1:50051");
    for rule in RULES.lines() {
        let call = rule.split_once(": ").unwrap().0;
        let said = app.bare(call, "").await.refused(503);
        assert_eq!(said, "this coordinator stands by: `http://10.0.0.1:50051` leads", "{call}");
    }
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn au_13_without_authentication_whoever_is_here_owns_the_default_organization() {
    let database = Database::sqlite();
    let config = HttpConfig { auth: crate::http::Auth::Off, ..HttpConfig::default() };
    let app = App::start_with(&database, config).await;
    for rule in RULES.lines().filter(|rule| !rule.contains("nobody")) {
        let call = rule.split_once(": ").unwrap().0.replace("{organization}", "default");
        app.get("/runs", "").await.good();
        let verdict = Verdict::of(&app.bare(&call, "").await);
        assert!(matches!(verdict, Verdict::Through | Verdict::Forbidden), "{call}: {verdict:?}");
    }
    assert!(app.get("/auth/me", "").await.refused(403).contains("signed in"));
    let own = app.get("/organizations", "").await.good();
    assert_eq!((&own[0]["organization"]["slug"], &own[0]["role"]), (&json!("default"), &json!("owner")));
    assert_eq!(app.get("/auth/methods", "").await.good()["open"], true);
    let foreign = app.served.call(Method::GET, "/runs").header("host", "evil.example.com");
    Answer::of(foreign).await.refused(403);
    let ann = app.sign_up("ann@example.com", json!({ "organization": "Acme" })).await;
    let me = app.get("/auth/me", &ann).await.good();
    assert_eq!((&me["super_admin"], &me["memberships"][0]["organization"]["slug"]), (&json!(true), &json!("default")));
    app.end().await;
}
