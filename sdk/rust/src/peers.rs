//! The coordinators of a cluster: which of them is asked, and where the question goes when it does not answer.

use std::error::Error as _;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowetl_proto::wire::LEADER_HEADER;
use flowetl_proto::wire::v1::coordinator_client::CoordinatorClient;
use tokio::time::{Instant, sleep};
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Response, Status};

use crate::access::Bearer;
use crate::error::{innermost, other_speech};
use crate::{Access, Error, Result};

/// How long a connection may take to come about.
const CONNECT_LIMIT: Duration = Duration::from_secs(10);

/// A connection that is silent for so long is asked for a sign of life, and has as long again to give it.
const KEEPALIVE: Duration = Duration::from_secs(10);

/// How long a leader is looked for once the one before is gone: twice as long as it takes the next to lead.
const FAILOVER_LIMIT: Duration = Duration::from_secs(30);

/// The pause before the next coordinator is asked.
const FAILOVER_PAUSE: Duration = Duration::from_millis(250);

/// A thousand blocks take half a mebibyte, a thousand runs in a list as much; tests bring samples of rows.
const ANSWER_BYTES_MAX: usize = 64 << 20;

type Stub = CoordinatorClient<InterceptedService<Channel, Bearer>>;

/// All coordinators that a client was told of, and the one that answered last.
#[derive(Debug)]
pub(crate) struct Peers {
    servers: String,
    urls: Vec<String>,
    access: Access,
    current: Mutex<Peer>,
}

#[derive(Clone, Debug)]
struct Peer {
    url: String,
    stub: Stub,
}

/// Whether a question may be asked again although it may have been heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    Safe,
    Never,
}

/// Who may answer instead.
#[derive(Debug, PartialEq, Eq)]
enum Elsewhere {
    Leader(String),
    Others,
}

impl Peers {
    /// Connects to the first of `servers`, which has commas between URLs, that takes a connection.
    pub(crate) async fn connect(servers: &str, access: Access) -> Result<Self> {
        let urls: Vec<String> = servers.split(',').map(|url| url.trim().to_owned()).collect();
        let mut refused = None;
        for url in &urls {
            match open(url, &access).await {
                Ok(stub) => {
                    let current = Mutex::new(Peer { url: url.clone(), stub });
                    return Ok(Self { servers: servers.to_owned(), urls, access, current });
                }
                Err(error @ Error::Unreachable { .. }) => refused = Some(error),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| Error::Address(servers.to_owned())))
    }

    pub(crate) fn servers(&self) -> &str {
        &self.servers
    }

    /// The URL of the one that is asked now.
    pub(crate) fn current_url(&self) -> String {
        self.current().url.clone()
    }

    fn current(&self) -> MutexGuard<'_, Peer> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks until the one that leads has answered.
    pub(crate) async fn ask<T, A>(&self, repeat: Repeat, call: impl Fn(Stub) -> A) -> Result<T>
    where
        A: Future<Output = Result<Response<T>, Status>>,
    {
        let deadline = Instant::now() + FAILOVER_LIMIT;
        loop {
            let peer = self.current().clone();
            match call(peer.stub).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => self.leave(&peer.url, status, repeat, deadline).await?,
            }
        }
    }

    /// Goes on with another coordinator where `status`, of the one at `url`, leaves that open; else fails with it.
    async fn leave(&self, url: &str, status: Status, repeat: Repeat, deadline: Instant) -> Result<()> {
        let elsewhere = self.elsewhere(&status, repeat).filter(|_| Instant::now() < deadline);
        let Some(elsewhere) = elsewhere else { return Err(Error::of(url, status)) };
        if self.current_url() != url {
            // Whoever shares this client has gone on already.
            return Ok(());
        }
        let mut next = match elsewhere {
            Elsewhere::Leader(leader) if leader != url => leader,
            _ => {
                sleep(FAILOVER_PAUSE).await;
                self.after(url)
            }
        };
        loop {
            match open(&next, &self.access).await {
                Ok(stub) => {
                    *self.current() = Peer { url: next, stub };
                    return Ok(());
                }
                Err(error) if Instant::now() >= deadline || !matches!(error, Error::Unreachable { .. }) => {
                    return Err(error);
                }
                Err(_) => {
                    sleep(FAILOVER_PAUSE).await;
                    next = self.after(&next);
                }
            }
        }
    }

    /// What to do once a stream that may be asked for again has broken off with `status`.
    pub(crate) async fn reconnect(&self, url: &str, status: Status) -> Result<()> {
        self.leave(url, status, Repeat::Safe, Instant::now() + FAILOVER_LIMIT).await
    }

    fn elsewhere(&self, status: &Status, repeat: Repeat) -> Option<Elsewhere> {
        let has_others = self.urls.len() > 1;
        match status.metadata().get(LEADER_HEADER).map(|url| url.to_str().unwrap_or_default()) {
            // It has done nothing, and says so.
            Some("") => has_others.then_some(Elsewhere::Others),
            Some(leader) => Some(Elsewhere::Leader(leader.to_owned())),
            None => (has_others && repeat == Repeat::Safe && is_broken(status)).then_some(Elsewhere::Others),
        }
    }

    /// The one after `url` in the order they were named; the first after one that was not.
    fn after(&self, url: &str) -> String {
        let at = self.urls.iter().position(|named| named == url).map_or(0, |at| at + 1);
        self.urls[at % self.urls.len()].clone()
    }
}

/// Whether the connection failed: what a coordinator answers has no cause on this side.
fn is_broken(status: &Status) -> bool {
    let may_be = matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown | Code::Internal);
    may_be && status.source().is_some()
}

async fn open(url: &str, access: &Access) -> Result<Stub> {
    let endpoint = access
        .endpoint(url)?
        .connect_timeout(CONNECT_LIMIT)
        .tcp_nodelay(true)
        .http2_keep_alive_interval(KEEPALIVE)
        .keep_alive_timeout(KEEPALIVE);
    let channel = endpoint.connect().await.map_err(|e| {
        let reason = innermost(&e).unwrap_or_else(|| e.to_string());
        let reason = other_speech(&reason).map_or(reason, str::to_owned);
        Error::Unreachable { url: url.to_owned(), reason }
    })?;
    let stub = CoordinatorClient::with_interceptor(channel, access.bearer());
    Ok(stub.max_decoding_message_size(ANSWER_BYTES_MAX))
}
