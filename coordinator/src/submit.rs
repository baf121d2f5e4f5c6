//! How a run comes to be: a new one, or one that an earlier process left behind.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowetl_proto::code::{Class, Failure};
use flowetl_proto::id::{RunId, Token};
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::{BlockPhase, Options, Phase, RunOptions, RunView};
use serde_json::Value;
use tokio::sync::watch;

use crate::connections::sealed_by;
use crate::handle::Handle;
use crate::lock::Lock;
use crate::run::{Command, Event, NewRun, RunActor, RunState, Snapshot, TOKENS, machine, view};
use crate::store::{Cause, Origin, RunRow, Version};
use crate::turn::{Entry, Turn};
use crate::{Error, Result, clock, cut};

impl Handle {
    /// Runs a pipeline. Returns as soon as the run is recorded and its first segments were asked for.
    ///
    /// The pipeline's newest run is continued instead of beginning anew where beginning anew would waste or harm:
    ///
    /// - it was going when its process died, and is of the same version and options;
    /// - it failed or was cancelled after appending an incremental extract's rows to some of the extract's sinks, but not
    ///   to all: the extract's position has not moved, and reading again would append those rows twice;
    /// - it ended without knowing whether a target had published.
    ///
    /// A run left behind by another version ends as failed, "superseded": its open commits are answered first and its
    /// staging is removed.
    pub async fn submit(&self, pipeline: Pipeline, options: Options) -> Result<RunId> {
        self.submit_for(pipeline, options, Origin::default()).await
    }

    /// The same for a pipeline that is kept. What it begins for is used up by the run that begins, or is gone on with:
    /// where it was before, this fails with [`Error::Ticked`].
    pub(crate) async fn submit_for(&self, pipeline: Pipeline, options: Options, origin: Origin) -> Result<RunId> {
        let told = match &options.resume {
            Some(run) if !pipeline.params.is_empty() => self.params(run).await?,
            _ => BTreeMap::new(),
        };
        let pipeline = pipeline.bound(&told).map_err(Error::Params)?;
        let whole = pipeline.blocks.len();
        let pipeline = match &options.until {
            Some(block) => cut::until(&pipeline, block).ok_or_else(|| Error::NoBlock(block.clone()))?,
            None => pipeline,
        };
        let is_part = pipeline.blocks.len() < whole;
        let version = Version::of(&pipeline)?;
        let lock = self.lock(&pipeline.name).await?;
        if let Some(run) = options.resume {
            let row = self.resumable(&run).await?;
            if (row.pipeline.as_str(), row.hash.as_str()) != (version.pipeline.as_str(), version.hash.as_str()) {
                return Err(not_resumable(&run, "the pipeline has changed since"));
            }
            return self.go_on(&run, lock, None).await;
        }
        let run_options = RunOptions { full_refresh: options.full_refresh, is_part };
        if let Some(run) = self.to_continue(&version, run_options, &lock).await? {
            return self.go_on(&run, lock, origin.cause.as_ref()).await;
        }
        self.begin(pipeline, version, run_options, origin, lock).await
    }

    /// Goes on with a run that crashed, failed or was cancelled: committed segments are kept, the others run again.
    pub async fn resume(&self, run: &RunId) -> Result<RunId> {
        let lock = self.lock(&self.store().run(run).await?.pipeline).await?;
        self.resumable(run).await?;
        self.go_on(run, lock, None).await
    }

    /// Takes every run over that has not ended, and tells which: attempts that executors still have go on as they are. Only
    /// for a coordinator that leads: nobody else decides about these runs then.
    pub async fn take_over(&self) -> Result<Vec<RunId>> {
        let mut taken = Vec::new();
        for run in self.store().unfinished_runs().await? {
            let lock = self.lock(&self.store().run(&run).await?.pipeline).await?;
            let state = self.reclaim(&run).await?;
            self.take_up(state, Event::Reattach, lock, None).await?;
            taken.push(run);
        }
        Ok(taken)
    }

