//! `flowetl run` and `flowetl copy`: submit, follow, end.

use std::sync::Arc;

use flowetl_coordinator::{Handle, Options, Phase, RunView};
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::pipeline::Parsed;
use futures::StreamExt;
use tokio::signal::unix::{SignalKind, signal};

use crate::{Outcome, args, files, home, show, usage};

/// `flowetl run`.
pub async fn file(run: args::Run) -> anyhow::Result<Outcome> {
    let resume = run.resume.map(RunId::new);
    let Some(file) = run.file else {
        let run_id = resume.ok_or_else(|| anyhow::anyhow!("give a pipeline file, or `--resume RUN`"))?;
        let coordinator = home::open().await?;
        let id = coordinator.resume(&run_id).await.map_err(|e| anyhow::anyhow!(e.chain()))?;
        return finish(coordinator, &id, run.output.json).await;
    };
    let parsed = files::read(&args::File { file, connections: run.connections })?;
    let until = run.until.as_deref().map(BlockId::from);
    perform(parsed, Options { full_refresh: run.full_refresh, until, resume }, run.output.json).await
}

/// `flowetl copy`.
pub async fn copy(copy: args::Copy) -> anyhow::Result<Outcome> {
    let parsed = files::copy(&copy)?;
    perform(parsed, Options { full_refresh: copy.full_refresh, ..Options::default() }, copy.output.json).await
}

async fn perform(parsed: Parsed, options: Options, json: bool) -> anyhow::Result<Outcome> {
    let coordinator = home::open().await?;
    let run = coordinator.submit(parsed.pipeline, options).await.map_err(|e| anyhow::anyhow!(e.chain()))?;
    finish(coordinator, &run, json).await
}

async fn finish(coordinator: Handle, run: &RunId, json: bool) -> anyhow::Result<Outcome> {
    let view = match follow(&coordinator, run, json).await {
        Ok(view) => view,
        // It has begun, so that this is no fault of the pipeline file or the arguments.
        Err(error) => {
            show::error(&error);
            return Ok(Outcome::Failed);
        }
    };
    coordinator.close().await;
    if json {
        show::json(&show::RunJson::new(&view, usage::so_far()))?;
    }
    Ok(if view.state == Phase::Success { Outcome::Success } else { Outcome::Failed })
}

/// Shows the run until it ends. The first interrupt cancels it; the second ends the program at once, and the run is
/// continued by the next start.
async fn follow(coordinator: &Handle, run: &RunId, json: bool) -> anyhow::Result<Arc<RunView>> {
    let mut display = show::Display::new(json);
    let mut snapshots = coordinator.follow(run).await?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut cancelled = false;
    loop {
        tokio::select! {
            snapshot = snapshots.next() => match snapshot {
                Some(view) => display.show(&view),
                None => break,
            },
            () = either(&mut interrupt, &mut terminate) => {
                if cancelled {
                    anyhow::bail!("run `{run}` was left as it is; the same command goes on with it");
                }
                cancelled = true;
                display.note("cancelling; once more to leave at once");
                coordinator.cancel(run).await.map_err(|e| anyhow::anyhow!(e.chain()))?;
            }
        }
    }
    let view = coordinator.wait(run).await.map_err(|e| anyhow::anyhow!(e.chain()))?;
    display.finish(&view, usage::so_far());
    Ok(view)
}

async fn either(interrupt: &mut tokio::signal::unix::Signal, terminate: &mut tokio::signal::unix::Signal) {
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
