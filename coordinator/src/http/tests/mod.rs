//! The service over loopback, asked by a real HTTP client: what each call answers.

mod alerts;
mod app;
mod backups;
mod connections;
mod console;
mod discovery;
mod events;
mod files;
mod identity;
mod lineage;
mod model;
mod people;
mod pipelines;
mod rules;
mod runs;
mod service;
mod teams;
mod transformations;
mod triggers;
mod upgrade;

use std::sync::{Arc, Mutex};

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use self::app::App;
use super::HttpConfig;
use crate::connections::tests::Fake;
use crate::grpc::Seat;
use crate::tests::Database;
use crate::tests::simulate::{Process, TEST_LIMIT, world};
use crate::tests::world::World;

/// The service, and a client of it.
pub(super) struct Served {
    pub process: Process,
    pub client: Client,
    /// `http://host:port`.
    pub url: String,
    pub seat: watch::Sender<Seat>,
    pub world: Arc<Mutex<World>>,
    /// What tests connections.
    pub fake: Arc<Fake>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<crate::Result<()>>,
}

/// What a call was answered with.
#[derive(Debug)]
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Answer {
    pub(super) async fn of(request: RequestBuilder) -> Self {
        let response = timeout(TEST_LIMIT, request.send()).await.expect("an answer in time").unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Self { status, headers, text: response.text().await.unwrap() }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|e| panic!("{e}: {self:?}"))
    }

    /// The document of a call that went well.
    pub(super) fn good(&self) -> Value {
        assert!(self.status.is_success(), "{self:?}");
        self.json()
    }

    /// The problem's detail, of a call that was refused with `status`.
    pub(super) fn refused(&self, status: u16) -> String {
        assert_eq!(self.status.as_u16(), status, "{self:?}");
        assert_eq!(self.headers[CONTENT_TYPE], "application/problem+json");
        let problem = self.json();
        assert_eq!((&problem["status"], &problem["type"]), (&status.into(), &"about:blank".into()));
        problem["detail"].as_str().unwrap().to_owned()
    }
}

impl Served {
    pub(super) async fn start(database: &Database, config: HttpConfig) -> Self {
        let world = world(&[]);
        let process = Process::start(database, &world).await;
        let fake = Arc::new(Fake::default());
        let roster = fake.clone();
        let (seat, seats) = watch::channel(Seat::Leads { handle: process.handle.clone(), roster });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let scheme = if config.certificate.is_some() { "https" } else { "http" };
        let url = format!("{scheme}://{}", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(super::serve(listener, seats, config, async { drop(stopped.await) }));
        Self { process, client: Client::new(), url, seat, world, fake, stop, serving }
    }

    /// A call of an endpoint: `/runs`.
    pub(super) fn call(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/api/v1{path}", self.url))
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        Answer::of(self.client.get(format!("{}{path}", self.url))).await
    }

    pub(super) async fn end(self) {
        self.stop.send(()).unwrap();
        drop(self.client);
        timeout(TEST_LIMIT, self.serving).await.unwrap().unwrap().unwrap();
        self.seat.send_replace(Seat::StandsBy { leader: None });
        self.process.die().await;
    }
}
