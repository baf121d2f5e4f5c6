//! One decision of a run, written in one transaction; and a whole run, read back.

use std::ops::Range;

use flowetl_proto::control::Position;
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::{Phase, RunEvent};
use serde_json::Value;
use sqlx::{Any, Transaction};

use super::news::Of;
use super::{
    AttemptRow, Cause, Loaded, News, Origin, RunRow, SegmentRow, SinkCommit, Store, Version, Written, attempt, commit,
    event, firing, loaded, news, origin, pipeline, position, run, segment, serial, sink_commit, source_schema, written,
};
use crate::Result;

/// All that one decision changed. `run.seq` is the number of `event`.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub run: RunRow,
    pub segments: Vec<SegmentRow>,
    pub attempts: Vec<AttemptRow>,
    pub sink_commits: Vec<SinkCommit>,
    pub positions: Vec<(BlockId, Position)>,
    pub schemas: Vec<(BlockId, Value)>,
    /// Tables that are visible now.
    pub loaded: Vec<Loaded>,
    /// Files of the organization that are visible now.
    pub written: Vec<Written>,
    pub event: RunEvent,
    /// What whoever watches is told, if anything.
    pub news: Option<News>,
}

/// A run with everything needed to go on with it.
#[derive(Debug)]
pub(crate) struct Stored {
    pub run: RunRow,
    pub pipeline: Pipeline,
    pub segments: Vec<SegmentRow>,
    pub attempts: Vec<AttemptRow>,
}

impl Store {
    /// Creates a run together with its first decision, which is made inside the transaction because it needs the run's
    /// term and `tokens` fresh tokens. Fails with [`crate::Error::Ticked`], writing nothing, where `origin` names a tick that
    /// another run has begun for.
    pub(crate) async fn create<T>(
        &self,
        version: &Version,
        origin: &Origin,
        tokens: usize,
        now: i64,
        first: impl FnOnce(i64, Range<i64>) -> (Record, T) + Send,
    ) -> Result<T> {
        let mut tx = self.begin().await?;
        pipeline::put(&mut tx, version, now).await?;
        let term = serial::take(&mut tx, "term", 1).await?.start;
        let range = serial::take(&mut tx, "token", tokens as i64).await?;
        let (record, answer) = first(term, range);
        origin::take(&mut tx, origin.cause.as_ref(), &record.run.id).await?;
        run::insert(&mut tx, &record.run, origin).await?;
        write(&mut tx, &record).await?;
        commit(tx).await?;
        self.grown.notify_one();
        Ok(answer)
    }

    /// Makes the caller the owner of a run, and takes `tokens` tokens greater than all before.
    pub(crate) async fn claim(&self, id: &RunId, tokens: usize) -> Result<Range<i64>> {
        let mut tx = self.begin().await?;
        let term = serial::take(&mut tx, "term", 1).await?.start;
        let range = serial::take(&mut tx, "token", tokens as i64).await?;
        run::claim(&mut tx, id, term).await?;
        commit(tx).await?;
        Ok(range)
    }

    pub(crate) async fn take_tokens(&self, count: usize) -> Result<Range<i64>> {
        let mut tx = self.begin().await?;
        let range = serial::take(&mut tx, "token", count as i64).await?;
        commit(tx).await?;
        Ok(range)
    }

    /// Writes a decision; writing it again changes nothing. Fails with [`crate::Error::Fenced`], writing nothing, if the run has another owner by now.
    pub(crate) async fn save(&self, record: &Record) -> Result<()> {
        self.save_for(record, None).await
    }

    /// The same for a decision that goes on with a run because of something.
    pub(crate) async fn save_for(&self, record: &Record, cause: Option<&Cause>) -> Result<()> {
        let mut tx = self.begin().await?;
        origin::take(&mut tx, cause, &record.run.id).await?;
        if run::update(&mut tx, &record.run).await? {
            write(&mut tx, record).await?;
            // Not when a success of before is only tidied up, nor for what a part of the pipeline has done.
            let is_now = record.run.finished_at == Some(record.event.at);
            if record.run.state == Phase::Success && is_now && !record.run.options.is_part {
                firing::succeeded(&mut tx, &record.run.id, record.event.at).await?;
            }
        }
        commit(tx).await?;
        self.grown.notify_one();
        Ok(())
    }

    pub(crate) async fn load(&self, id: &RunId) -> Result<Stored> {
        let run = self.run(id).await?;
        let pipeline = self.pipeline(&run.pipeline, &run.hash).await?;
        Ok(Stored { pipeline, segments: self.segments(id).await?, attempts: self.attempts(id).await?, run })
    }
}

async fn write(tx: &mut Transaction<'static, Any>, record: &Record) -> Result<()> {
    let (id, now) = (&record.run.id, record.event.at);
    for row in &record.segments {
        segment::put(tx, id, row).await?;
    }
    for row in &record.attempts {
        attempt::put(tx, id, row).await?;
    }
    for step in &record.sink_commits {
        sink_commit::put(tx, &record.run.pipeline, id, step, now).await?;
    }
    for (block, to) in &record.positions {
        position::put(tx, &record.run.pipeline, block, to, Some(id), now).await?;
    }
    for (block, schema) in &record.schemas {
        source_schema::put(tx, &record.run.pipeline, block, schema, id, now).await?;
    }
    for table in &record.loaded {
        loaded::put(tx, id, table, now).await?;
    }
    for file in &record.written {
        written::put(tx, id, file).await?;
    }
    event::insert(tx, id, &record.event).await?;
    news::append(tx, Of::Run(id), record.news.as_slice()).await
}
