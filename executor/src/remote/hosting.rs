//! Takes a task from the executor that leads its attempt, and keeps it for as long as that one wants its rows.

use std::sync::Arc;

use datafusion_distributed::{DistributedExt, TaskKey};
use flowetl_proto::code::Class;
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::BlockId;
use flowetl_proto::trace;
use flowetl_proto::wire::v1;
use flowetl_proto::wire::v1::hosting::What;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tonic::{Status, Streaming};
use uuid::Uuid;

use super::host::Host;
use super::peers::Peers;
use super::task::{Task, context_of};
use super::{COUNT_INTERVAL, Errand, PLAN_BYTES_MAX, PLAN_LIMIT, failure};
use crate::connectors::systems::Systems;
use crate::connectors::{OpenContext, Place};
use crate::memory::Budget;
use crate::meter::TaskMeters;
use crate::node::Surroundings;
use crate::plan::{self, BATCH_BYTES, BATCH_ROWS, Opened, PlanCodec};
use crate::schema::schema_from_json;
use crate::usage::Account;
use crate::{Error, Result};

/// Does one task of another executor's attempt until `hosting` ends, and tells what it counts.
pub(super) async fn host_task(
    host: Arc<Host>,
    surroundings: Arc<Surroundings>,
    permits: impl Fn(&AttemptId) -> Result<(), Status>,
    mut hosting: Streaming<v1::Hosting>,
    hosted: mpsc::Sender<Result<v1::Hosted, Status>>,
) {
    let received = match timeout(PLAN_LIMIT, receive(&mut hosting)).await {
        Ok(received) => received,
        Err(_) => Err(Error::internal(format!("a plan did not come within {} s", PLAN_LIMIT.as_secs()))),
    };
    let made = match received {
        Ok((task, plan)) => match errand_of(&task) {
            Ok(errand) => {
                if let Err(refused) = permits(&errand.attempt) {
                    // Whoever asked has gone, or hears it.
                    let _ = hosted.send(Err(refused)).await;
                    return;
                }
                // Before it is made: reading the files' metadata is work, too.
                let account = surroundings.usage.open();
                make(&host, &surroundings, &task, errand, plan).await.map(|(key, task)| (key, task, account))
            }
            Err(error) => Err(error),
        },
        Err(error) => Err(error),
    };
    let ended = match made {
        Ok((key, task, account)) => {
            account.weigh_by(task.block_meters());
            let _kept = host.keep(key, Arc::clone(&task));
            let mut work = trace::Work::begin(&task.attempt, "task");
            work.label("stage", key.stage_id);
            work.label("task", key.task_number);
            let kept = keep(&task, &account, host.url.as_str(), &mut hosting, &hosted).await;
            work.end(kept.as_ref().err().map(|error| error.class));
            kept
        }
        Err(error) => Err(error),
    };
    surroundings.config.freed.notify_one();
    if let Err(error) = ended
        && hosted.send(Err(failure::status(&error))).await.is_err()
    {
        tracing::debug!(reason = error.message, "nobody waits for a task that could not be done");
    }
}

/// The task, and all of its plan.
async fn receive(hosting: &mut Streaming<v1::Hosting>) -> Result<(v1::Task, Vec<u8>)> {
    let broken = |status: Status| Error::internal("the plan of a task broke off").because(status);
    let first = hosting.message().await.map_err(broken)?;
    let Some(v1::Hosting { what: Some(What::Task(task)) }) = first else {
        return Err(Error::internal("a plan came before its task"));
    };
    if task.plan_bytes > PLAN_BYTES_MAX {
        return Err(Error::internal(format!("a plan of {} bytes is larger than {PLAN_BYTES_MAX}", task.plan_bytes)));
    }
    let mut plan = Vec::new();
    while (plan.len() as u64) < task.plan_bytes {
        let Some(v1::Hosting { what: Some(What::Plan(piece)) }) = hosting.message().await.map_err(broken)? else {
            return Err(Error::internal("the plan of a task broke off"));
        };
        plan.extend_from_slice(&piece);
    }
    Ok((task, plan))
}

fn errand_of(task: &v1::Task) -> Result<Errand> {
    let unreadable = |e: serde_json::Error| Error::internal("the errand of a task cannot be read").because(e);
    serde_json::from_str(&task.errand_json).map_err(unreadable)
}

