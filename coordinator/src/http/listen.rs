//! Connections: taken, encrypted where there is a certificate, answered by the endpoints, ended when the service stops.

use std::time::Duration;

use actix_web::dev::Server;
use actix_web::middleware::{NormalizePath, from_fn};
use actix_web::{App, HttpServer};
use flowetl_proto::trust::{Certificate, HANDSHAKE_LIMIT};
use socket2::SockRef;
use tokio::net::TcpListener;

use super::places::LISTENERS_MAX;
use super::{Site, headers, routes};
use crate::{Error, Result};

/// Threads that read calls and write answers; all else is done on the process's own.
const WORKERS: usize = 2;
/// Connections at once: all who may listen for what happens, and half as many for calls; fewer than a process may have files.
/// With the largest body each they hold 48 MiB. Others wait to be taken.
const CONNECTIONS_MAX: usize = LISTENERS_MAX + LISTENERS_MAX / 2;
/// How long a client may take to say what it asks for.
const HEADER_LIMIT: Duration = Duration::from_secs(10);
/// How long a connection is kept that nothing is asked over: longer than a console is silent while it is looked at.
const IDLE_LIMIT: Duration = Duration::from_secs(60);
/// How long who still sends is listened to after the answer, which they do not hear otherwise.
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// How long what is sent may wait to be taken: who is slower, or gone without a word, is cut off.
const SEND_LIMIT: Duration = Duration::from_secs(20);
/// How long calls under way may take to end once the service stops, in seconds.
const STOP_SECONDS: u64 = 3;

/// Answers for `site` until `stop`, then lets what is under way end.
pub(super) async fn serve(
    listener: TcpListener,
    certificate: Option<&Certificate>,
    site: Site,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let failed = |e: std::io::Error| Error::Serve(e.into());
    // What is accepted has the option of what listens.
    SockRef::from(&listener).set_tcp_user_timeout(Some(SEND_LIMIT)).map_err(failed)?;
    let stopping = site.stopping.clone();
    let server = start(listener.into_std().map_err(failed)?, certificate, site)?;
    let ends = server.handle();
    tokio::pin!(server);
    tokio::select! {
        ended = &mut server => return ended.map_err(failed),
        () = stop => {}
    }
    stopping.cancel();
    let ((), ended) = tokio::join!(ends.stop(true), &mut server);
    ended.map_err(failed)
}

fn start(listener: std::net::TcpListener, certificate: Option<&Certificate>, site: Site) -> Result<Server> {
    let server = HttpServer::new(move || {
        App::new()
            .app_data(site.clone())
            .configure(routes::serve)
            .wrap(from_fn(headers::bound))
            // A slash at the end does not count.
            .wrap(NormalizePath::trim())
    });
    let server = server
        .workers(WORKERS)
        .max_connections(CONNECTIONS_MAX / WORKERS)
        .client_request_timeout(HEADER_LIMIT)
        .client_disconnect_timeout(CLOSE_LIMIT)
        .keep_alive(IDLE_LIMIT)
        .tcp_nodelay(true)
        .tls_handshake_timeout(HANDSHAKE_LIMIT)
        .shutdown_timeout(STOP_SECONDS)
        // The process hears them, and says when to stop.
        .disable_signals();
    let listens = match certificate {
        None => server.listen(listener),
        Some(certificate) => {
            let tls = certificate.http_server().map_err(|e| Error::Serve(e.into()))?;
            server.listen_rustls_0_23(listener, tls)
        }
    };
    Ok(listens.map_err(|e| Error::Serve(e.into()))?.run())
}
