//! Making and changing stored pipelines: every change of a file is a revision, and the same file again is none.

use flowetl_proto::pipeline::quantity;
use flowetl_proto::run::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::compile::{self, Compiled, Known};
use super::{PipelineFile, PipelineWish, Pipelines, Revision, Standing, StoredPipeline, newest, nothing};
use crate::accounts::{Caller, Change, Refusal, Tenant};
use crate::schedule;
use crate::store::Directory;
use crate::{Result, clock};

/// What relative paths start from where nobody says.
const FOLDER: &str = "/";
const MESSAGE_CHARS_MAX: usize = 1_000;
/// Pipelines of one organization: more than anyone keeps apart, fewer than make lists slow.
const PIPELINES_MAX: usize = 10_000;

/// What became of a pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    Created,
    Changed,
    /// It was like that before.
    Unchanged,
}

/// A pipeline that was applied.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub pipeline: StoredPipeline,
    pub outcome: Outcome,
}

/// What a pipeline is to become.
struct Target {
    file: PipelineFile,
    compiled: Compiled,
    standing: Standing,
    layout: Option<flowetl_proto::pipeline::Layout>,
    message: String,
    restored: Option<i64>,
}

impl Pipelines {
    /// Makes a pipeline. Refused where one of its name is there.
    pub(crate) async fn create(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        wish: PipelineWish,
    ) -> Result<Applied, Refusal> {
        let target = Self::target(&self.known(&tenant.organization.id).await?, None, wish)?;
        let mut directory = self.handle.store().change_directory().await?;
        let made = make(&mut directory, caller, tenant, target).await?;
        directory.commit().await?;
        self.handle.wake_schedules();
        Ok(made)
    }

    /// Makes the pipeline of a file, or makes the one of its name like the file.
    pub(crate) async fn apply(&self, caller: &Caller, tenant: &Tenant, wish: PipelineWish) -> Result<Applied, Refusal> {
        let organization = &tenant.organization.id;
        let known = self.known(&tenant.organization.id).await?;
        let mut directory = self.handle.store().change_directory().await?;
        let target = Self::target(&known, None, wish.clone())?;
        let applied = match directory.pipeline_of_name(organization, &target.compiled.name).await? {
            Some(before) => {
                let revision = newest(&mut directory, &before).await?;
                let target = Self::target(&known, Some((&before, &revision)), wish)?;
                change(&mut directory, caller, before, &revision, target).await?
            }
            None => make(&mut directory, caller, tenant, target).await?,
        };
        directory.commit().await?;
        self.handle.wake_schedules();
        Ok(applied)
    }

