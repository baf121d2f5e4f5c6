//! `flowetl run` and `flowetl copy`: submit, follow, end.

use std::sync::Arc;

use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::run::{Options, Phase, RunView};
use futures::StreamExt;

use crate::coordinator::Coordinator;
use crate::signals::Signals;
use crate::{Outcome, args, files, show};

/// `flowetl run`.
pub async fn file(run: args::Run) -> anyhow::Result<Outcome> {
    let resume = run.resume.map(RunId::new);
    let server = &run.server;
    let (coordinator, id) = match run.file {
        Some(file) => {
            let source = files::source(&args::File { file, connections: run.connections, params: run.params })?;
            let until = run.until.as_deref().map(BlockId::from);
            Coordinator::submit(server, source, Options { full_refresh: run.full_refresh, until, resume }).await?
        }
        None => {
            let id = resume.ok_or_else(|| anyhow::anyhow!("give a pipeline file, or `--resume RUN`"))?;
            let coordinator = Coordinator::open(server).await?;
            coordinator.resume(&id).await?;
            (coordinator, id)
        }
    };
    if run.detach {
        show::line(id.as_str())?;
        return Ok(Outcome::Success);
    }
    finish(coordinator, &id, run.output.json).await
}

/// `flowetl copy`.
pub async fn copy(copy: args::Copy) -> anyhow::Result<Outcome> {
    let options = Options { full_refresh: copy.full_refresh, ..Options::default() };
    let (server, output) = (copy.server.clone(), copy.output);
    let (coordinator, run) = Coordinator::submit(&server, files::copy(copy)?, options).await?;
    finish(coordinator, &run, output.json).await
}

async fn finish(coordinator: Coordinator, run: &RunId, json: bool) -> anyhow::Result<Outcome> {
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
        show::json(&show::RunJson::new(&view))?;
    }
    Ok(if view.state == Phase::Success { Outcome::Success } else { Outcome::Failed })
}

/// Shows the run until it ends. The first interrupt cancels it; the second ends the program at once, and the run is
/// continued by the next start, or goes on where it is.
async fn follow(coordinator: &Coordinator, run: &RunId, json: bool) -> anyhow::Result<Arc<RunView>> {
    let mut display = show::Display::new(json);
    let mut signals = Signals::listen()?;
    let mut snapshots = coordinator.follow(run).await?;
    let mut last = None;
    let mut cancelled = false;
    loop {
        tokio::select! {
            snapshot = snapshots.next() => match snapshot {
                Some(view) => {
                    let view = view?;
                    display.show(&view);
                    last = Some(view);
                }
                None => break,
            },
            () = signals.next() => {
                if cancelled {
                    anyhow::bail!("run `{run}` was left as it is; the same command goes on with it");
                }
                cancelled = true;
                display.note("cancelling; once more to leave at once");
                coordinator.cancel(run).await?;
            }
        }
    }
    let view = last.filter(|view| view.state.is_terminal());
    let view = view.ok_or_else(|| flowetl::Error::Silent(run.clone()))?;
    display.finish(&view, coordinator.server());
    Ok(view)
}
