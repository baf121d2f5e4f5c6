//! The program as it serves REST, and calls of it.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Running, World};

/// How long an answer may take, on a busy machine.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);
const RATE_PAUSE: Duration = Duration::from_millis(100);

/// `flowetl up` that lets whoever is here do everything.
pub struct Served {
    pub process: Running,
    /// `http://host:port`.
    pub http: String,
}

impl Served {
    pub fn start(world: &World) -> Self {
        Self::of(world.start(&["up", "--listen", "127.0.0.1:0", "--auth", "off"]))
    }

    /// A process that begins to serve.
    pub fn of(mut process: Running) -> Self {
        let http = process.says("HTTP at ").split([' ', ',']).nth(2).unwrap().to_owned();
        Self { process, http }
    }

    /// What a call is answered with: its status and all of its text.
    pub fn call(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let address = self.http.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(ANSWER_LIMIT)).unwrap();
        let body = body.to_string();
        let head = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        stream.write_all((head + &body).as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        (answer.split(' ').nth(1).unwrap().parse().unwrap(), answer)
    }

    /// The document of a call that went well. Who has asked too often waits a little and asks again.
    pub fn good(&self, method: &str, path: &str, body: &Value) -> Value {
        let (mut status, mut answer) = self.call(method, path, body);
        let started = Instant::now();
        while status == 429 && started.elapsed() < ANSWER_LIMIT {
            thread::sleep(RATE_PAUSE);
            (status, answer) = self.call(method, path, body);
        }
        assert!(status < 300, "{method} {path}: {answer}");
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_default()
    }

    pub fn get(&self, path: &str) -> Value {
        self.good("GET", path, &Value::Null)
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        self.good("POST", path, body)
    }

    /// Ends it as whoever keeps it would.
    pub fn end(self) {
        self.process.signal("TERM");
        self.process.wait().expect(0);
    }
}
