//! `flowetl executor` and `flowetl coordinator`: the two roles of a cluster, each a process; and `flowetl up`: both in one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use flowetl_coordinator::fleet::{Alone, Fleet, FleetConfig};
use flowetl_coordinator::grpc::{self, Seat};
use flowetl_coordinator::lead::{Candidate, Leader, Tenure};
use flowetl_coordinator::{Config, Coordinator, Handle};
use flowetl_executor::NodeConfig;
use flowetl_executor::server::{self, ServerConfig};
use flowetl_proto::id::RunId;
use flowetl_proto::trust::Trust;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::services::{Http, Services};
use crate::signals::Signals;
use crate::{Outcome, allocator, args, home, metrics, show, trust};

/// Segments of one run under way at once: the executors' slots are the limit that counts, this one keeps a single run
/// from taking all of a large cluster.
const PARALLEL_SEGMENTS: usize = 16;

/// Where calls are taken, as people set it.
const LISTEN: &str = "--listen";

/// What a listener that other machines reach is to have, as people set it.
const CERTIFICATES: &str = "`--tls-ca`, `--tls-cert` and `--tls-key`";
pub const CERTIFICATE: &str = "`--tls-cert` and `--tls-key`";
const KEY: &str = "`--cluster-key-file` or `FLOWETL_CLUSTER_KEY`";
const TOKENS: &str = "`--tokens`";

/// `flowetl executor`.
pub async fn executor(executor: args::Executor) -> anyhow::Result<Outcome> {
    let etcd = trust::etcd(&executor.cluster)?;
    check_prefix(&executor.cluster.etcd_prefix)?;
    ensure!(
        std::env::var_os("FLOWETL_STORAGE_URL").is_some(),
        "set `FLOWETL_STORAGE_URL`: what one executor stores must be there for all of them"
    );
    let trust = trust::cluster(&executor.trust)?;
    let wanted = [(trust.tls.is_some(), CERTIFICATES), (trust.key.is_some(), KEY)];
    trust::guard(LISTEN, executor.listen, executor.trust.exposure, &wanted)?;
    let share_bytes = usize::try_from(executor.share).context("`--share` is more than this machine can count")?;
    let node = NodeConfig { share_bytes, ..home::node_config()? };
    metrics::serve(executor.metrics)?;
    let (listener, address) = listen(executor.listen).await?;
    let url = match advertised(executor.advertise, &trust)? {
        Some(url) => url,
        None if address.ip().is_unspecified() => {
            bail!("`--listen {address}` is every address of this machine: name one of them with `--advertise URL`")
        }
        None => format!("{}://{address}", trust.scheme()),
    };
    let config = ServerConfig {
        url: url.clone(),
        trust,
        slots: executor.slots,
        etcd,
        prefix: executor.cluster.etcd_prefix,
        drain_limit: Duration::from_secs(executor.drain),
        absence_limit: ServerConfig::ABSENCE_LIMIT,
    };
    let signals = Signals::listen()?;
    let data = home::data_runtime()?;
    tokio::spawn(allocator::give_back(Arc::clone(&node.freed)));
    show::line(&format!("executor at {url}"))?;
    let served = server::serve(node, config, listener, data.handle().clone(), stopped(signals)).await;
    // A blocked read of a dead server must not hold the program up.
    data.shutdown_background();
    served.map_err(|e| e.to_failure())?;
    Ok(Outcome::Success)
}

/// `flowetl coordinator`: stands by until it leads, and leads until it is asked to end or another does.
pub async fn coordinator(coordinator: args::Coordinator) -> anyhow::Result<Outcome> {
    let etcd = trust::etcd(&coordinator.cluster)?;
    check_prefix(&coordinator.cluster.etcd_prefix)?;
    let trust = trust::cluster(&coordinator.trust)?;
    let own = trust.tls.as_ref().map(|tls| tls.own.clone());
    let access = trust::callers(own, &coordinator.callers).await?;
    let wanted = [(trust.tls.is_some(), CERTIFICATES), (trust.key.is_some(), KEY), (access.tokens.is_some(), TOKENS)];
    trust::guard(LISTEN, coordinator.listen, coordinator.trust.exposure, &wanted)?;
    let own = trust.tls.as_ref().map(|tls| tls.own.clone());
    let http = Http::open(coordinator.http, own, coordinator.trust.exposure).await?;
    metrics::serve(coordinator.metrics)?;
    let (listener, address) = listen(coordinator.listen).await?;
    let here = format!("{}://{address}", trust.scheme());
    let url = match advertised(coordinator.advertise, &trust)? {
        Some(url) => url,
        // Nobody is told of it: clients know their coordinators.
        None if address.ip().is_unspecified() => String::new(),
        None => here.clone(),
    };
    let cluster = FleetConfig { etcd, prefix: coordinator.cluster.etcd_prefix, trust };
    let warehouse = home::warehouse(coordinator.warehouse.warehouse.as_deref())?;
    let config = Config { parallel_segments: PARALLEL_SEGMENTS, warehouse, ..home::distant_config()? };
    let stopped = stopped(Signals::listen()?);
    tokio::pin!(stopped);
    let mut candidate = Candidate::open(&cluster, &config, url).await.map_err(chained)?;
    let (seat, seats) = watch::channel(Seat::StandsBy { leader: None });
    let mut greeting = Some(format!("coordinator at {here}\n{}", http.greeting()));
    let services =
        Services::start(http, coordinator.checks, seats.clone(), |stop| grpc::serve(listener, seats, access, stop));

    let standing_by = Box::pin(candidate.lead(|leader| stand_by(&seat, leader, &mut greeting)));
    let lead = tokio::select! {
        lead = standing_by => lead,
        () = &mut stopped => return services.end().await.map(|()| Outcome::Success),
    };
    let tenure = lead.tenure();
    let handle = match take_over(cluster, config, &tenure, &seat).await {
        Ok(handle) => handle,
        Err(error) => {
            lead.resign().await;
            return Err(error);
        }
    };
    greeting.iter().try_for_each(|line| show::line(line))?;
    show::line(&format!("leads in term {}", tenure.term()))?;
    let deposed = tokio::select! {
        reason = tenure.over() => Some(reason),
        () = stopped => None,
    };
    seat.send_replace(Seat::StandsBy { leader: None });
    let served = services.end().await;
    handle.close().await;
    lead.resign().await;
    served?;
    Ok(match deposed {
        Some(reason) => {
            show::error(&anyhow::anyhow!(
                "this coordinator does not lead any more: {reason}; start it again to stand by"
            ));
            Outcome::Failed
        }
        None => Outcome::Success,
    })
}

