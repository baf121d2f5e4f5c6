//! Connections: taken, encrypted where there is a certificate, answered by the router, ended when the service stops.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use flowetl_proto::trust::{Certificate, HANDSHAKE_LIMIT};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::{Error, Result};

/// Connections at once: more than a few hundred consoles hold open, fewer than a process may have files. Others wait to be
/// taken.
const CONNECTIONS_MAX: usize = 512;
/// How long a client may take to say what it asks for.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// The head of a request: a token, cookies of other services on this host, and a long path.
const HEADER_BYTES_MAX: usize = 64 << 10;
/// Calls at once over one connection of HTTP/2: a page's first look. With the largest body each, all connections together
/// hold a gibibyte.
const CALLS_MAX: u32 = 32;
/// Who is silent for so long on HTTP/2 is asked for a sign of life, and has as long again to give it.
const KEEPALIVE: Duration = Duration::from_secs(20);
/// The pause after a connection could not be taken: too many files are open, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long calls under way may take to end once the service stops.
const STOP_LIMIT: Duration = Duration::from_secs(3);

/// Who is at the other end of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub SocketAddr);

/// Answers with `router` until `stop`, then lets what is under way end.
pub(super) async fn serve(
    listener: TcpListener,
    certificate: Option<&Certificate>,
    router: Router,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let tls = certificate.map(Certificate::http_server).transpose().map_err(|e| Error::Serve(e.into()))?;
    let tls = tls.map(|config| TlsAcceptor::from(Arc::new(config)));
    let (stopping, tasks) = (CancellationToken::new(), TaskTracker::new());
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    tokio::pin!(stop);
    loop {
        let taken = async {
            // It is never closed.
            let place = Arc::clone(&room).acquire_owned().await.ok();
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            taken = taken => taken,
            () = &mut stop => break,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (router, tls, stopping) = (router.clone(), tls.clone(), stopping.clone());
        tasks.spawn(async move {
            converse(stream, peer, tls, router, stopping).await;
            drop(place);
        });
    }
    drop(listener);
    stopping.cancel();
    tasks.close();
    if timeout(STOP_LIMIT, tasks.wait()).await.is_err() {
        tracing::warn!("calls over HTTP were under way when the service stopped, and were cut off");
    }
    Ok(())
}

/// One connection, to its end.
async fn converse(
    stream: TcpStream,
    peer: SocketAddr,
    tls: Option<TlsAcceptor>,
    router: Router,
    stopping: CancellationToken,
) {
    // Only a matter of speed.
    let _ = stream.set_nodelay(true);
    let Some(tls) = tls else { return answer(stream, peer, router, stopping).await };
    match timeout(HANDSHAKE_LIMIT, tls.accept(stream)).await {
        Ok(Ok(stream)) => answer(stream, peer, router, stopping).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a connection was not encrypted"),
        Err(_) => tracing::debug!(%peer, "a connection was not encrypted in time"),
    }
}

async fn answer(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) {
    let asked = Arc::new(AtomicBool::new(false));
    let asks = Arc::clone(&asked);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        asks.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(Peer(peer));
        if let Some(uri) = without_slash(request.uri()) {
            *request.uri_mut() = uri;
        }
        router.clone().oneshot(request)
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_LIMIT).max_buf_size(HEADER_BYTES_MAX);
    let mut http2 = builder.http2();
    http2.timer(TokioTimer::new()).keep_alive_interval(KEEPALIVE).keep_alive_timeout(KEEPALIVE);
    http2.max_concurrent_streams(CALLS_MAX);
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    // Which protocol it is to be is waited for without a limit otherwise.
    let silent = async {
        sleep(HEADER_LIMIT).await;
        if asked.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    let done = tokio::select! {
        done = connection.as_mut() => done,
        () = silent => return tracing::debug!(%peer, "a connection was opened, and nothing asked"),
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = done {
        tracing::debug!(%peer, error, "a connection broke off");
    }
}

/// The same place without the slash at the end of its path, where there is one.
fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/').filter(|path| !path.is_empty())?;
    let text = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slash_at_the_end_does_not_count() {
        let shortened = |text: &str| without_slash(&text.parse().unwrap()).map(|uri| uri.to_string());
        assert_eq!(shortened("/api/v1/runs/").as_deref(), Some("/api/v1/runs"));
        assert_eq!(shortened("/runs/?state=failed/").as_deref(), Some("/runs?state=failed/"));
        assert_eq!(shortened("http://host/runs/").as_deref(), Some("http://host/runs"));
        assert_eq!([shortened("/"), shortened("/runs"), shortened("/runs?a=/")], [None, None, None]);
    }
}
