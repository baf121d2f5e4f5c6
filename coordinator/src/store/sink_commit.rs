//! Commits of sinks: what was or is being published.

use flowetl_proto::id::{BlockId, RunId, Token};
use sqlx::{Any, Transaction};

use super::doing;
use crate::Result;

/// A step of one sink's commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SinkCommit {
    pub block: BlockId,
    pub token: Token,
    pub state: CommitState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommitState {
    /// The target is about to be asked.
    Intent,
    /// The target answered that everything is visible.
    Done,
    /// The target answered that nothing is visible: the intent is taken back.
    Withdrawn,
}

pub(super) async fn put(
    tx: &mut Transaction<'static, Any>,
    pipeline: &str,
    run: &RunId,
    commit: &SinkCommit,
    now: i64,
) -> Result<()> {
    let state = match commit.state {
        CommitState::Intent => "intent",
        CommitState::Done => "done",
        CommitState::Withdrawn => {
            let delete = "delete from sink_commit where pipeline = $1 and block = $2 and run = $3 and token = $4";
            sqlx::query(delete)
                .bind(pipeline.to_owned())
                .bind(commit.block.as_str().to_owned())
                .bind(run.as_str().to_owned())
                .bind(commit.token.0)
                .execute(&mut **tx)
                .await
                .map_err(doing("take back a commit"))?;
            return Ok(());
        }
    };
    let upsert = "insert into sink_commit (pipeline, block, run, token, state, at) values ($1, $2, $3, $4, $5, $6) \
                  on conflict (pipeline, block, run) do update set \
                  token = excluded.token, state = excluded.state, at = excluded.at";
    sqlx::query(upsert)
        .bind(pipeline.to_owned())
        .bind(commit.block.as_str().to_owned())
        .bind(run.as_str().to_owned())
        .bind(commit.token.0)
        .bind(state)
        .bind(now)
        .execute(&mut **tx)
        .await
        .map_err(doing("write a commit"))?;
    Ok(())
}
