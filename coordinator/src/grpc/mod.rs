//! The service that command line and SDKs speak, `flowetl.v1.Coordinator`, over a [`crate::Handle`].

mod access;
mod seat;
mod service;
mod status;
mod tokens;

use std::future::Future;
use std::time::Duration;

use flowetl_proto::wire::v1::coordinator_server::CoordinatorServer;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::service::InterceptorLayer;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

pub use self::access::Access;
use self::access::Gate;
pub use self::seat::Seat;
pub(crate) use self::seat::while_leading;
use self::service::Service;
pub use self::tokens::Tokens;
use crate::{Error, Result};

/// A pipeline file has at most a mebibyte, and so has its `connections.yml`; overrides are a few URLs.
const REQUEST_BYTES_MAX: usize = 4 << 20;

/// Who follows a run and is silent for so long is asked for a sign of life, and has as long again to give it: a client
/// whose machine went away must not be held for ever.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// How long calls under way may take to end once the service stops. Streams are ended at once; what is left are writes
/// to the metadata database.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// Serves as what `seat` says until `stop`, then ends what is under way: who follows a run is told that the coordinator
/// stops. Runs are left as they are. The one place where services are served: all of them behind `access`.
pub async fn serve(
    listener: TcpListener,
    seat: watch::Receiver<Seat>,
    access: Access,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let stopping = CancellationToken::new();
    let service = Service::new(seat, stopping.clone());
    let service = CoordinatorServer::new(service).max_decoding_message_size(REQUEST_BYTES_MAX);
    let mut server = Server::builder();
    if let Some(certificate) = &access.certificate {
        server = server.tls_config(certificate.server()).map_err(|e| Error::Serve(e.into()))?;
    }
    let serving = server
        .http2_keepalive_interval(Some(KEEPALIVE))
        .http2_keepalive_timeout(Some(KEEPALIVE))
        .layer(InterceptorLayer::new(Gate::new(access.tokens.as_ref())))
        .add_service(service)
        .serve_with_incoming_shutdown(
            TcpIncoming::from(listener).with_nodelay(Some(true)),
            stopping.clone().cancelled_owned(),
        );
    tokio::pin!(serving);
    tokio::select! {
        done = &mut serving => return done.map_err(|e| Error::Serve(e.into())),
        () = watched(access.tokens.as_ref()) => {}
        () = stop => {}
    }
    stopping.cancel();
    match timeout(STOP_LIMIT, serving).await {
        Ok(done) => done.map_err(|e| Error::Serve(e.into())),
        Err(_) => {
            tracing::warn!("calls were under way when the service stopped, and were cut off");
            Ok(())
        }
    }
}

/// Keeps the tokens as their file has them; never ends.
async fn watched(tokens: Option<&Tokens>) {
    match tokens {
        Some(tokens) => tokens.watch().await,
        None => std::future::pending().await,
    }
}
