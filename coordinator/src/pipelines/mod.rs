//! Pipelines that are kept for organizations: their files with every state these were in, how they stand, and their runs.
//!
//! [`Pipelines`] is how the outside asks: `apply` makes and changes, `compile` reads files with what the executors can do,
//! `history` looks back and brings back, `launch` runs and plans, `preview` shows rows, `state` is what runs leave to the next.

mod apply;
mod compile;
mod history;
mod launch;
mod model;
mod place;
mod preview;
mod state;

use std::sync::Arc;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::pipeline::Touches;

pub(crate) use self::apply::{Applied, Outcome};
use self::compile::Known;
pub(crate) use self::history::{Difference, RevisionItem};
pub(crate) use self::launch::RunWish;
pub(crate) use self::model::{
    LastRun, LastRunItem, Listed, PipelineDetail, PipelineFile, PipelineItem, PipelineWish, Revision, RunStatus,
    Standing, Status, StoredPipeline,
};
pub(crate) use self::preview::PreviewFile;
pub(crate) use self::state::StateItem;
use crate::accounts::{Caller, Change, Refusal, Tenant};
use crate::connections::Connections;
use crate::fleet::Roster;
use crate::store::{Directory, PipelineQuery};
use crate::{Handle, Result, files};

/// Runs that lists show of each pipeline.
const RECENT_RUNS: i64 = 14;

/// The pipelines of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pipelines {
    handle: Handle,
    roster: Arc<dyn Roster>,
}

impl Pipelines {
    pub(crate) fn new(handle: Handle, roster: Arc<dyn Roster>) -> Self {
        Self { handle, roster }
    }

    /// Those that `query` asks for, by name.
    pub(crate) async fn list(&self, query: &PipelineQuery) -> Result<Vec<PipelineItem>> {
        let mut directory = self.handle.store().directory().await?;
        let found = directory.stored_pipelines(query).await?;
        self.shown(&mut directory, found).await
    }

    /// All of an organization, by name, each with what it reads and writes; nothing while its file is not right.
    pub(crate) async fn touching(&self, tenant: &Tenant, limit: i64) -> Result<Vec<(Listed, Touches)>> {
        let query = PipelineQuery { organization: tenant.organization.id.clone(), limit, ..Default::default() };
        let found = self.handle.store().directory().await?.stored_pipelines(&query).await?;
        let catalogue = self.roster.catalogue();
        let with_touches = |listed: Listed| {
            let known = listed.definition.as_ref().zip(catalogue.as_deref());
            let touches = known.map(|(definition, catalogue)| definition.touches(catalogue)).unwrap_or_default();
            (listed, touches)
        };
        Ok(found.into_iter().map(with_touches).collect())
    }

    /// As lists show them.
    async fn shown(&self, directory: &mut Directory, found: Vec<Listed>) -> Result<Vec<PipelineItem>> {
        let keys: Vec<_> = found.iter().map(|listed| listed.pipeline.key.clone()).collect();
        let mut recent = directory.recent_runs(&keys, RECENT_RUNS).await?;
        let catalogue = self.roster.catalogue();
        let item = |listed: Listed| {
            let runs = recent.remove(&listed.pipeline.key).unwrap_or_default();
            PipelineItem::new(listed, runs, catalogue.as_deref())
        };
        Ok(found.into_iter().map(item).collect())
    }

    /// One with its file as it is now.
    pub(crate) async fn get(&self, tenant: &Tenant, id: &str) -> Result<PipelineDetail, Refusal> {
        let mut directory = self.handle.store().directory().await?;
        let query = PipelineQuery {
            organization: tenant.organization.id.clone(),
            id: id.to_owned(),
            limit: 1,
            ..Default::default()
        };
        let listed = directory.stored_pipelines(&query).await?.pop().ok_or_else(|| nothing(id))?;
        let revision = newest(&mut directory, &listed.pipeline).await?;
        let layout = listed.pipeline.layout.clone();
        let item = self.shown(&mut directory, vec![listed]).await?.pop().ok_or_else(|| nothing(id))?;
        drop(directory);
        // Without any executor nobody knows what is a block: the file is shown all the same.
        let catalogue = self.roster.catalogue();
        let source = revision.file.source();
        let graph_definition = catalogue.as_deref().and_then(|known| source.graph(known, &layout));
        let problems = match (&revision.definition, catalogue) {
            (None, Some(_)) => {
                let known = self.known(&tenant.organization.id).await?;
                compile::parse(&known, &revision.file).err().unwrap_or_default()
            }
            _ => Vec::new(),
        };
        Ok(PipelineDetail { item, file: revision.file, graph_definition, layout, problems })
    }

    /// Removes a pipeline that does not run, and all it remembers; with `revision`, only while that is its newest.
    pub(crate) async fn remove(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (id, revision): (&str, Option<i64>),
    ) -> Result<(), Refusal> {
        let mut directory = self.handle.store().change_directory().await?;
        let pipeline = directory.stored_pipeline(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))?;
        apply::check_revision(&pipeline, revision)?;
        if directory.is_pipeline_running(&pipeline.key).await? {
            return Err(Refusal::Conflict(format!("pipeline `{}` is running: cancel its run first", pipeline.name)));
        }
        directory.remove_stored_pipeline(&pipeline).await?;
        let change = Change {
            organization: Some(&tenant.organization.id),
            action: "pipeline.removed",
            subject: id,
            before: pipeline.document(),
            after: None,
        };
        directory.audit(&caller.entry(change)).await?;
        Ok(directory.commit().await?)
    }

    /// What the files of an organization may name.
    async fn known(&self, organization: &str) -> Result<Known, Refusal> {
        let catalogue = self.catalogue()?;
        let kept = Connections::new(self.handle.vault(), Arc::clone(&self.roster));
        let mut connections = kept.named(organization, &catalogue).await?;
        let own = self.handle.space().and_then(|space| files::connection(space, organization));
        if let Some(own) = own {
            // A connection of that name that the organization made itself is the one that is meant.
            connections.entry(files::CONNECTION.to_owned()).or_insert(own);
        }
        let mut directory = self.handle.store().directory().await?;
        let destinations = directory.destinations(organization).await?;
        let destinations = destinations.into_iter().map(|destination| destination.name).collect();
        let tenancy = directory.tenancy(organization).await?;
        Ok(Known { catalogue, connections, destinations, tenancy })
    }

    fn catalogue(&self) -> Result<Arc<Catalogue>, Refusal> {
        self.roster.catalogue().ok_or_else(|| Refusal::Unavailable("no executor is known yet".into()))
    }
}

fn nothing(id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no pipeline `{id}`"))
}

/// The revision that a pipeline is now.
async fn newest(directory: &mut Directory, pipeline: &StoredPipeline) -> Result<Revision, Refusal> {
    let found = directory.revision(&pipeline.id, pipeline.revision).await?;
    found.ok_or_else(|| nothing(&pipeline.id))
}
