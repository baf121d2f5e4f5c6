//! More than a service is for: sockets by the thousand, clients that do not go on, bodies without an end. It answers others.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::world::World;

/// Those that one person opens, where a process may have so many files.
const SOCKETS: usize = 10_000;
/// Of which so many are let in.
const OF_PERSON: usize = 64;
/// Files that the test has open beside its sockets.
const SPARE_FILES: usize = 1_000;
/// Clients that begin to say something, and do not go on.
const SLOW: usize = 200;
/// Opened together.
const AT_ONCE: usize = 200;
/// How long an answer may take here, also on a busy machine.
const ANSWER_LIMIT: Duration = Duration::from_secs(100);
/// Of a debug build.
const MEMORY_MAX: u64 = 640 << 20;
const GIB: u64 = 1 << 30;

/// Where the service is.
#[derive(Clone)]
struct Service(String);

impl Service {
    /// A connection with something said over it.
    async fn say(&self, words: &str) -> TcpStream {
        let said = async {
            let mut stream = TcpStream::connect(&self.0).await.unwrap();
            stream.write_all(words.as_bytes()).await.unwrap();
            stream
        };
        timeout(ANSWER_LIMIT, said).await.expect("it is listened to")
    }

    /// The status and the text of an answer.
    async fn call(&self, method: &str, path: &str, token: &str, body: &str) -> (u16, String) {
        let head = head(&self.0, method, path, token, body.len() as u64);
        heard(self.say(&format!("{head}Connection: close\r\n\r\n{body}")).await).await
    }

    /// The access token of someone who signs up.
    async fn sign_up(&self, email: &str) -> String {
        let wish = json!({ "email": email, "password": "correct horse", "name": "Someone" });
        let (status, text) = self.call("POST", "/auth/register", "", &wish.to_string()).await;
        assert_eq!(status, 201, "{text}");
        let tokens: Value = serde_json::from_str(text.split_once("\r\n\r\n").unwrap().1).unwrap();
        tokens["access_token"].as_str().unwrap().to_owned()
    }

    /// Fails unless others are answered.
    async fn is_there(&self, token: &str) {
        for path in ["/health", "/connections", "/runs"] {
            let (status, text) = self.call("GET", path, token, "").await;
            assert_eq!(status, 200, "{path}: {text}");
        }
    }

    /// A WebSocket that is asked for, and the status of the answer.
    async fn socket(&self, token: &str) -> (u16, TcpStream) {
        let asks = format!(
            "GET /api/v1/ws HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nConnection: upgrade\r\n\
             Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            self.0
        );
        let mut stream = self.say(&asks).await;
        let mut start = [0; 12];
        timeout(ANSWER_LIMIT, stream.read_exact(&mut start)).await.expect("an answer in time").unwrap();
        (std::str::from_utf8(&start[9..]).unwrap().parse().unwrap(), stream)
    }
}

fn head(host: &str, method: &str, path: &str, token: &str, length: u64) -> String {
    let who = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    format!(
        "{method} /api/v1{path} HTTP/1.1\r\nHost: {host}\r\n{who}Content-Type: application/json\r\n\
         Content-Length: {length}\r\n"
    )
}

/// What is answered until the connection ends.
async fn heard(mut stream: TcpStream) -> (u16, String) {
    let mut answer = Vec::new();
    // It may be cut off behind the answer, where not all was read that was sent.
    let _ = timeout(ANSWER_LIMIT, stream.read_to_end(&mut answer)).await.expect("an answer in time");
    let text = String::from_utf8_lossy(&answer).into_owned();
    (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), text)
}

/// Files that this process may have open.
fn files() -> usize {
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX)
}

#[test]
fn of_ten_thousand_sockets_few_are_let_in_and_slow_and_endless_calls_hold_nobody_up() {
    let sockets = SOCKETS.min(files().saturating_sub(SPARE_FILES));
    assert!(sockets > 1_000, "raise the limit of open files (`ulimit -n 12288`): {}", files());
    let world = World::new();
    let mut serving = world.start(&["up", "--listen", "127.0.0.1:0"]);
    let service = Service(serving.says("HTTP at ").split([' ', ',']).nth(2).unwrap().replace("http://", ""));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let (ann, bob) = (service.sign_up("ann@example.com").await, service.sign_up("bob@example.com").await);
        let mut slow = Vec::new();
        for number in 0..SLOW {
            let begun = match number % 2 {
                0 => "GET /api/v1/health HTTP/1.1\r\nHost: a\r\nX-Slow: ".to_owned(),
                _ => format!("{}\r\n{{\"a", head("a", "POST", "/auth/refresh", "", 60_000)),
            };
            slow.push(service.say(&begun).await);
        }
        service.is_there(&bob).await;
        let opened = open(&service, &ann, sockets).await;
        let of = |wanted: u16| opened.iter().filter(|(status, _)| *status == wanted).count();
        assert_eq!((of(101), of(429)), (OF_PERSON, sockets - OF_PERSON));
        service.is_there(&bob).await;
        drop((opened, slow));
        endless(&service, &bob).await;
        service.is_there(&bob).await;
    });
    assert!(serving.runs());
    let memory = serving.peak_memory();
    assert!(memory < MEMORY_MAX, "it held {} MiB", memory >> 20);
    serving.signal("TERM");
    serving.wait().expect(0);
}

/// Opens sockets and keeps them, also those that are not let in.
async fn open(service: &Service, token: &str, count: usize) -> Vec<(u16, TcpStream)> {
    let mut opened = Vec::new();
    while opened.len() < count {
        let more = AT_ONCE.min(count - opened.len());
        opened.extend(futures::future::join_all((0..more).map(|_| service.socket(token))).await);
    }
    opened
}

/// A body that says it is a gibibyte.
async fn endless(service: &Service, token: &str) {
    let head = head(&service.0, "POST", "/connections", token, GIB);
    let (status, text) = heard(service.say(&format!("{head}\r\n{{")).await).await;
    assert_eq!(status, 413, "{text}");
}