    /// Goes on with every run whose process ended while it was running, and tells which; what another process of this
    /// home runs, or cannot be gone on with, is left as it is. Only for a coordinator that is alone with its database and
    /// whose executor ends with it: runs of another home's living processes would be taken from them.
    pub async fn go_on_with_all(&self) -> Result<Vec<RunId>> {
        let mut taken = Vec::new();
        // Those that were under way first, then whoever has waited longest.
        let mut runs = self.store().runs().await?;
        runs.sort_by(|a, b| (a.queued, &a.id).cmp(&(b.queued, &b.id)));
        for run in runs {
            if run.state != Phase::Running || run.finished_at.is_some() {
                continue;
            }
            match self.resume(&run.id).await {
                Ok(run) => taken.push(run),
                Err(Error::Busy { .. }) => {}
                Err(error) => {
                    tracing::warn!(run = %run.id, error = %error.chain(), "an unfinished run is left as it is")
                }
            }
        }
        Ok(taken)
    }

    /// What a run was told, by the names of its pipeline's parameters.
    pub(crate) async fn params(&self, run: &RunId) -> Result<BTreeMap<String, Value>> {
        let row = self.store().run(run).await?;
        Ok(self.store().pipeline(&row.pipeline, &row.hash).await?.values())
    }

    async fn begin(
        &self,
        pipeline: Pipeline,
        version: Version,
        options: RunOptions,
        origin: Origin,
        lock: Arc<Lock>,
    ) -> Result<RunId> {
        let (starts, schemas) = match options.full_refresh {
            true => Default::default(),
            false => (self.store().starts(&pipeline.name).await?, self.store().schemas(&pipeline.name).await?),
        };
        let locked = self.is_locked(&pipeline).await?;
        let moment = clock::moment();
        let id = clock::new_run_id();
        let turn = self.turn(&id, &origin, false).await?;
        let new = NewRun {
            id,
            pipeline,
            hash: version.hash.clone(),
            options,
            starts,
            schemas,
            parallel_segments: self.inner.parallel_segments,
            locked,
            queued: !turn.has_come(),
            now: moment.now,
        };
        let first = move |term, tokens| {
            let mut state = RunState::new(new, term, tokens);
            let log = Event::Begin.describe();
            let mut decision = machine::step(&mut state, moment, Event::Begin);
            // Every row is new.
            decision.changes.run = true;
            decision.changes.segments.extend(state.segments.keys().cloned());
            (state.record(decision.changes, log, moment.now), (state, decision.commands))
        };
        let (state, commands) = self.store().create(&version, &origin, TOKENS, moment.now, first).await?;
        let run = state.id.clone();
        self.launch(state, commands, (lock, turn));
        Ok(run)
    }

    /// The newest run, if it is to be continued; else leaves nothing of earlier runs open.
    async fn to_continue(&self, version: &Version, options: RunOptions, lock: &Arc<Lock>) -> Result<Option<RunId>> {
        let Some(newest) = self.store().newest_run(&version.pipeline).await? else { return Ok(None) };
        let same = newest.hash == version.hash && newest.options == options;
        let open = self.store().unsettled_runs(&version.pipeline).await?;
        let crashed = !newest.state.is_terminal();
        // A run that succeeded is under way again while its staging is removed: there is nothing in it to go on with.
        let going = newest.state == Phase::Running && newest.finished_at.is_none();
        if same && (going || (!crashed && self.has_open_commit(&newest, &open).await?)) {
            return Ok(Some(newest.id));
        }
        let crashed = crashed.then(|| newest.id.clone());
        for run in open.into_iter().chain(crashed) {
            self.settle(&run, lock).await?;
        }
        let state = RunState::stored(self.store().load(&newest.id).await?)?;
        if state.phase == Phase::Success || !state.is_partly_appended() {
            return Ok(None);
        }
        if same {
            return Ok(Some(newest.id));
        }
        tracing::warn!(
            pipeline = %version.pipeline, run = %newest.id,
            "an earlier run of another version had appended rows to some of its targets; they may be appended again"
        );
        Ok(None)
    }

    async fn has_open_commit(&self, run: &RunRow, unsettled: &[RunId]) -> Result<bool> {
        if !unsettled.contains(&run.id) {
            return Ok(false);
        }
        let state = RunState::stored(self.store().load(&run.id).await?)?;
        Ok(has_open_commit(&view(&state, clock::now())))
    }

    /// Brings a run that nobody continues to its end, and waits for that.
    async fn settle(&self, run: &RunId, lock: &Arc<Lock>) -> Result<()> {
        let failure = Failure::new(Class::Cancelled, "superseded: the pipeline was run again in another version");
        let state = self.claim(run).await?;
        let Some(mut watch) = self.take_up(state, Event::Settle(failure), Arc::clone(lock), None).await? else {
            return Ok(());
        };
        // Bounded by the run's hard stop, and by the executor's own limits for a commit.
        let ended = watch.wait_for(|s| s.interrupted.is_some() || s.view.state.is_terminal()).await;
        match ended {
            Ok(snapshot) if snapshot.interrupted.is_none() && !has_open_commit(&snapshot.view) => Ok(()),
            _ => Err(Error::Unsettled(run.clone())),
        }
    }

