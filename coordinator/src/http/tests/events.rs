//! What happens, as whoever watches is told: over WebSockets, as server-sent events, and asked for page by page.

use std::time::Duration;

use flowetl_proto::run::{Options, Timestamp};
use reqwest::Method;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::{Answer, App};
use crate::accounts::AuditEntry;
use crate::clock;
use crate::http::HttpConfig;
use crate::http::places::{LISTENERS_MAX, OF_ORGANIZATION_MAX, OF_PERSON_MAX};
use crate::tests::simulate::TEST_LIMIT;
use crate::tests::{Database, extract, load, on_both, pipeline};

on_both!(
    ap_19_who_comes_back_misses_nothing,
    mo_6_all_who_listen_are_told_and_no_other_organization,
    a_token_or_a_role_that_ends_ends_the_socket,
);

/// A WebSocket, as a page opens it.
struct Socket {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Socket {
    /// What the service answers to a page of `origin`, and the socket.
    async fn ask(app: &App, path: &str, token: &str, origin: &str) -> (String, Self) {
        let host = app.served.url.strip_prefix("http://").unwrap();
        let origin = if origin.is_empty() { format!("http://{host}") } else { origin.to_owned() };
        let asks = format!(
            "GET /api/v1{path} HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\nconnection: upgrade\r\n\
             upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             sec-websocket-protocol: flowetl, bearer.{token}\r\n\r\n"
        );
        let mut stream = TcpStream::connect(host).await.unwrap();
        stream.write_all(asks.as_bytes()).await.unwrap();
        let mut socket = Self { stream, read: Vec::new() };
        let end = loop {
            match socket.read.windows(4).position(|end| end == b"\r\n\r\n") {
                Some(end) => break end + 4,
                None => assert!(socket.more().await, "no answer: {:?}", String::from_utf8_lossy(&socket.read)),
            }
        };
        let head: Vec<u8> = socket.read.drain(..end).collect();
        (String::from_utf8(head).unwrap().to_lowercase(), socket)
    }

    /// One that is open, after its first message, and the number in that.
    async fn open(app: &App, path: &str, token: &str) -> (Self, i64) {
        let (head, mut socket) = Self::ask(app, path, token, "").await;
        assert!(head.starts_with("http/1.1 101") && head.contains("sec-websocket-protocol: flowetl\r\n"), "{head}");
        let hello = socket.next().await.unwrap();
        assert_eq!(hello["kind"], "hello");
        (socket, hello["number"].as_i64().unwrap())
    }

    /// The next that is in the log, or the code that the socket was closed with: 0 where it just ended.
    async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let (kind, text) = self.frame().await.ok_or(0_u16)?;
            match kind {
                1 => {
                    let told: Value = serde_json::from_slice(&text).unwrap();
                    if told["kind"] != "run.progress" {
                        return Ok(told);
                    }
                    assert!(told["number"].is_null() && told["detail"]["blocks"].is_object(), "{told}");
                }
                8 => return Err(u16::from_be_bytes([text[0], text[1]])),
                _ => {}
            }
        }
    }

    /// All up to the next of a kind.
    async fn until(&mut self, kind: &str) -> Vec<Value> {
        let mut all = Vec::new();
        loop {
            all.push(self.next().await.unwrap());
            if all.last().unwrap()["kind"] == kind {
                return all;
            }
        }
    }

    async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let head = self.take(2).await?;
        let length = match head[1] {
            126 => self.take(2).await?.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)),
            127 => self.take(8).await?.iter().fold(0, |all, byte| all << 8 | usize::from(*byte)),
            short => usize::from(short),
        };
        Some((head[0] & 15, self.take(length).await?))
    }

    async fn take(&mut self, length: usize) -> Option<Vec<u8>> {
        while self.read.len() < length {
            if !self.more().await {
                return None;
            }
        }
        Some(self.read.drain(..length).collect())
    }

    async fn more(&mut self) -> bool {
        let read = timeout(TEST_LIMIT, self.stream.read_buf(&mut self.read)).await.expect("an answer in time");
        read.is_ok_and(|count| count > 0)
    }
}

