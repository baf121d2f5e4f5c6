//! A node as one executor of a cluster: it announces itself in etcd and answers its coordinator over gRPC.
//!
//! The announcement says that this process lives, the stream of reports that its coordinator does. Neither decides what is
//! true: what an attempt may publish is guarded by its token, where it publishes.

mod announce;
mod desk;
mod outbox;
mod service;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "bench"))]
mod unannounced;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use flowetl_proto::VERSION;
use flowetl_proto::announcement::Announcement;
use flowetl_proto::control::{AttemptEvent, Executor};
use flowetl_proto::etcd::Etcd;
use flowetl_proto::id::{ExecutorId, RunId, Token};
use flowetl_proto::trust::Trust;
use flowetl_proto::wire::MESSAGE_BYTES_MAX;
use flowetl_proto::wire::v1::executor_server::ExecutorServer;
use flowetl_proto::wire::v1::tasks_server::TasksServer;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::service::InterceptorLayer;
use tonic::transport::server::{Server, TcpIncoming};
use url::Url;

use self::desk::Desk;
use self::service::Service;
#[cfg(any(test, feature = "bench"))]
pub(crate) use self::unannounced::serve_unannounced;
use crate::gate::Gate;
use crate::inspect::Here;
use crate::node::Surroundings;
use crate::remote::{Host, RESETS_MAX, RowService, STREAMS_MAX, TaskService};
use crate::{Error, NodeConfig, Result};

/// Events between the node and what is held for the coordinator, which takes them at once.
const EVENTS_WAITING_MAX: usize = 256;
/// How long no coordinator may listen before running attempts are ended: longer than a coordinator takes to be started
/// again, and shorter than it waits for an executor that it cannot reach.
const ABSENCE_LIMIT: Duration = Duration::from_secs(60);
/// How long attempts that were told to end may take, and their coordinator to hear of it.
const END_LIMIT: Duration = Duration::from_secs(5);
/// How long open connections are waited for at the end; coordinators have no reason to keep one.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// How often an open connection is asked whether its other end is still there, and how long that may take: together less
/// than a lease in etcd lasts.
const KEEPALIVE: Duration = Duration::from_secs(3);
const KEEPALIVE_LIMIT: Duration = Duration::from_secs(5);

/// What an executor of a cluster is told at its start.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Where the coordinator and other executors reach this process: `http://host:port`, or `https://` where `trust` has
    /// certificates.
    pub url: String,
    /// Who may call, and how this process knows them.
    pub trust: Trust,
    /// Attempts that it works on at once; at least one.
    pub slots: u32,
    pub etcd: Etcd,
    /// What the keys in etcd begin with.
    pub prefix: String,
    /// How long attempts may take to end by themselves once `stop` was asked for.
    pub drain_limit: Duration,
    /// How long no coordinator may listen before running attempts are ended. Usually [`Self::ABSENCE_LIMIT`].
    pub absence_limit: Duration,
}

impl ServerConfig {
    /// The usual limit.
    pub const ABSENCE_LIMIT: Duration = ABSENCE_LIMIT;
}

/// Works as an executor until `stop` or until a coordinator asks it to end, then finishes what it has and returns. Rows move on `data`, which is better not the
/// runtime that this is called on: a lease must be renewed also while all its threads compute.
pub async fn serve(
    node: NodeConfig,
    config: ServerConfig,
    listener: TcpListener,
    data: Handle,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    let (sender, events) = mpsc::channel(EVENTS_WAITING_MAX);
    let inspector = Here::new(node.clone(), data.clone());
    let id = ExecutorId::new(uuid::Uuid::now_v7().to_string());
    let url = Url::parse(&config.url);
    let url = url.map_err(|e| Error::user(format!("`{}` is no address", config.url)).because(e))?;
    let host = Arc::new(Host::new(id.clone(), url, config.trust.clone(), Handle::current()));
    let surroundings = Surroundings::new(node, data.clone(), Some(Arc::clone(&host)));
    let node = crate::Node::start_in(surroundings, sender).await?;
    let desk = Arc::new(Desk::new(config.absence_limit));
    let end = CancellationToken::new();
    let announcement = Announcement {
        id: id.clone(),
        url: config.url.clone(),
        version: VERSION.to_owned(),
        slots: config.slots.max(1),
        draining: false,
    };
    let (announced, announcements) = watch::channel(announcement);

    let collecting = tokio::spawn(collect(Arc::clone(&desk), events));
    let guarding = tokio::spawn(guard(Arc::clone(&desk), node.clone()));
    let announcing =
        tokio::spawn(announce::announce(config.etcd.clone(), config.prefix.clone(), announcements, end.clone()));
    let gate = Gate::new(config.trust.key.clone());
    let asked = CancellationToken::new();
    let services = Services::new(&host, &node, inspector, &desk, data, asked.clone(), &gate);
    let serving = tokio::spawn(listen(services, gate, config.trust, listener, end.clone()));

    tokio::pin!(serving);
    tokio::select! {
        () = stop => {}
        () = asked.cancelled() => {}
        ended = &mut serving => {
            end.cancel();
            return flatten(ended);
        }
    }
    announced.send_modify(|announcement| announcement.draining = true);
    drain(&desk, &host, &node, config.drain_limit).await;
    node.surroundings().journal.close().await;
    end.cancel();
    desk.close_stream();
    // The announcement goes first, so that the coordinator finds nobody missing.
    let withdrawn = timeout(announce::CALL_LIMIT, announcing).await;
    if !matches!(withdrawn, Ok(Ok(()))) {
        tracing::warn!("the announcement could not be withdrawn; it ends with its lease");
    }
    guarding.abort();
    collecting.abort();
    // Connections that are still open end with the process.
    timeout(CLOSE_LIMIT, serving).await.map_or(Ok(()), flatten)
}

