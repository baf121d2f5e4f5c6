//! Running stored pipelines, and looking at what a run would do.

use std::collections::BTreeMap;

use flowetl_proto::code::Failure;
use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::look::SegmentPlan;
use flowetl_proto::pipeline::{GraphDefinition, Layout, Parsed, Pipeline, Problem, ProblemCode};
use flowetl_proto::run::Options;
use serde::Deserialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{PipelineWish, Pipelines, StoredPipeline, compile, newest, nothing};
use crate::accounts::{Caller, Change, Refusal, Tenant, document};
use crate::store::{Origin, OwnedRun, Trigger};
use crate::turn::Priority;
use crate::{Error, cut};

/// How a pipeline is to be run.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunWish {
    /// Incremental extracts read from the beginning, and sources are taken as they are now.
    #[serde(default)]
    pub full_refresh: bool,
    /// Only this block and what it needs.
    pub until: Option<String>,
    /// The id of a run of this pipeline to go on with, which must be of the same revision.
    pub resume: Option<String>,
    /// Which of the organization's runs that wait for their turn comes first; as the pipeline's file says where it is left out.
    pub priority: Option<Priority>,
    /// Values of the pipeline's parameters, by name; of those that are left out, their defaults. A run that is gone on with
    /// keeps its own.
    #[schema(value_type = Option<Object>)]
    pub params: Option<BTreeMap<String, Value>>,
}

/// What a file is found to be.
pub(crate) struct Checked {
    pub problems: Vec<Problem>,
    /// `None` where it cannot be read at all.
    pub graph: Option<GraphDefinition>,
}

impl Pipelines {
    /// Begins a run of the newest revision, or goes on with one. A paused pipeline may be run like that, too: only its
    /// schedules are.
    pub(crate) async fn run(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        id: &str,
        wish: RunWish,
    ) -> Result<OwnedRun, Refusal> {
        let (stored, pipeline) = self.runnable(tenant, id).await?;
        let (pipeline_id, revision) = (Some(stored.id.clone()), Some(stored.revision));
        let origin = Origin { pipeline: pipeline_id, revision, ..Origin::default() };
        self.begin(caller, tenant, (pipeline, origin), ("pipeline.run", &stored.id), wish).await
    }

    /// Begins a run of a pipeline that is made for a transformation, of this id, and kept nowhere.
    pub(crate) async fn run_made(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (pipeline, transformation): (Pipeline, &str),
        wish: RunWish,
    ) -> Result<OwnedRun, Refusal> {
        let origin = Origin { transformation: Some(transformation.to_owned()), ..Origin::default() };
        self.begin(caller, tenant, (pipeline, origin), ("transformation.run", transformation), wish).await
    }