/// Server-sent events after the number `after`, up to the first of a kind.
async fn sent(app: &App, token: &str, after: i64, kind: &str) -> Vec<Value> {
    let request = app.served.call(Method::GET, "/events").bearer_auth(token).header(ACCEPT, "text/event-stream");
    let mut response = request.header("last-event-id", after).send().await.unwrap();
    assert_eq!(
        (response.status().as_u16(), &response.headers()[CONTENT_TYPE]),
        (200, &"text/event-stream".parse().unwrap())
    );
    let (mut text, mut all) = (String::new(), Vec::new());
    loop {
        while let Some(end) = text.find("\n\n") {
            let event: String = text.drain(..end + 2).collect();
            let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
            let Some(data) = field("data: ") else { continue };
            let told: Value = serde_json::from_str(data).unwrap();
            assert_eq!(field("event: "), told["kind"].as_str());
            assert_eq!(field("id: ").map(str::to_owned), told["number"].as_i64().map(|number| number.to_string()));
            if !["hello", "run.progress"].contains(&told["kind"].as_str().unwrap()) {
                all.push(told);
            }
            if all.last().is_some_and(|last| last["kind"] == kind) {
                return all;
            }
        }
        let chunk = timeout(TEST_LIMIT, response.chunk()).await.expect("an event in time").unwrap();
        text.push_str(std::str::from_utf8(&chunk.expect("the stream goes on")).unwrap());
    }
}

/// Runs a pipeline to its end.
async fn run(app: &App, name: &str) -> String {
    let handle = app.served.process.handle.clone();
    let blocks = vec![extract("a"), load("b", "a", "replace")];
    let run = handle.submit(pipeline(name, blocks), Options::default()).await.unwrap();
    handle.wait(&run).await.unwrap();
    run.to_string()
}

async fn ap_19_who_comes_back_misses_nothing(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let (mut socket, begin) = Socket::open(&app, "/ws", &team.viewer).await;
    let first = run(&app, "first").await;
    let mut told = socket.until("run.changed").await;
    assert_eq!((&told[0]["kind"], &told[0]["subject"]), (&json!("run.started"), &json!(first)));
    assert_eq!(told[0]["detail"]["state"], "running");
    drop(socket);
    let number = |told: &[Value]| told.last().unwrap()["number"].as_i64().unwrap();
    let (mut socket, resumed) = Socket::open(&app, &format!("/ws?after={}", number(&told)), &team.viewer).await;
    assert_eq!(resumed, number(&told));
    told.extend(socket.until("run.ended").await);
    let detail = &told.last().unwrap()["detail"];
    assert_eq!((&detail["state"], &detail["pipeline"]), (&json!("success"), &json!("first")));
    drop(socket);

    let second = run(&app, "second").await;
    told.extend(sent(&app, &team.viewer, number(&told), "run.ended").await);
    assert_eq!(told.last().unwrap()["subject"], second);
    let (mut next, mut log) = (begin, Vec::new());
    loop {
        let page = app.get(&format!("/events?after={next}&limit=2"), &team.viewer).await.good();
        let events = page["events"].as_array().unwrap();
        log.extend(events.clone());
        next = page["next"].as_i64().unwrap();
        if events.is_empty() {
            break;
        }
    }
    assert_eq!(told, log, "each once, in order");
    assert!(log.windows(2).all(|two| two[0]["number"].as_i64() < two[1]["number"].as_i64()), "{log:?}");
    let now = app.get("/organizations/acme/events", &team.viewer).await.good();
    assert_eq!((&now["events"], &now["next"]), (&json!([]), &json!(next)));

    app.served.process.handle.store().forget_news(0, 1).await.unwrap();
    app.get(&format!("/events?after={begin}"), &team.viewer).await.refused(410);
    app.get(&format!("/events?after={}", next + 1), &team.viewer).await.refused(410);
    let (head, _) = Socket::ask(&app, &format!("/ws?after={begin}"), &team.viewer, "").await;
    assert!(head.starts_with("http/1.1 410"), "{head}");
    app.end().await;
}

async fn mo_6_all_who_listen_are_told_and_no_other_organization(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Elsewhere" })).await;
    let (mut one, _) = Socket::open(&app, "/ws", &team.viewer).await;
    let (mut two, _) = Socket::open(&app, "/organizations/acme/ws", &team.admin).await;
    let (mut other, _) = Socket::open(&app, "/ws", &stranger).await;
    run(&app, "first").await;
    app.patch("/organizations/elsewhere", &stranger, json!({ "name": "Other" })).await.good();
    let told = one.until("run.ended").await;
    assert!(told.len() >= 3, "{told:?}");
    assert_eq!(two.until("run.ended").await, told);
    let of_other = other.next().await.unwrap();
    assert_eq!(of_other["kind"], "organization.changed", "nothing before: {of_other}");
    assert_eq!(of_other["detail"], json!({}), "what was changed is for admins");

    for (token, path, origin, status) in [
        (&stranger, "/organizations/acme/ws", "", 404),
        (&"x".to_owned(), "/ws", "", 401),
        (&team.viewer, "/ws", "https://evil.example.com", 403),
    ] {
        let (head, _) = Socket::ask(&app, path, token, origin).await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
    }
    app.get("/organizations/acme/events", &stranger).await.refused(404);
    app.get("/ws", &team.viewer).await.refused(400);
    app.end().await;
    assert_eq!(one.next().await, Err(1001), "the service says that it ends");
}

