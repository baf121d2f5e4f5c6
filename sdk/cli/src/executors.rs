//! `flowetl executor list` and `drain`: the executors of a coordinator.

use anyhow::Context;
use serde_json::json;

use crate::{Outcome, args, coordinator, show};

/// Shows the executors, or asks one to end.
pub async fn perform(command: args::Executors) -> anyhow::Result<Outcome> {
    match command {
        args::Executors::List { server, output } => list(&server, output).await?,
        args::Executors::Drain { id, server } => {
            client(&server).await?.drain(&id).await?;
            show::line(&format!("executor `{id}` takes nothing new and ends when it is done"))?;
        }
    }
    Ok(Outcome::Success)
}

async fn list(server: &args::Server, output: args::Output) -> anyhow::Result<()> {
    let executors = client(server).await?.executors().await?;
    if output.json {
        let rows: Vec<_> = executors
            .iter()
            .map(|e| {
                json!({"id": e.id, "address": e.address, "version": e.version, "slots": e.slots, "busy": e.busy,
                       "draining": e.draining})
            })
            .collect();
        return show::json(&json!({ "executors": rows }));
    }
    for e in &executors {
        let slots = if e.slots == 0 { String::new() } else { format!(" of {}", e.slots) };
        let state = if e.draining { ", draining" } else { "" };
        show::line(&format!("{} {} {} busy {}{slots}{state}", e.id, e.address, e.version, e.busy))?;
    }
    Ok(())
}

async fn client(server: &args::Server) -> anyhow::Result<flowetl::Client> {
    coordinator::connected(server).await?.context("whose executors? Name a coordinator with `--server URL`")
}