    /// Changes a pipeline; with `revision`, only while that is its newest.
    pub(crate) async fn update(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (id, revision): (&str, Option<i64>),
        wish: PipelineWish,
    ) -> Result<Applied, Refusal> {
        let known = self.known(&tenant.organization.id).await?;
        let mut directory = self.handle.store().change_directory().await?;
        let before = directory.stored_pipeline(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))?;
        check_revision(&before, revision)?;
        let from = newest(&mut directory, &before).await?;
        let target = Self::target(&known, Some((&before, &from)), wish)?;
        let changed = change(&mut directory, caller, before, &from, target).await?;
        directory.commit().await?;
        self.handle.wake_schedules();
        Ok(changed)
    }

    /// Makes a pipeline what it was in the revision `number`, as a new revision.
    pub(crate) async fn restore(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (id, revision): (&str, Option<i64>),
        number: i64,
    ) -> Result<Applied, Refusal> {
        let known = self.known(&tenant.organization.id).await?;
        let mut directory = self.handle.store().change_directory().await?;
        let before = directory.stored_pipeline(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))?;
        check_revision(&before, revision)?;
        let old = directory.revision(id, number).await?;
        let old = old.ok_or_else(|| Refusal::NotFound(format!("there is no revision {number}")))?;
        let from = newest(&mut directory, &before).await?;
        let compiled = compile::compile(&known, &old.file, before.standing == Standing::Draft)?;
        let target = Target {
            compiled,
            file: old.file,
            standing: before.standing,
            layout: None,
            message: format!("back to revision {number}"),
            restored: Some(number),
        };
        let changed = change(&mut directory, caller, before, &from, target).await?;
        directory.commit().await?;
        self.handle.wake_schedules();
        Ok(changed)
    }

    /// What a wish makes of a pipeline, or of nothing.
    fn target(
        known: &Known,
        before: Option<(&StoredPipeline, &Revision)>,
        wish: PipelineWish,
    ) -> Result<Target, Refusal> {
        let given = compile::text_of(&wish)?;
        let old = before.map(|(_, revision)| &revision.file);
        let (text, layout) = match (given, old) {
            (Some(given), _) => given,
            (None, Some(old)) => (old.text.clone(), wish.layout.clone()),
            (None, None) => return Err(Refusal::wrong("text", "a pipeline has a `text` or a `graph_definition`")),
        };
        let folder = wish.folder.or_else(|| old.map(|old| old.folder.clone())).unwrap_or_else(|| FOLDER.to_owned());
        if !folder.starts_with('/') {
            return Err(Refusal::wrong("folder", "a folder on the executors is an absolute path"));
        }
        let message = wish.message.unwrap_or_default();
        if message.chars().count() > MESSAGE_CHARS_MAX {
            return Err(Refusal::wrong("message", format!("a message has at most {MESSAGE_CHARS_MAX} characters")));
        }
        let named = wish.name.as_deref().map(compile::file_name);
        let mut file = PipelineFile {
            file: named.or_else(|| old.map(|old| old.file.clone())).unwrap_or_else(|| compile::file_name("pipeline")),
            text,
            folder,
            connections_text: wish
                .connections_text
                .or_else(|| old.and_then(|old| old.connections_text.clone()))
                .filter(|text| !text.trim().is_empty()),
        };
        let standing = wish.status.or(before.map(|(pipeline, _)| pipeline.standing)).unwrap_or(Standing::Active);
        let compiled = compile::compile(known, &file, standing == Standing::Draft)?;
        compile::check_edges(&known.catalogue, wish.graph_definition.as_ref(), &file)?;
        // What is called so now is called so when the file does not say it any more.
        file.file = compile::file_name(&compiled.name);
        Ok(Target { file, compiled, standing, layout, message, restored: None })
    }
}

pub(super) fn check_revision(pipeline: &StoredPipeline, wanted: Option<i64>) -> Result<(), Refusal> {
    match wanted {
        Some(wanted) if wanted != pipeline.revision => Err(changed_since(pipeline)),
        _ => Ok(()),
    }
}

fn changed_since(pipeline: &StoredPipeline) -> Refusal {
    Refusal::Changed(format!(
        "pipeline `{}` has changed since: its newest revision is {}",
        pipeline.name, pipeline.revision
    ))
}

fn taken(name: &str) -> Refusal {
    Refusal::Conflict(format!("there is a pipeline `{name}` already"))
}

impl Target {
    fn revision(&self, caller: &Caller, number: i64, now: i64) -> Revision {
        Revision {
            number,
            file: self.file.clone(),
            definition: self.compiled.definition.clone(),
            author: caller.person.as_ref().map(|person| person.id.clone()),
            message: self.message.clone(),
            restored: self.restored,
            created_at: Timestamp(now),
        }
    }

    /// What the file says of when it runs.
    fn schedule(&self) -> Option<&Value> {
        self.compiled.definition.as_ref()?.service.get("schedule")
    }

    /// How old the file lets the newest success be, in milliseconds.
    fn fresh_ms(&self) -> Option<i64> {
        let said = self.compiled.definition.as_ref()?.service.get("freshness")?.as_str()?;
        i64::try_from(quantity::duration(said).ok()?.as_millis()).ok()
    }
}