async fn a_token_or_a_role_that_ends_ends_the_socket(database: &Database) {
    let config = HttpConfig { patience: Duration::from_millis(100), ..HttpConfig::default() };
    let app = App::start_with(database, config).await;
    let team = app.team().await;
    let (mut viewer, _) = Socket::open(&app, "/ws", &team.viewer).await;
    assert_eq!(app.post("/auth/logout", &team.viewer, Value::Null).await.status, 204);
    assert_eq!(viewer.next().await, Err(4401));
    let (mut editor, _) = Socket::open(&app, "/ws", &team.editor).await;
    assert_eq!(app.delete("/organizations/acme/members/me", &team.editor).await.status, 204);
    let left = loop {
        if let Err(code) = editor.next().await {
            break code;
        }
    };
    assert_eq!(left, 4403);
    let (mut admin, _) = Socket::open(&app, "/ws", &team.admin).await;
    app.stand_by("http://10.0.0.1:50051");
    assert_eq!(admin.next().await, Err(1001));
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_take_what_is_sent_is_cut_off() {
    let database = Database::sqlite();
    let config = HttpConfig { patience: Duration::from_millis(100), ..HttpConfig::default() };
    let app = App::start_with(&database, config).await;
    let team = app.team().await;
    let acme =
        app.get("/organizations/acme", &team.viewer).await.good()["organization"]["id"].as_str().unwrap().to_owned();
    let (mut socket, _) = Socket::open(&app, "/ws", &team.viewer).await;
    // More than all the buffers between here and there hold.
    const COUNT: usize = 600;
    let mut directory = app.served.process.handle.store().change_directory().await.unwrap();
    for _ in 0..COUNT {
        let entry = AuditEntry {
            id: clock::new_id(),
            organization: Some(acme.clone()),
            person: None,
            api_key: None,
            address: String::new(),
            action: "run.cancelled".into(),
            subject: "x".repeat(64 << 10),
            before: None,
            after: None,
            at: Timestamp(0),
        };
        directory.audit(&entry).await.unwrap();
    }
    directory.commit().await.unwrap();
    let feed = &app.served.process.handle.inner.around.feed;
    let cut_off = async {
        while feed.listeners() > 0 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(TEST_LIMIT, cut_off).await.expect("it is not waited for");
    let mut taken = 0;
    while socket.next().await.is_ok() {
        taken += 1;
    }
    assert!(taken < COUNT, "all was sent");
    app.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_who_listen_do_not_hold_the_service_up() {
    let database = Database::sqlite();
    let app = App::start(&database).await;
    let team = app.team().await;
    let mut sockets = Vec::new();
    let mut others = Vec::new();
    let open = async |token: &str| {
        let opened = (0..OF_PERSON_MAX).map(|_| Socket::open(&app, "/ws", token));
        futures::future::join_all(opened).await
    };
    let refused = async |token: &str, status: &str| {
        let (head, mut socket) = Socket::ask(&app, "/ws", token, "").await;
        assert!(head.starts_with(&format!("http/1.1 {status}")), "{head}");
        assert!(head.contains("connection: close") && head.contains("retry-after: 10"), "{head}");
        while socket.more().await {}
        String::from_utf8(socket.read).unwrap()
    };
    sockets.extend(open(&team.viewer).await);
    let said = refused(&team.viewer, "429").await;
    assert!(said.contains("you listen 64 times already"), "{said}");
    for token in [&team.editor, &team.admin, &team.owner] {
        sockets.extend(open(token).await);
    }
    assert_eq!(sockets.len(), OF_ORGANIZATION_MAX);
    assert!(refused(&team.super_admin, "429").await.contains("256 listen to this organization"));
    for number in 0..(LISTENERS_MAX - OF_ORGANIZATION_MAX) / OF_PERSON_MAX {
        let stranger = app.sign_up(&format!("{number}@example.com"), json!({})).await;
        others.extend(open(&stranger).await);
    }
    let late = app.sign_up("late@example.com", json!({})).await;
    assert!(refused(&late, "503").await.contains("too many listen already"));
    let calls = (0..64).map(|_| app.get("/runs", &team.viewer));
    assert!(futures::future::join_all(calls).await.iter().all(|answer: &Answer| answer.status == 200));
    app.patch("/organizations/acme", &team.owner, json!({ "name": "New" })).await.good();
    for (socket, _) in &mut sockets {
        assert_eq!(socket.next().await.unwrap()["kind"], "organization.changed");
    }
    drop(sockets);
    app.end().await;
}