fn flatten(ended: Result<Result<()>, tokio::task::JoinError>) -> Result<()> {
    ended.unwrap_or_else(|error| Err(Error::internal("the server ended early").because(error)))
}

/// All that is served.
struct Services {
    service: Service,
    tasks: TaskService,
    rows: RowService,
}

impl Services {
    fn new(
        host: &Arc<Host>,
        node: &crate::Node,
        inspector: Here,
        desk: &Arc<Desk>,
        data: Handle,
        drain: CancellationToken,
        gate: &Gate,
    ) -> Self {
        Self {
            service: Service::new(host.id.clone(), node.clone(), inspector, Arc::clone(desk), drain, gate.clone()),
            tasks: TaskService::new(Arc::clone(host), Arc::clone(node.surroundings()), gate.clone()),
            rows: RowService::new(Arc::clone(host), data, gate.clone()),
        }
    }
}

/// The one place where services are served: all of them behind the same certificates and the same gate.
async fn listen(
    services: Services,
    gate: Gate,
    trust: Trust,
    listener: TcpListener,
    end: CancellationToken,
) -> Result<()> {
    let service = ExecutorServer::new(services.service)
        .max_decoding_message_size(MESSAGE_BYTES_MAX)
        .max_encoding_message_size(MESSAGE_BYTES_MAX);
    let mut server = Server::builder();
    if let Some(tls) = &trust.tls {
        let unfit = |e| Error::internal("the certificates of this executor cannot be used").because(e);
        server = server.tls_config(tls.server()).map_err(unfit)?;
    }
    server
        .max_concurrent_streams(STREAMS_MAX)
        .http2_max_pending_accept_reset_streams(Some(RESETS_MAX))
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE_LIMIT))
        .layer(InterceptorLayer::new(gate))
        .add_service(service)
        .add_service(TasksServer::new(services.tasks))
        .add_service(services.rows)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener).with_nodelay(Some(true)), end.cancelled_owned())
        .await
        .map_err(|e| Error::internal("the server of this executor failed").because(e))
}

/// Takes what the node tells as soon as it does, so that no attempt ever waits for the network.
async fn collect(desk: Arc<Desk>, mut events: mpsc::Receiver<AttemptEvent>) {
    while let Some(event) = events.recv().await {
        desk.change(|outbox| outbox.push(event));
    }
}

/// Ends running attempts whose coordinator has not been heard of for too long: by then it has given them up.
async fn guard(desk: Arc<Desk>, node: crate::Node) {
    loop {
        let failure = desk.deserted().await;
        tracing::warn!("no coordinator listens: running attempts are ended");
        cancel_all(&node, desk.change(|outbox| outbox.end_running(&failure))).await;
    }
}

/// Takes nothing new and waits for what is here; what does not end in time is ended, to be done again elsewhere.
async fn drain(desk: &Desk, host: &Host, node: &crate::Node, limit: Duration) {
    desk.refuse_new();
    let done = async {
        desk.empty().await;
        host.idle().await;
    };
    if timeout(limit, done).await.is_ok() {
        return;
    }
    tracing::warn!(limit_s = limit.as_secs(), "attempts have not ended in time and are ended now");
    cancel_all(node, desk.change(|outbox| outbox.end_running(&desk::drained()))).await;
    if timeout(END_LIMIT, desk.empty()).await.is_err() {
        tracing::warn!("this executor ends with attempts that its coordinator has not heard the end of");
    }
}

async fn cancel_all(node: &crate::Node, running: Vec<(RunId, Token)>) {
    for (run, token) in running {
        if let Err(failure) = node.cancel(run, token, END_LIMIT).await {
            tracing::warn!(%token, reason = failure.message, "an attempt cannot be ended");
        }
    }
}
