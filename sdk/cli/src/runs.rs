//! `flowetl runs`: what ran, and what happened in it.

use flowetl_coordinator::logs;
use flowetl_proto::id::RunId;
use flowetl_proto::log::Cursor;

use crate::coordinator::Coordinator;
use crate::{Outcome, args, show};

pub async fn runs(asked: args::Runs) -> anyhow::Result<Outcome> {
    let coordinator = Coordinator::open(&asked.server).await?;
    let Some(run) = asked.run.map(RunId::new) else {
        let runs = coordinator.runs().await?;
        if asked.output.json {
            show::json(&runs)?;
        } else {
            for run in &runs {
                show::line(&show::run_line(run))?;
            }
        }
        return Ok(Outcome::Success);
    };
    let view = coordinator.run(&run).await?;
    if asked.logs {
        let mut after = Cursor::new();
        loop {
            let page = coordinator.log(&run, after).await?;
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
    } else if asked.output.json {
        show::json(&view)?;
    } else {
        show::line(&show::table(&view))?;
        for segment in view.segments.values() {
            let stalled = segment.stalled.iter().cloned();
            stalled.chain(segment.standing.iter().map(|s| format!("  {s}"))).try_for_each(|text| show::line(&text))?;
        }
        view.bottleneck.iter().try_for_each(|bottleneck| show::line(&bottleneck.text))?;
    }
    Ok(Outcome::Success)
}
