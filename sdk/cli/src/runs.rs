//! `flowetl runs`: what ran, what happened in it, and ending it or going on with it.

use std::time::Duration;

use flowetl_coordinator::logs;
use flowetl_proto::id::RunId;
use flowetl_proto::log::Cursor;
use flowetl_proto::run::RunView;

use crate::coordinator::Coordinator;
use crate::{Outcome, args, show};

/// The pause before it is asked for what was said since.
const LOG_PAUSE: Duration = Duration::from_millis(500);

pub async fn runs(asked: args::Runs) -> anyhow::Result<Outcome> {
    let coordinator = Coordinator::open(&asked.server).await?;
    let Some(run) = asked.run.as_deref().map(RunId::new) else {
        list(&coordinator, &asked).await?;
        return Ok(Outcome::Success);
    };
    if asked.cancel {
        coordinator.cancel(&run).await?;
    } else if asked.retry {
        coordinator.resume(&run).await?;
    } else if asked.logs {
        log(&coordinator, &run, &asked).await?;
    } else {
        let view = coordinator.run(&run).await?;
        if asked.output.json { show::json(&view)? } else { one(&view)? }
    }
    Ok(Outcome::Success)
}

/// Newest first.
async fn list(coordinator: &Coordinator, asked: &args::Runs) -> anyhow::Result<()> {
    let mut runs = coordinator.runs().await?;
    let wanted: Vec<_> = asked.status.iter().map(|status| status.trim().to_lowercase()).collect();
    runs.retain(|run| wanted.is_empty() || wanted.iter().any(|status| status == run.state.as_str()));
    runs.retain(|run| asked.pipeline.as_ref().is_none_or(|pipeline| run.pipeline == *pipeline));
    match asked.output.json {
        true => show::json(&runs),
        false => runs.iter().try_for_each(|run| show::line(&show::run_line(run))),
    }
}

/// What is said of a run; until it has ended, where it is followed.
async fn log(coordinator: &Coordinator, run: &RunId, asked: &args::Runs) -> anyhow::Result<()> {
    let mut after = Cursor::new();
    loop {
        // Asked before the log is: what is said up to the end is shown then.
        let has_ended = !asked.follow || coordinator.run(run).await?.state.is_terminal();
        loop {
            let page = coordinator.log(run, after).await?;
            for line in &page.lines {
                show::line(&if asked.output.json {
                    serde_json::to_string(line)?
                } else {
                    logs::text(line, &show::time(line.at))
                })?;
            }
            after = page.next;
            if !page.has_more {
                break;
            }
        }
        if has_ended {
            return Ok(());
        }
        tokio::time::sleep(LOG_PAUSE).await;
    }
}

fn one(view: &RunView) -> anyhow::Result<()> {
    show::line(&show::table(view))?;
    for segment in view.segments.values() {
        let stalled = segment.stalled.iter().cloned();
        stalled.chain(segment.standing.iter().map(|s| format!("  {s}"))).try_for_each(|text| show::line(&text))?;
    }
    view.bottleneck.iter().try_for_each(|bottleneck| show::line(&bottleneck.text))
}