/// The task, with everything found out that its plan only names.
async fn make(
    host: &Arc<Host>,
    surroundings: &Arc<Surroundings>,
    task: &v1::Task,
    errand: Errand,
    plan: Vec<u8>,
) -> Result<(TaskKey, Arc<Task>)> {
    host.admit(&errand.attempt).map_err(Error::from)?;
    let key = key(task.key.as_ref())?;
    let budget = Budget::new(errand.memory)?;
    let runtime = surroundings.runtime(&errand.attempt.run, budget)?;
    let session = plan::session(errand.parallelism, budget.pool, errand.thrift, Arc::clone(&runtime))
        .with_distributed_user_codec(PlanCodec)
        .with_distributed_channel_resolver(Peers::of_helper(Arc::clone(host), errand.attempt.clone()));
    let open = OpenContext {
        parallelism: errand.parallelism,
        executors: 1,
        batch_rows: BATCH_ROWS,
        batch_bytes: BATCH_BYTES,
        row_group_bytes: budget.row_group_bytes(errand.parallelism),
    };
    let secrets = errand.secrets.over(Arc::clone(&surroundings.config.secrets));
    let systems = Systems::new(errand.connections, secrets, open);
    let storage = &surroundings.config.storage;
    for place in errand.needs.places {
        let files = match &place {
            Place::Boundaries => Some(storage.clone()),
            Place::Connection(name) => systems.get(name).await?.storage(),
        };
        let files = files.ok_or_else(|| Error::internal("a plan reads files of what has none"))?;
        place.register(&files, &runtime)?;
    }
    let mut opened = Opened::default();
    for name in errand.needs.systems {
        let system = systems.get(&name).await?;
        opened.systems.insert(name, system);
    }
    if errand.needs.sink {
        let rows = Arc::new(schema_from_json(&errand.rows)?);
        opened.sink = Some(errand.to.open(storage, &systems, Some(rows)).await?);
    }
    let mut state = session.state();
    let meters = Arc::new(TaskMeters::default());
    state.config_mut().set_extension(Arc::clone(&meters));
    state.config_mut().set_extension(Arc::new(opened));
    let context = Arc::new(context_of(&state.task_ctx(), key.task_number, task.count as usize));
    // Plans may be large, and reading one computes: it is no work for who keeps connections alive.
    let reading = Arc::clone(&context);
    let read = surroundings.data.spawn(async move { plan::read(&plan, &reading) });
    let plan = read.await.map_err(|e| Error::new(Class::Panic, "a plan cannot be read").because(e))??;
    let owner = errand.owner.unwrap_or_else(|| BlockId::new(errand.attempt.segment.as_str()));
    let meter = meters.block(&owner);
    Ok((key, Arc::new(Task::new(errand.attempt, plan, context, (owner, meter)))))
}

/// Tells the task's counters and its cost until no more of its rows are wanted, and then once more.
async fn keep(
    task: &Task,
    account: &Account,
    executor: &str,
    hosting: &mut Streaming<v1::Hosting>,
    hosted: &mpsc::Sender<Result<v1::Hosted, Status>>,
) -> Result<()> {
    let mut due = interval(COUNT_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut wanted = true;
    while wanted {
        tokio::select! {
            _ = due.tick() => {}
            message = hosting.message() => match message {
                Ok(Some(_)) => continue,
                Ok(None) => wanted = false,
                // Whoever leads is gone, or has given up.
                Err(_) => return Ok(()),
            },
            () = task.end.cancelled() => {
                return Err(Error::new(Class::Fenced, "a newer attempt has taken the place of this one"));
            }
        }
        let message = v1::Hosted {
            counts_json: written(&task.counts())?,
            cost_json: written(&account.cost())?,
            standing_json: written(&task.standing(executor))?,
        };
        if hosted.send(Ok(message)).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

fn written(told: &impl Serialize) -> Result<String> {
    serde_json::to_string(told).map_err(|e| Error::internal("counters cannot be told").because(e))
}

/// The engine's name of a task.
pub(super) fn key(key: Option<&v1::TaskKey>) -> Result<TaskKey> {
    let wrong = || Error::internal("a task has no usable name");
    let key = key.ok_or_else(wrong)?;
    Ok(TaskKey {
        query_id: Uuid::from_slice(&key.query).map_err(|_| wrong())?,
        stage_id: usize::try_from(key.stage).map_err(|_| wrong())?,
        task_number: usize::try_from(key.number).map_err(|_| wrong())?,
    })
}

/// The same on its way.
pub(super) fn wire_key(key: &TaskKey) -> v1::TaskKey {
    v1::TaskKey { query: key.query_id.as_bytes().to_vec(), stage: key.stage_id as u64, number: key.task_number as u64 }
}