    async fn begin(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (pipeline, origin): (Pipeline, Origin),
        (action, subject): (&'static str, &str),
        wish: RunWish,
    ) -> Result<OwnedRun, Refusal> {
        let options = Options {
            full_refresh: wish.full_refresh,
            until: wish.until.map(BlockId::new),
            resume: wish.resume.map(RunId::new),
        };
        let organization = &tenant.organization.id;
        let origin = Origin {
            organization: Some(organization.clone()),
            trigger: if caller.key.is_some() { Trigger::Api } else { Trigger::Manual },
            priority: wish.priority.unwrap_or_else(|| Priority::of_file(&pipeline)),
            ..origin
        };
        let pipeline = match wish.params.filter(|params| !params.is_empty()) {
            Some(params) => pipeline.bound(&params).map_err(|message| Refusal::Wrong { field: "params", message })?,
            None => pipeline,
        };
        let run = self.handle.submit_for(pipeline, options, origin).await.map_err(refused)?;
        let mut directory = self.handle.store().change_directory().await?;
        let change =
            Change { organization: Some(organization), action, subject, before: None, after: document(&run.as_str()) };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        Ok(self.handle.run_of(organization, &run).await?)
    }

    /// The pipeline of a file that is not kept.
    pub(crate) async fn parsed(&self, tenant: &Tenant, wish: PipelineWish) -> Result<Parsed, Refusal> {
        let file = compile::file_of(wish)?;
        compile::parse(&self.known(&tenant.organization.id).await?, &file).map_err(Refusal::Invalid)
    }

    /// Lets an executor look at a pipeline that is not kept; its first failure is the refusal.
    pub(crate) async fn looked_at(&self, pipeline: &Pipeline) -> Result<(), Refusal> {
        self.planned(pipeline, &pipeline.name, None).await.map(drop)
    }

    /// What a run of the newest revision would do; nothing is touched.
    pub(crate) async fn plan(&self, tenant: &Tenant, id: &str) -> Result<Vec<SegmentPlan>, Refusal> {
        let (stored, pipeline) = self.runnable(tenant, id).await?;
        self.planned(&pipeline, &stored.key, None).await
    }

    /// What a run of a file that is not kept would do.
    pub(crate) async fn plan_file(&self, tenant: &Tenant, wish: PipelineWish) -> Result<Vec<SegmentPlan>, Refusal> {
        let parsed = self.parsed(tenant, wish).await?;
        self.planned(&parsed.pipeline, &parsed.pipeline.name, Some(&parsed)).await
    }

    /// All that is wrong with a file.
    pub(crate) async fn check(&self, tenant: &Tenant, wish: PipelineWish) -> Result<Checked, Refusal> {
        let (layout, drawn) = (wish.layout.clone(), wish.graph_definition.clone());
        let file = compile::file_of(wish)?;
        let known = self.known(&tenant.organization.id).await?;
        let problems = compile::parse(&known, &file).err().unwrap_or_default();
        compile::check_edges(&known.catalogue, drawn.as_ref(), &file)?;
        let layout = layout.or_else(|| drawn.map(|graph| graph.layout())).unwrap_or_else(Layout::new);
        Ok(Checked { problems, graph: file.source().graph(&known.catalogue, &layout) })
    }

    /// A pipeline as it may be run.
    pub(super) async fn runnable(&self, tenant: &Tenant, id: &str) -> Result<(StoredPipeline, Pipeline), Refusal> {
        let mut directory = self.handle.store().directory().await?;
        let stored = directory.stored_pipeline(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))?;
        let revision = newest(&mut directory, &stored).await?;
        let unready = || Refusal::Conflict(format!("pipeline `{}` is a draft that is not right yet", stored.name));
        let definition = revision.definition.ok_or_else(unready)?;
        let pipeline = Pipeline { name: stored.key.clone(), ..definition };
        Ok((stored, pipeline))
    }

    async fn planned(
        &self,
        pipeline: &Pipeline,
        key: &str,
        parsed: Option<&Parsed>,
    ) -> Result<Vec<SegmentPlan>, Refusal> {
        let pipeline = &bound(pipeline)?;
        let remembered = self.handle.remembered(key).await?;
        let secrets = self.handle.unsealed(pipeline).await?;
        let planned = self.roster.plan(pipeline, &cut::cut(pipeline), &remembered, &secrets).await;
        planned.map_err(|failure| unseen(failure, parsed))
    }
}

/// Why looking has failed: at its place in a file that is not kept.
pub(super) fn unseen(failure: Failure, parsed: Option<&Parsed>) -> Refusal {
    match (&failure.block, parsed) {
        (Some(block), Some(parsed)) => {
            Refusal::Invalid(vec![parsed.positions.problem(block, ProblemCode::WrongValue, failure.message)])
        }
        _ => Refusal::Conflict(failure.to_string()),
    }
}

/// A pipeline that is only looked at: its parameters have their defaults.
pub(super) fn bound(pipeline: &Pipeline) -> Result<Pipeline, Refusal> {
    pipeline.clone().bound(&BTreeMap::new()).map_err(|wrong| refused(Error::Params(wrong)))
}

fn refused(error: Error) -> Refusal {
    match error {
        Error::Params(message) => Refusal::Wrong { field: "params", message },
        Error::NoBlock(_) => Refusal::Wrong { field: "until", message: error.to_string() },
        error => error.into(),
    }
}