async fn make(directory: &mut Directory, caller: &Caller, tenant: &Tenant, target: Target) -> Result<Applied, Refusal> {
    let (organization, now) = (&tenant.organization.id, clock::now());
    let name = target.compiled.name.clone();
    directory.lock_organization(organization).await?;
    if directory.pipeline_of_name(organization, &name).await?.is_some() {
        return Err(taken(&name));
    }
    if directory.count_pipelines(organization).await? >= PIPELINES_MAX as i64 {
        return Err(Refusal::Conflict(format!("the organization has {PIPELINES_MAX} pipelines: remove some")));
    }
    let id = clock::new_id();
    // The end of an id is random.
    let own = format!("{name}.{}", &id[id.len() - 12..]);
    let is_default = directory.default_organization().await?.as_deref() == Some(organization.as_str());
    let mut pipeline = StoredPipeline {
        key: if is_default { name.clone() } else { own.clone() },
        id,
        organization: organization.clone(),
        name,
        standing: target.standing,
        description: target.compiled.description.clone(),
        revision: 1,
        layout: target.layout.clone().unwrap_or_default(),
        created_at: Timestamp(now),
        updated_at: Timestamp(now),
    };
    if !directory.add_stored_pipeline(&pipeline).await? {
        // A pipeline that was renamed has the name for its key.
        pipeline.key = own;
        if !directory.add_stored_pipeline(&pipeline).await? {
            return Err(taken(&pipeline.name));
        }
    }
    directory.add_revision(&pipeline.id, &target.revision(caller, 1, now)).await?;
    if target.compiled.definition.is_some() {
        schedule::follow_file(directory, &pipeline, target.schedule(), now).await?;
        directory.set_freshness(&pipeline, target.fresh_ms()).await?;
    }
    audit(directory, caller, "pipeline.made", None, &pipeline).await?;
    Ok(Applied { pipeline, outcome: Outcome::Created })
}

async fn change(
    directory: &mut Directory,
    caller: &Caller,
    before: StoredPipeline,
    newest: &Revision,
    target: Target,
) -> Result<Applied, Refusal> {
    let now = clock::now();
    // A draft that has become right is another thing, though its file is the same.
    let is_same_file =
        target.file == newest.file && target.compiled.definition.is_some() == newest.definition.is_some();
    let after = StoredPipeline {
        name: target.compiled.name.clone(),
        standing: target.standing,
        description: target.compiled.description.clone(),
        revision: if is_same_file { before.revision } else { before.revision + 1 },
        layout: target.layout.clone().unwrap_or_else(|| before.layout.clone()),
        ..before.clone()
    };
    if after == before {
        return Ok(Applied { pipeline: before, outcome: Outcome::Unchanged });
    }
    let after = StoredPipeline { updated_at: Timestamp(now), ..after };
    if !directory.change_stored_pipeline(&after, before.revision).await? {
        let other = directory.pipeline_of_name(&after.organization, &after.name).await?;
        return Err(if other.is_some_and(|other| other.id != after.id) {
            taken(&after.name)
        } else {
            changed_since(&before)
        });
    }
    if !is_same_file {
        directory.add_revision(&after.id, &target.revision(caller, after.revision, now)).await?;
    }
    if !is_same_file && target.compiled.definition.is_some() {
        schedule::follow_file(directory, &after, target.schedule(), now).await?;
        directory.set_freshness(&after, target.fresh_ms()).await?;
    }
    if after.standing != before.standing {
        schedule::follow_standing(directory, &after, now).await?;
    }
    let action = if target.restored.is_some() { "pipeline.restored" } else { "pipeline.changed" };
    audit(directory, caller, action, Some(&before), &after).await?;
    Ok(Applied { pipeline: after, outcome: Outcome::Changed })
}

async fn audit(
    directory: &mut Directory,
    caller: &Caller,
    action: &'static str,
    before: Option<&StoredPipeline>,
    after: &StoredPipeline,
) -> Result<()> {
    let change = Change {
        organization: Some(&after.organization),
        action,
        subject: &after.id,
        before: before.and_then(StoredPipeline::document),
        after: after.document(),
    };
    directory.audit(&caller.entry(change)).await
}
