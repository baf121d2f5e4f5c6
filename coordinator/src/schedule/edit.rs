//! Making and changing schedules: by people, and by the file of a pipeline that is applied.

use std::collections::BTreeMap;
use std::sync::Arc;

use flowetl_proto::cron::{Cron, Zone};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Pipeline;
use flowetl_proto::run::Timestamp;
use serde_json::Value;

use super::{ListedSchedule, Missed, Preview, PreviewWish, Schedule, ScheduleItem, ScheduleWish, Target, TargetType};
use crate::accounts::{Caller, Change, Refusal, Tenant};
use crate::fleet::Roster;
use crate::pipelines::{Standing, StoredPipeline};
use crate::store::Directory;
use crate::transformations::Transformations;
use crate::{Handle, Result, clock};

/// Schedules of one pipeline or transformation: more than anyone keeps apart.
const SCHEDULES_MAX: i64 = 50;

/// The schedules of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Schedules {
    handle: Handle,
    transformations: Transformations,
}

/// What a schedule runs, as it stands now.
struct Subject {
    standing: Standing,
    /// `None` for a pipeline whose file is not right, and for what is not looked at.
    definition: Option<Pipeline>,
}

impl Schedules {
    pub(crate) fn new(handle: Handle, roster: Arc<dyn Roster>) -> Self {
        Self { transformations: Transformations::new(handle.clone(), roster), handle }
    }

