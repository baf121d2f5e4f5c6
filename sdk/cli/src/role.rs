//! `flowetl executor` and `flowetl coordinator`: the two roles of a cluster, each a process.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use flowetl_coordinator::fleet::{Fleet, FleetConfig};
use flowetl_coordinator::{Config, Coordinator, grpc};
use flowetl_executor::server::{self, ServerConfig};
use tokio::net::TcpListener;

use crate::signals::Signals;
use crate::{Outcome, args, home, show};

/// Segments of one run under way at once: the executors' slots are the limit that counts, this one keeps a single run
/// from taking all of a large cluster.
const PARALLEL_SEGMENTS: usize = 16;

/// `flowetl executor`.
pub async fn executor(executor: args::Executor) -> anyhow::Result<Outcome> {
    check(&executor.cluster)?;
    ensure!(
        std::env::var_os("FLOWETL_STORAGE_URL").is_some(),
        "set `FLOWETL_STORAGE_URL`: what one executor stores must be there for all of them"
    );
    let node = home::node_config()?;
    let (listener, address) = listen(executor.listen).await?;
    let url = match executor.advertise {
        Some(url) => url,
        None if address.ip().is_unspecified() => {
            bail!("`--listen {address}` is every address of this machine: name one of them with `--advertise URL`")
        }
        None => format!("http://{address}"),
    };
    let config = ServerConfig {
        url: url.clone(),
        slots: executor.slots,
        etcd: executor.cluster.etcd,
        prefix: executor.cluster.etcd_prefix,
        drain_limit: Duration::from_secs(executor.drain),
        absence_limit: ServerConfig::ABSENCE_LIMIT,
    };
    let signals = Signals::listen()?;
    let data = home::runtime()?;
    show::line(&format!("executor at {url}"))?;
    let served = server::serve(node, config, listener, data.handle().clone(), stopped(signals)).await;
    // A blocked read of a dead server must not hold the program up.
    data.shutdown_background();
    served.map_err(|e| e.to_failure())?;
    Ok(Outcome::Success)
}

/// `flowetl coordinator`.
pub async fn coordinator(coordinator: args::Coordinator) -> anyhow::Result<Outcome> {
    check(&coordinator.cluster)?;
    let (listener, address) = listen(coordinator.listen).await?;
    let config = FleetConfig { etcd: coordinator.cluster.etcd, prefix: coordinator.cluster.etcd_prefix };
    let signals = Signals::listen()?;
    let (fleet, reports) = Fleet::open(config).await.map_err(|e| anyhow::anyhow!(e.chain()))?;
    let config = Config { parallel_segments: PARALLEL_SEGMENTS, ..home::coordinator_config() };
    let executor = Arc::clone(&fleet);
    let handle = Coordinator::open(config, executor, reports).await.map_err(|e| anyhow::anyhow!(e.chain()))?;
    for run in handle.go_on_with_all().await.map_err(|e| anyhow::anyhow!(e.chain()))? {
        show::note(&format!("going on with run {run}"));
    }
    show::line(&format!("coordinator at http://{address}"))?;
    let served = grpc::serve(listener, handle.clone(), fleet, stopped(signals)).await;
    served.map_err(|e| anyhow::anyhow!(e.chain()))?;
    handle.close().await;
    Ok(Outcome::Success)
}

fn check(cluster: &args::Cluster) -> anyhow::Result<()> {
    for url in &cluster.etcd {
        let is_address = url.strip_prefix("http://").is_some_and(|rest| !rest.is_empty());
        ensure!(
            is_address,
            "`--etcd` (`FLOWETL_ETCD`) takes `http://host:port`, more of them after commas, not `{url}`"
        );
    }
    ensure!(
        cluster.etcd_prefix.starts_with('/') && !cluster.etcd_prefix.ends_with('/'),
        "`--etcd-prefix` (`FLOWETL_ETCD_PREFIX`) begins with `/` and ends without one"
    );
    Ok(())
}

/// The listener and its address, which says the port where 0 was asked for.
async fn listen(at: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(at).await.with_context(|| format!("cannot listen on `{at}`"))?;
    let address = listener.local_addr().with_context(|| format!("cannot listen on `{at}`"))?;
    Ok((listener, address))
}

/// Waits for the first signal; a second one ends the process at once.
async fn stopped(mut signals: Signals) {
    signals.next().await;
    tokio::spawn(async move {
        signals.next().await;
        std::process::exit(1);
    });
}
