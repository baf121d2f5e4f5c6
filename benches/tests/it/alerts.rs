//! Whoever is to hear of a failed run hears of it, and that it is over, from the program itself; also across its end.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{Served, World};

/// How long an alert may take, on a busy machine.
const TOLD_LIMIT: Duration = Duration::from_secs(120);

/// Takes calls over HTTP: each with the status that it was answered with, from `replies` and 200 after those.
fn receiver(replies: &'static [u16]) -> (String, mpsc::Receiver<(u16, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut replies = replies.iter().copied();
        for stream in listener.incoming() {
            let mut stream = BufReader::new(stream.unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                stream.read_line(&mut line).unwrap();
                if let Some(found) = line.strip_prefix("content-length: ") {
                    length = found.trim().parse().unwrap();
                }
                if line.trim().is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            stream.read_exact(&mut body).unwrap();
            let status = replies.next().unwrap_or(200);
            stream.get_mut().write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").as_bytes()).unwrap();
            if tell.send((status, serde_json::from_slice(&body).unwrap())).is_err() {
                return;
            }
        }
    });
    (url, told)
}

#[test]
fn nr_2_a_failed_run_is_told_until_it_is_heard_and_that_it_is_over() {
    let world = World::new();
    let (url, told) = receiver(&[500]);
    let next = || told.recv_timeout(TOLD_LIMIT).expect("an alert comes");
    let serving = Served::start(&world);
    let wish = json!({ "name": "ops", "kind": "webhook", "url": url });
    serving.post("/alerts/destinations", &wish);
    let text = format!(
        "name: orders\nfrom: {folder}/in.csv\nto: {folder}/out.parquet\nretries: {{max: 0}}\n\
         alerts: {{on: [failed, recovered], to: ops}}\n",
        folder = world.folder().display()
    );
    let applied = serving.post("/pipelines/apply", &json!({ "text": text }));
    let run = format!("/pipelines/{}/run", applied["id"].as_str().unwrap());
    serving.post(&run, &json!({}));
    let (status, first) = next();
    assert_eq!((status, &first["type"]), (500, &json!("pipeline.failed")), "{first}");
    assert_eq!(first["data"]["pipeline"], "orders");
    // What was not taken is told again, by whoever comes next.
    serving.end();
    let serving = Served::start(&world);
    assert_eq!(next(), (200, first));
    world.write("in.csv", "id\n1\n");
    serving.post(&run, &json!({}));
    let (status, over) = next();
    assert_eq!((status, &over["type"]), (200, &json!("pipeline.recovered")), "{over}");
    serving.end();
}