    async fn go_on(&self, run: &RunId, lock: Arc<Lock>, cause: Option<&Cause>) -> Result<RunId> {
        let state = self.reclaim(run).await?;
        self.take_up(state, Event::Resume, lock, cause).await?;
        Ok(run.clone())
    }

    /// Becomes the owner of a run that is to go on, and reads where its extracts start.
    async fn reclaim(&self, run: &RunId) -> Result<RunState> {
        let mut state = self.claim(run).await?;
        if !state.options.full_refresh {
            state.starts = self.store().starts(&state.pipeline.name).await?;
            state.schemas = self.store().schemas(&state.pipeline.name).await?;
        }
        Ok(state)
    }

    /// Makes and writes the first decision about a run of an earlier process, and starts its actor unless that decision
    /// has ended the run.
    async fn take_up(
        &self,
        mut state: RunState,
        event: Event,
        lock: Arc<Lock>,
        cause: Option<&Cause>,
    ) -> Result<Option<watch::Receiver<Snapshot>>> {
        // What went on before has its turn; a run that is only brought to its end needs none.
        let goes = match event {
            Event::Reattach => !state.queued,
            Event::Settle(_) => true,
            _ => false,
        };
        let turn = self.turn(&state.id, &Origin::default(), goes).await?;
        state.queued = !turn.has_come();
        let (log, moment) = (event.describe(), clock::moment());
        let decision = machine::step(&mut state, moment, event);
        let record = state.record(decision.changes, log, moment.now);
        self.store().save_for(&record, cause).await?;
        Ok(match state.phase.is_terminal() {
            true => None,
            false => Some(self.launch(state, decision.commands, (lock, turn))),
        })
    }

    /// Becomes the owner of a run, and reads it as its former owner left it.
    async fn claim(&self, run: &RunId) -> Result<RunState> {
        let tokens = self.store().claim(run, TOKENS).await?;
        let mut state = RunState::stored(self.store().load(run).await?)?;
        state.tokens = tokens.map(Token).collect();
        state.parallel_segments = self.inner.parallel_segments;
        state.locked = self.is_locked(&state.pipeline).await?;
        Ok(state)
    }

    /// Whether a vault that the pipeline's connections need is locked. What else may be wrong with it shows when they are used.
    async fn is_locked(&self, pipeline: &Pipeline) -> Result<bool> {
        for organization in sealed_by(pipeline.connections.values()) {
            match self.vault().is_locked(&organization).await {
                Ok(false) | Err(Error::Vault(_)) => {}
                locked => return locked,
            }
        }
        Ok(false)
    }

    /// The place of a run among others: of a new one as `origin` says, else as it is stored.
    async fn turn(&self, run: &RunId, origin: &Origin, goes: bool) -> Result<Turn> {
        let (organization, limit, stored) = self.store().limit_of(run, origin.organization.as_deref()).await?;
        let priority = stored.unwrap_or(origin.priority);
        Ok(self.turns().enter(Entry { run: run.clone(), organization, limit, priority }, goes))
    }

    fn launch(&self, state: RunState, opening: Vec<Command>, held: (Arc<Lock>, Turn)) -> watch::Receiver<Snapshot> {
        RunActor::launch(self.inner.control.arbiter(), &self.inner.around, state, opening, held)
    }

    /// The run, if it may be resumed: the newest of its pipeline, and not a success.
    async fn resumable(&self, run: &RunId) -> Result<RunRow> {
        let row = self.store().run(run).await?;
        if row.state == Phase::Success {
            return Err(not_resumable(run, "it succeeded"));
        }
        match self.store().newest_run(&row.pipeline).await? {
            Some(newest) if newest.id != *run => {
                Err(not_resumable(run, &format!("run `{}` of the same pipeline came after it", newest.id)))
            }
            _ => Ok(row),
        }
    }
}

fn has_open_commit(view: &RunView) -> bool {
    view.segments.values().any(|s| s.state == BlockPhase::Committing)
}

fn not_resumable(run: &RunId, reason: &str) -> Error {
    Error::NotResumable { run: run.clone(), reason: reason.to_owned() }
}
