//! Making and changing schedules: by people, and by the file of a pipeline that is applied.

use std::collections::BTreeMap;

use flowetl_proto::cron::{Cron, Zone};
use flowetl_proto::id::BlockId;
use flowetl_proto::run::Timestamp;
use serde_json::Value;

use super::{ListedSchedule, Missed, Preview, PreviewWish, Schedule, ScheduleItem, ScheduleWish};
use crate::accounts::{Caller, Change, Refusal, Tenant};
use crate::pipelines::{Standing, StoredPipeline};
use crate::store::Directory;
use crate::{Handle, Result, clock};

/// Schedules of one pipeline: more than anyone keeps apart.
const SCHEDULES_MAX: i64 = 50;

/// The schedules of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Schedules {
    handle: Handle,
}

impl Schedules {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Oldest first, those behind the id `after`; of one pipeline, unless its id is empty.
    pub(crate) async fn list(
        &self,
        tenant: &Tenant,
        pipeline: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<ScheduleItem>> {
        let mut directory = self.handle.store().directory().await?;
        let found = directory.schedules(&tenant.organization.id, pipeline, after, limit).await?;
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
        let target = wish.target_id.as_deref().ok_or_else(|| missing("target_id"))?;
        let cron = wish.cron_expression.clone().ok_or_else(|| missing("cron_expression"))?;
        let mut directory = self.handle.store().change_directory().await?;
        let pipeline = directory.stored_pipeline(organization, target).await?;
        let pipeline =
            pipeline.ok_or_else(|| Refusal::wrong("target_id", format!("there is no pipeline `{target}`")))?;
        directory.lock_organization(organization).await?;
        if directory.count_schedules(&pipeline.id).await? >= SCHEDULES_MAX {
            return Err(Refusal::Conflict(format!("the pipeline has {SCHEDULES_MAX} schedules: remove some")));
        }
        let now = clock::now();
        let new = Schedule { cron, ..blank(&pipeline, now) };
        let schedule = wished(&mut directory, new, &pipeline, &wish).await?;
        directory.put_schedule(&timed(schedule.clone(), pipeline.standing, now)).await?;
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
        let mut directory = self.handle.store().change_directory().await?;
        let before = found(&mut directory, tenant, id).await?.schedule;
        let pipeline = directory.stored_pipeline(&before.organization, &before.pipeline).await?;
        let pipeline = pipeline.ok_or_else(|| nothing(id))?;
        if wish.target_id.as_ref().is_some_and(|target| *target != before.pipeline) {
            return Err(Refusal::wrong("target_id", "what a schedule runs cannot be changed: make another one"));
        }
        let after = wished(&mut directory, before.clone(), &pipeline, &wish).await?;
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
        directory.put_schedule(&timed(after.clone(), pipeline.standing, now)).await?;
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
        ..before.clone().unwrap_or_else(|| Schedule { of_file: true, ..blank(pipeline, now) })
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

/// A schedule of a pipeline that says nothing yet.
fn blank(pipeline: &StoredPipeline, now: i64) -> Schedule {
    Schedule {
        id: clock::new_id(),
        organization: pipeline.organization.clone(),
        pipeline: pipeline.id.clone(),
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

/// A schedule with what a wish says of it.
async fn wished(
    directory: &mut Directory,
    before: Schedule,
    pipeline: &StoredPipeline,
    wish: &ScheduleWish,
) -> Result<Schedule, Refusal> {
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
    let revision = directory.revision(&pipeline.id, pipeline.revision).await?;
    let known = revision.and_then(|revision| revision.definition);
    if let Some(known) = known.clone().filter(|known| !known.params.is_empty() || !after.params.is_empty()) {
        known.bound(&after.params).map_err(|message| Refusal::Wrong { field: "params", message })?;
    }
    if let Some(block) = after.until.as_ref().filter(|_| after.until != before.until)
        && !known.is_some_and(|known| known.blocks.contains_key(&BlockId::new(block)))
    {
        return Err(Refusal::wrong("until", format!("there is no block `{block}` in the pipeline")));
    }
    Ok(after)
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