    /// Oldest first, those behind the id `after`; of one pipeline or transformation, unless its id is empty.
    pub(crate) async fn list(
        &self,
        tenant: &Tenant,
        target: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ScheduleItem>> {
        let mut directory = self.handle.store().directory().await?;
        let found = directory.schedules(&tenant.organization.id, target, after, limit).await?;
        Ok(found.into_iter().map(ScheduleItem::from).collect())
    }

    pub(crate) async fn get(&self, tenant: &Tenant, id: &str) -> Result<ScheduleItem, Refusal> {
        Ok(found(&mut self.handle.store().directory().await?, tenant, id).await?.into())
    }

    pub(crate) fn preview(wish: &PreviewWish) -> Result<Preview, Refusal> {
        let (cron, zone) = times(&wish.cron_expression, wish.timezone.as_deref().unwrap_or(Zone::UTC.name()))?;
        Ok(Preview::of(&cron, zone))
    }

    pub(crate) async fn create(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        wish: ScheduleWish,
    ) -> Result<ScheduleItem, Refusal> {
        let organization = &tenant.organization.id;
        let missing = |field: &'static str| Refusal::wrong(field, format!("a schedule has a `{field}`"));
        let id = wish.target_id.clone().ok_or_else(|| missing("target_id"))?;
        let cron = wish.cron_expression.clone().ok_or_else(|| missing("cron_expression"))?;
        let with_upstream = wish.with_upstream.unwrap_or_default();
        let target = match wish.target_type.unwrap_or_default() {
            TargetType::Pipeline => Target::Pipeline(id),
            TargetType::Transformation => Target::Transformation { id, with_upstream },
        };
        // Looked at before anything is written: what a transformation is made of is read from many places.
        let made = self.made(tenant, &target).await?;
        let mut directory = self.handle.store().change_directory().await?;
        directory.lock_organization(organization).await?;
        let subject = subject(&mut directory, organization, &target, made).await?;
        let subject = subject.ok_or_else(|| no_target(&target))?;
        if directory.count_schedules(&target).await? >= SCHEDULES_MAX {
            return Err(Refusal::Conflict(format!("`{}` has {SCHEDULES_MAX} schedules: remove some", target.id())));
        }
        let now = clock::now();
        let schedule = wished(Schedule { cron, ..blank(organization, target, now) }, &subject, &wish)?;
        directory.put_schedule(&timed(schedule.clone(), subject.standing, now)).await?;
        self.done(directory, caller, tenant, ("schedule.made", None, Some(&schedule))).await?;
        self.get(tenant, &schedule.id).await
    }

    pub(crate) async fn update(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        id: &str,
        wish: ScheduleWish,
    ) -> Result<ScheduleItem, Refusal> {
        let before = found(&mut self.handle.store().directory().await?, tenant, id).await?.schedule;
        let target = match before.target.clone() {
            Target::Transformation { id, with_upstream } => {
                Target::Transformation { id, with_upstream: wish.with_upstream.unwrap_or(with_upstream) }
            }
            pipeline => pipeline,
        };
        // One that is only switched off may be of what cannot be made any more.
        let is_other = wish.params.is_some() || target != before.target;
        let made = if is_other { self.made(tenant, &target).await? } else { None };
        let mut directory = self.handle.store().change_directory().await?;
        let before = found(&mut directory, tenant, id).await?.schedule;
        let subject = subject(&mut directory, &before.organization, &target, made).await?.ok_or_else(|| nothing(id))?;
        let is_elsewhere = wish.target_id.as_ref().is_some_and(|target| *target != *before.target.id())
            || wish.target_type.is_some_and(|kind| kind != before.target.kind());
        if is_elsewhere {
            return Err(Refusal::wrong("target_id", "what a schedule runs cannot be changed: make another one"));
        }
        let after = wished(Schedule { target, ..before.clone() }, &subject, &wish)?;
        if after == before {
            drop(directory);
            return self.get(tenant, id).await;
        }
        if before.of_file && (Schedule { is_active: before.is_active, ..after.clone() }) != before {
            let message =
                "this schedule stands in its pipeline's file: change it there; here it can be enabled and disabled";
            return Err(Refusal::Conflict(message.into()));
        }
        let now = clock::now();
        directory.clear_ticks(id).await?;
        directory.put_schedule(&timed(after.clone(), subject.standing, now)).await?;
        self.done(directory, caller, tenant, ("schedule.changed", Some(&before), Some(&after))).await?;
        self.get(tenant, id).await
    }

    pub(crate) async fn remove(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
        let mut directory = self.handle.store().change_directory().await?;
        let before = found(&mut directory, tenant, id).await?.schedule;
        if before.of_file {
            let message = "this schedule stands in its pipeline's file: remove it there, or disable it here";
            return Err(Refusal::Conflict(message.into()));
        }
        directory.remove_schedule(id).await?;
        self.done(directory, caller, tenant, ("schedule.removed", Some(&before), None)).await
    }

    /// The pipeline that a run of a transformation is.
    async fn made(&self, tenant: &Tenant, target: &Target) -> Result<Option<Pipeline>, Refusal> {
        let Target::Transformation { id, with_upstream } = target else { return Ok(None) };
        match self.transformations.made(tenant, (id, *with_upstream)).await {
            Err(Refusal::NotFound(_)) => Err(no_target(target)),
            made => made.map(Some),
        }
    }

    /// Writes the change down, and lets it count at once.
    async fn done(
        &self,
        mut directory: Directory,
        caller: &Caller,
        tenant: &Tenant,
        (action, before, after): (&'static str, Option<&Schedule>, Option<&Schedule>),
    ) -> Result<(), Refusal> {
        let subject = before.or(after).map(|schedule| schedule.id.as_str()).unwrap_or_default();
        let change = Change {
            organization: Some(&tenant.organization.id),
            action,
            subject,
            before: before.and_then(Schedule::document),
            after: after.and_then(Schedule::document),
        };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        self.handle.wake_schedules();
        Ok(())
    }
}

/// Lets the schedule of a pipeline's file be what its newest revision says.
pub(crate) async fn follow_file(
    directory: &mut Directory,
    pipeline: &StoredPipeline,
    said: Option<&Value>,
    now: i64,
) -> Result<()> {
    let before = directory.schedule_of_file(&pipeline.id).await?;
    let Some(said) = said else {
        return match before {
            Some(before) => directory.remove_schedule(&before.id).await,
            None => Ok(()),
        };
    };
    let text = |key: &str| said.get(key).and_then(Value::as_str);
    let after = Schedule {
        cron: text("cron").unwrap_or_default().to_owned(),
        timezone: text("timezone").unwrap_or(Zone::UTC.name()).to_owned(),
        params: said.get("params").and_then(Value::as_object).cloned().unwrap_or_default().into_iter().collect(),
        missed: text("missed").and_then(|word| word.parse().ok()).unwrap_or_default(),
        ..before.clone().unwrap_or_else(|| {
            let target = Target::Pipeline(pipeline.id.clone());
            Schedule { of_file: true, ..blank(&pipeline.organization, target, now) }
        })
    };
    if before.is_some_and(|before| before == after) {
        return Ok(());
    }
    directory.clear_ticks(&after.id).await?;
    directory.put_schedule(&timed(after, pipeline.standing, now)).await
}

/// Lets the schedules of a pipeline come while it is active, and not while it is not.
pub(crate) async fn follow_standing(directory: &mut Directory, pipeline: &StoredPipeline, now: i64) -> Result<()> {
    for listed in directory.schedules(&pipeline.organization, &pipeline.id, "", i64::MAX).await? {
        let schedule = listed.schedule;
        directory.clear_ticks(&schedule.id).await?;
        directory.put_schedule(&timed(schedule, pipeline.standing, now)).await?;
    }
    Ok(())
}

/// A schedule that says nothing yet.
fn blank(organization: &str, target: Target, now: i64) -> Schedule {
    Schedule {
        id: clock::new_id(),
        organization: organization.to_owned(),
        target,
        cron: String::new(),
        timezone: Zone::UTC.name().to_owned(),
        missed: Missed::default(),
        until: None,
        params: BTreeMap::new(),
        is_active: true,
        of_file: false,
        next_at: None,
        created_at: Timestamp(now),
        updated_at: Timestamp(now),
    }
}

/// A schedule that comes from `now` on, if it does.
fn timed(schedule: Schedule, standing: Standing, now: i64) -> Schedule {
    let times = schedule.times().filter(|_| schedule.is_active && standing == Standing::Active);
    let next_at = times.and_then(|(cron, zone)| cron.next(now, zone)).map(Timestamp);
    Schedule { next_at, updated_at: Timestamp(now), ..schedule }
}

/// What a schedule runs: a pipeline as it is kept, or the one that was `made` of a transformation. `None` where it is gone.
async fn subject(
    directory: &mut Directory,
    organization: &str,
    target: &Target,
    made: Option<Pipeline>,
) -> Result<Option<Subject>> {
    match target {
        Target::Pipeline(id) => {
            let Some(pipeline) = directory.stored_pipeline(organization, id).await? else { return Ok(None) };
            let revision = directory.revision(&pipeline.id, pipeline.revision).await?;
            let definition = revision.and_then(|revision| revision.definition);
            Ok(Some(Subject { standing: pipeline.standing, definition }))
        }
        Target::Transformation { id, .. } => {
            let is_there = directory.transformations(organization).await?.iter().any(|of| of.id == *id);
            Ok(is_there.then_some(Subject { standing: Standing::Active, definition: made }))
        }
    }
}

/// A schedule with what a wish says of it.
fn wished(before: Schedule, subject: &Subject, wish: &ScheduleWish) -> Result<Schedule, Refusal> {
    let after = Schedule {
        cron: wish.cron_expression.clone().unwrap_or_else(|| before.cron.clone()),
        timezone: wish.timezone.clone().unwrap_or_else(|| before.timezone.clone()),
        missed: wish.missed.unwrap_or(before.missed),
        until: wish.until.clone().or_else(|| before.until.clone()).filter(|block| !block.is_empty()),
        params: wish.params.clone().unwrap_or_else(|| before.params.clone()),
        is_active: wish.is_active.unwrap_or(before.is_active),
        ..before.clone()
    };
    times(&after.cron, &after.timezone)?;
    let known = subject.definition.as_ref();
    if let Some(known) = known.filter(|known| !known.params.is_empty() || !after.params.is_empty()) {
        known.clone().bound(&after.params).map_err(|message| Refusal::Wrong { field: "params", message })?;
    }
    match (&after.target, &after.until) {
        (Target::Pipeline(_), _) if wish.with_upstream.is_some() => {
            Err(Refusal::wrong("with_upstream", "only what a transformation needs is made first: leave it out"))
        }
        (Target::Transformation { .. }, Some(_)) => {
            Err(Refusal::wrong("until", "a transformation is run as a whole: leave it out"))
        }
        (_, Some(block))
            if after.until != before.until
                && !known.is_some_and(|known| known.blocks.contains_key(&BlockId::new(block))) =>
        {
            Err(Refusal::wrong("until", format!("there is no block `{block}` in the pipeline")))
        }
        _ => Ok(after),
    }
}

fn no_target(target: &Target) -> Refusal {
    let what = match target {
        Target::Pipeline(_) => "pipeline",
        Target::Transformation { .. } => "transformation",
    };
    Refusal::wrong("target_id", format!("there is no {what} `{}`", target.id()))
}

fn times(cron: &str, timezone: &str) -> Result<(Cron, Zone), Refusal> {
    let cron = cron.parse().map_err(|message| Refusal::Wrong { field: "cron_expression", message })?;
    let zone = timezone.parse().map_err(|message| Refusal::Wrong { field: "timezone", message })?;
    Ok((cron, zone))
}

async fn found(directory: &mut Directory, tenant: &Tenant, id: &str) -> Result<ListedSchedule, Refusal> {
    directory.schedule(&tenant.organization.id, id).await?.ok_or_else(|| nothing(id))
}

fn nothing(id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no schedule `{id}`"))
}
