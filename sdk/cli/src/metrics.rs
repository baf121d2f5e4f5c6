//! `--metrics`: figures of this process for Prometheus, at `/metrics` of an address of their own.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use flowetl_coordinator::figures::DECISION_SECONDS;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use metrics_process::Collector;
use tokio::time::interval;

use crate::args;

/// How often the process itself is looked at: more often than anybody asks.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// From a local disk's flush to what makes runs wait, in seconds.
const DECISION_BUCKETS: [f64; 8] = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 10.0];

/// Serves the figures from now on, where that was asked for.
pub fn serve(metrics: args::Metrics) -> anyhow::Result<()> {
    let Some(at) = metrics.metrics else { return Ok(()) };
    install(at).with_context(|| format!("cannot serve `--metrics {at}` (`FLOWETL_METRICS`)"))?;
    flowetl_coordinator::figures::describe();
    flowetl_executor::figures::describe();
    let process = Collector::default();
    process.describe();
    tokio::spawn(async move {
        let mut due = interval(LOOK_EVERY);
        loop {
            due.tick().await;
            process.collect();
        }
    });
    Ok(())
}

fn install(at: SocketAddr) -> anyhow::Result<()> {
    let builder = PrometheusBuilder::new().with_http_listener(at);
    builder.set_buckets_for_metric(Matcher::Full(DECISION_SECONDS.to_owned()), &DECISION_BUCKETS)?.install()?;
    Ok(())
}