/// `flowetl up`: runs that are under way when it ends stay as they were written last, and are gone on with when it starts
/// again.
pub async fn up(up: args::Up) -> anyhow::Result<Outcome> {
    let certificate = trust::certificate(&up.certificate)?;
    let scheme = if certificate.is_some() { "https" } else { "http" };
    let access = trust::callers(certificate.clone(), &up.callers).await?;
    let wanted = [(access.certificate.is_some(), CERTIFICATE), (access.tokens.is_some(), TOKENS)];
    trust::guard(LISTEN, up.listen, up.exposure, &wanted)?;
    // Before anything else is made: two of these on one port would share a home.
    metrics::serve(up.metrics)?;
    let config = Config { warehouse: home::warehouse(up.warehouse.warehouse.as_deref())?, ..home::serving_config()? };
    let (listener, address) = listen(up.listen).await?;
    let http = Http::open(up.http, certificate, up.exposure).await?;
    let stopped = stopped(Signals::listen()?);
    // A run that keeps every core busy must not hold up who asks how it goes.
    let data = home::data_runtime()?;
    let handle = home::open(config, data.handle().clone()).await?;
    // In a shared database an unfinished run may be one that goes on elsewhere.
    if home::owns_database() {
        told(handle.go_on_with_all().await.map_err(chained)?);
    }
    handle.keep_schedules();
    handle.send_alerts();
    let roster =
        Alone::new(handle.clone(), flowetl_executor::catalogue(), Arc::new(home::inspector(data.handle().clone())?));
    let seats = Seat::alone(handle.clone(), Arc::new(roster));
    show::line(&format!("flowetl serves at {scheme}://{address}\n{}", http.greeting()))?;
    let services = Services::start(http, up.checks, seats.clone(), |stop| grpc::serve(listener, seats, access, stop));
    tokio::select! {
        () = stopped => {}
        () = services.over() => {}
    }
    let served = services.end().await;
    handle.close().await;
    data.shutdown_background();
    served?;
    Ok(Outcome::Success)
}

/// Names the runs that an earlier coordinator left behind, and this one goes on with.
fn told(runs: Vec<RunId>) {
    for run in runs {
        show::note(&format!("going on with run {run}"));
    }
}

/// Tells clients, and whoever looks, who leads instead.
fn stand_by(seat: &watch::Sender<Seat>, leader: &Leader, greeting: &mut Option<String>) {
    let url = Some(leader.url.clone()).filter(|url| !url.is_empty());
    let who = url.as_deref().map_or_else(|| "another leads".to_owned(), |url| format!("`{url}` leads"));
    seat.send_replace(Seat::StandsBy { leader: url });
    if let Some(line) = greeting.take()
        && let Err(error) = show::line(&line)
    {
        tracing::warn!(%error, "nobody reads what this coordinator says");
    }
    show::note(&format!("this coordinator stands by: {who}"));
}

/// Begins to lead: finds the executors, goes on with all runs, and answers calls.
async fn take_over(
    cluster: FleetConfig,
    config: Config,
    tenure: &Tenure,
    seat: &watch::Sender<Seat>,
) -> anyhow::Result<Handle> {
    let (fleet, reports) = Fleet::open(cluster, tenure.clone()).await.map_err(chained)?;
    let config = Config { tenure: Some(tenure.clone()), ..config };
    let executor = Arc::clone(&fleet);
    let handle = Coordinator::open(config, executor, reports).await.map_err(chained)?;
    told(handle.take_over().await.map_err(chained)?);
    handle.keep_schedules();
    handle.send_alerts();
    seat.send_replace(Seat::Leads { handle: handle.clone(), roster: fleet });
    Ok(handle)
}

pub fn chained(error: flowetl_coordinator::Error) -> anyhow::Error {
    anyhow::anyhow!(error.chain())
}

fn check_prefix(prefix: &str) -> anyhow::Result<()> {
    ensure!(
        prefix.starts_with('/') && !prefix.ends_with('/'),
        "`--etcd-prefix` (`FLOWETL_ETCD_PREFIX`) begins with `/` and ends without one"
    );
    Ok(())
}

/// `--advertise`, which says what this process speaks.
fn advertised(url: Option<String>, trust: &Trust) -> anyhow::Result<Option<String>> {
    let start = format!("{}://", trust.scheme());
    if let Some(url) = &url {
        let why = if trust.tls.is_some() { "with certificates" } else { "without certificates" };
        ensure!(url.starts_with(&start), "{why}, `--advertise` takes `{start}host:port`, not `{url}`");
    }
    Ok(url)
}

/// The listener and its address, which says the port where 0 was asked for.
pub async fn listen(at: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
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
