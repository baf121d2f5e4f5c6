//! What a coordinator answers with, gRPC and HTTP: started together, ended together.

use std::sync::Arc;

use anyhow::{Context, ensure};
use flowetl_coordinator::Result;
use flowetl_coordinator::grpc::Seat;
use flowetl_coordinator::http::{self, Auth, HttpConfig};
use flowetl_proto::trust::Certificate;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::net::TcpListener;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::{args, role, trust};

/// Where HTTP is taken, before anything answers there.
pub struct Http {
    listener: TcpListener,
    url: String,
    config: HttpConfig,
}

impl Http {
    /// Takes the address that `http` names. Refused where other machines reach it in the clear, unless that was asked for.
    pub async fn open(
        http: args::Http,
        certificate: Option<Certificate>,
        exposure: args::Exposure,
    ) -> anyhow::Result<Self> {
        ensure!(
            http.auth == args::Auth::On || http.http.ip().is_loopback(),
            "other machines reach `--http {}`: with `--auth off` it must be an address of this machine alone",
            http.http
        );
        trust::guard("--http", http.http, exposure, &[(certificate.is_some(), role::CERTIFICATE)])?;
        let (listener, address) = role::listen(http.http).await.context("setting `--http` (`FLOWETL_HTTP`)")?;
        let scheme = if certificate.is_some() { "https" } else { "http" };
        let auth = if http.auth == args::Auth::Off { Auth::Off } else { Auth::On };
        let (origins, rate, oidc) = (http.cors_origins, http.rate_limit, trust::oidc(&http.oidc)?);
        let config = HttpConfig { certificate, origins, auth, rate, oidc, ..HttpConfig::default() };
        Ok(Self { listener, url: format!("{scheme}://{address}"), config })
    }

    /// Where it is, for whoever started the program.
    pub fn greeting(&self) -> String {
        format!("HTTP at {url}, described at {url}/docs", url = self.url)
    }
}

/// The services of a coordinator.
pub struct Services {
    ends: [oneshot::Sender<()>; 2],
    serving: [JoinHandle<Result<()>>; 2],
    /// Test connections, look for files, and begin the runs of transformations, on timers.
    beside: Vec<JoinHandle<()>>,
    /// Told by each of them when it ends.
    over: Arc<Notify>,
}

impl Services {
    /// Serves HTTP, and what `grpc` makes of its end; and looks at connections, places of files and times of transformations
    /// every so often.
    pub fn start<G>(
        http: Http,
        checks: args::Checks,
        seats: watch::Receiver<Seat>,
        grpc: impl FnOnce(BoxFuture<'static, ()>) -> G,
    ) -> Self
    where
        G: Future<Output = Result<()>> + Send + 'static,
    {
        let ((grpc_end, grpc_stop), (http_end, http_stop)) = (oneshot::channel(), oneshot::channel());
        let over = Arc::new(Notify::new());
        let every = checks.connection_checks.0;
        let checking = every.map(|every| tokio::spawn(flowetl_coordinator::check_connections(seats.clone(), every)));
        let watching = tokio::spawn(flowetl_coordinator::watch_files(seats.clone()));
        let making = tokio::spawn(flowetl_coordinator::run_transformations(seats.clone()));
        let beside = checking.into_iter().chain([watching, making]).collect();
        let serving = [
            tokio::spawn(telling(Arc::clone(&over), grpc(asked(grpc_stop)))),
            tokio::spawn(telling(Arc::clone(&over), http::serve(http.listener, seats, http.config, asked(http_stop)))),
        ];
        Self { ends: [grpc_end, http_end], serving, beside, over }
    }

    /// Waits until one of them ends by itself, which none does as long as all is well.
    pub async fn over(&self) {
        self.over.notified().await;
    }

    /// Ends the services and waits for that.
    pub async fn end(self) -> anyhow::Result<()> {
        drop(self.ends);
        for looking in self.beside {
            looking.abort();
            // It holds the coordinator while it looks.
            let _ = looking.await;
        }
        let mut ended = Ok(());
        for service in self.serving {
            let result = service.await.context("a service failed").and_then(|served| served.map_err(role::chained));
            ended = ended.and(result);
        }
        ended
    }
}

/// Says so when the work is done.
async fn telling<T>(over: Arc<Notify>, work: impl Future<Output = T>) -> T {
    let done = work.await;
    over.notify_one();
    done
}

/// Waits until the other half goes.
fn asked(end: oneshot::Receiver<()>) -> BoxFuture<'static, ()> {
    end.map(drop).boxed()
}
