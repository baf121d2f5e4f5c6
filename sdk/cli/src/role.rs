//! `flowetl executor` and `flowetl coordinator`: the two roles of a cluster, each a process; and `flowetl up`: both in one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use flowetl_coordinator::fleet::{Alone, Fleet, FleetConfig, Roster};
use flowetl_coordinator::{Config, Coordinator, Handle, grpc};
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
    go_on(&handle).await?;
    show::line(&format!("coordinator at http://{address}"))?;
    answer(listener, handle, fleet, stopped(signals)).await
}

/// `flowetl up`: runs that are under way when it ends stay as they were written last, and are gone on with when it starts
/// again.
pub async fn up(up: args::Up) -> anyhow::Result<Outcome> {
    // Before anything else is made: two of these on one port would share a home.
    let (listener, address) = listen(up.listen).await?;
    if !address.ip().is_loopback() {
        show::note(&format!("whoever reaches {address} may run pipelines: there is no sign-in"));
    }
    let signals = Signals::listen()?;
    let handle = home::open().await?;
    // In a shared database an unfinished run may be one that goes on elsewhere.
    if home::owns_database() {
        go_on(&handle).await?;
    }
    let roster = Alone::new(handle.clone(), flowetl_executor::catalogue());
    show::line(&format!("flowetl serves at http://{address}"))?;
    answer(listener, handle, Arc::new(roster), stopped(signals)).await
}

/// Goes on with what an earlier coordinator left behind.
async fn go_on(handle: &Handle) -> anyhow::Result<()> {
    for run in handle.go_on_with_all().await.map_err(|e| anyhow::anyhow!(e.chain()))? {
        show::note(&format!("going on with run {run}"));
    }
    Ok(())
}

/// Answers command lines and SDKs until `stop`, then closes the coordinator, however that ended.
async fn answer(
    listener: TcpListener,
    handle: Handle,
    roster: Arc<dyn Roster>,
    stop: impl Future<Output = ()> + Send,
) -> anyhow::Result<Outcome> {
    let served = grpc::serve(listener, handle.clone(), roster, stop).await;
    handle.close().await;
    served.map_err(|e| anyhow::anyhow!(e.chain()))?;
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
