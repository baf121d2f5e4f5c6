//! `flowetl up`: coordinator and executor in one process, serving.

use std::sync::Arc;

use anyhow::Context;
use flowetl_coordinator::{fleet, grpc};
use tokio::net::TcpListener;

use crate::signals::Signals;
use crate::{Outcome, args, home, show};

/// Serves until it is interrupted. Runs that are under way then stay as they were written last, and are gone on with when
/// this starts again.
pub async fn up(up: args::Up) -> anyhow::Result<Outcome> {
    // Before anything else is made: two of these on one port would share a home.
    let listener = TcpListener::bind(&up.listen).await.with_context(|| format!("cannot listen on `{}`", up.listen))?;
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        show::note(&format!("whoever reaches {address} may run pipelines: there is no sign-in"));
    }
    let mut signals = Signals::listen()?;
    let coordinator = home::open().await?;
    // In a shared database an unfinished run may be one that goes on elsewhere.
    if home::owns_database() {
        for run in coordinator.go_on_with_all().await.map_err(|e| anyhow::anyhow!(e.chain()))? {
            show::note(&format!("going on with run {run}"));
        }
    }
    let roster = fleet::Alone::new(coordinator.clone(), env!("CARGO_PKG_VERSION"), flowetl_executor::catalogue());
    show::line(&format!("flowetl serves at http://{address}"))?;
    let served = grpc::serve(listener, coordinator.clone(), Arc::new(roster), signals.next()).await;
    coordinator.close().await;
    served.map_err(|e| anyhow::anyhow!(e.chain()))?;
    Ok(Outcome::Success)
}
