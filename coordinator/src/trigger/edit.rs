//! Making and changing triggers.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::RangeInclusive;

use flowetl_proto::id::BlockId;
use flowetl_proto::run::Timestamp;

use super::{Kind, ListedTrigger, MadeTrigger, Start, TriggerDetail, TriggerItem, TriggerWish};
use crate::accounts::{Caller, Change, Refusal, Secret, Tenant};
use crate::pipelines::{Pipelines, StoredPipeline};
use crate::store::{Directory, Edge};
use crate::{Handle, Result, clock};

/// Triggers of one pipeline: more than anyone keeps apart.
const TRIGGERS_MAX: i64 = 50;
/// Pipelines that one trigger waits for.
const UPSTREAM_MAX: usize = 100;
/// Events that are shown.
const FIRINGS_SHOWN: i64 = 50;
/// How often a trigger looks for files, in seconds: where it is not said, and at least and at most. Each look lists a place.
const EVERY_S: i64 = 30;
const EVERY_S_RANGE: RangeInclusive<i64> = 5..=86_400;
/// What every secret of a webhook begins with, so that it is known for one wherever it turns up.
const PREFIX: &str = "flowetl_hook_";

/// The triggers of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Triggers {
    handle: Handle,
    pipelines: Pipelines,
}

impl Triggers {
    /// `pipelines` are those of the same coordinator.
    pub(crate) fn new(handle: Handle, pipelines: Pipelines) -> Self {
        Self { handle, pipelines }
    }

    /// Oldest first, those behind the id `after`; of one pipeline, unless its id is empty.
    pub(crate) async fn list(
        &self,
        tenant: &Tenant,
        pipeline: &str,
        after: &str,
        limit: i64,
    ) -> Result<Vec<TriggerItem>> {
        let mut directory = self.handle.store().directory().await?;
        let found = directory.triggers(&tenant.organization.id, pipeline, after, limit).await?;
        Ok(found.into_iter().map(TriggerItem::from).collect())
    }

    pub(crate) async fn get(&self, tenant: &Tenant, id: &str) -> Result<TriggerDetail, Refusal> {
        let mut directory = self.handle.store().directory().await?;
        let trigger = found(&mut directory, tenant, id).await?.into();
        let firings = directory.firings(id, FIRINGS_SHOWN).await?;
        Ok(TriggerDetail { trigger, firings: firings.into_iter().map(Into::into).collect() })
    }

    pub(crate) async fn create(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        wish: TriggerWish,
    ) -> Result<MadeTrigger, Refusal> {
        let organization = &tenant.organization.id;
        let missing = |field: &'static str| Refusal::wrong(field, format!("a trigger has a `{field}`"));
        let kind = wish.kind.ok_or_else(|| missing("kind"))?;
        let target = wish.target_id.as_deref().ok_or_else(|| missing("target_id"))?;
        if let Some(place) = &wish.place {
            self.pipelines.files_at(organization, place).await?;
        }
        let mut directory = self.handle.store().change_directory().await?;
        // Who waits for whom is decided by one at a time.
        directory.lock_organization(organization).await?;
        let pipeline = known(&mut directory, tenant, "target_id", target).await?;
        if directory.count_triggers(&pipeline.id).await? >= TRIGGERS_MAX {
            return Err(Refusal::Conflict(format!("the pipeline has {TRIGGERS_MAX} triggers: remove some")));
        }
        let secret = (kind == Kind::Webhook).then(|| Secret::generate(PREFIX)).transpose()?;
        let now = Timestamp(clock::now());
        let new = Start {
            id: clock::new_id(),
            organization: organization.clone(),
            pipeline: pipeline.id.clone(),
            kind,
            secret_hash: secret.as_ref().map(|secret| secret.hash.clone()),
            place: None,
            every_s: None,
            until: None,
            params: BTreeMap::new(),
            is_active: true,
            created_at: now,
            updated_at: now,
        };
        let (start, upstream) = wished(&mut directory, tenant, (new, Vec::new()), &pipeline, &wish).await?;
        directory.put_trigger(&start).await?;
        directory.set_upstream(&start, &upstream).await?;
        if start.place.is_some() {
            directory.watch_anew(&start.id, now.0).await?;
        }
        let after = start.document(&upstream);
        self.done(&mut directory, caller, &start, ("trigger.made", None, after)).await?;
        let trigger = found(&mut directory, tenant, &start.id).await?.into();
        directory.commit().await?;
        let url = secret.map(|secret| format!("/api/v1/hooks/{}", secret.text));
        Ok(MadeTrigger { trigger, url })
    }

    pub(crate) async fn update(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        id: &str,
        wish: TriggerWish,
    ) -> Result<TriggerItem, Refusal> {
        if let Some(place) = &wish.place {
            self.pipelines.files_at(&tenant.organization.id, place).await?;
        }
        let mut directory = self.handle.store().change_directory().await?;
        directory.lock_organization(&tenant.organization.id).await?;
        let listed = found(&mut directory, tenant, id).await?;
        let fixed = |field, said: bool| match said {
            true => {
                Err(Refusal::wrong(field, format!("the `{field}` of a trigger cannot be changed: make another one")))
            }
            false => Ok(()),
        };
        fixed("kind", wish.kind.is_some_and(|kind| kind != listed.start.kind))?;
        fixed("target_id", wish.target_id.as_ref().is_some_and(|target| *target != listed.start.pipeline))?;
        let before: Vec<_> = listed.upstream.iter().map(|upstream| upstream.upstream_id.clone()).collect();
        let pipeline = known(&mut directory, tenant, "target_id", &listed.start.pipeline).await?;
        let (start, upstream) =
            wished(&mut directory, tenant, (listed.start.clone(), before.clone()), &pipeline, &wish).await?;
        if (&start, &upstream) == (&listed.start, &before) {
            return Ok(listed.into());
        }
        let start = Start { updated_at: Timestamp(clock::now()), ..start };
        directory.put_trigger(&start).await?;
        directory.set_upstream(&start, &upstream).await?;
        if start.place != listed.start.place {
            directory.watch_anew(id, start.updated_at.0).await?;
        }
        let documents = (listed.start.document(&before), start.document(&upstream));
        self.done(&mut directory, caller, &start, ("trigger.changed", documents.0, documents.1)).await?;
        let item = found(&mut directory, tenant, id).await?.into();
        directory.commit().await?;
        Ok(item)
    }

    /// Events that wait are forgotten with it.
    pub(crate) async fn remove(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
        let mut directory = self.handle.store().change_directory().await?;
        let listed = found(&mut directory, tenant, id).await?;
        directory.remove_trigger(id).await?;
        let upstream: Vec<_> = listed.upstream.iter().map(|upstream| upstream.upstream_id.clone()).collect();
        let before = listed.start.document(&upstream);
        self.done(&mut directory, caller, &listed.start, ("trigger.removed", before, None)).await?;
        Ok(directory.commit().await?)
    }

    async fn done(
        &self,
        directory: &mut Directory,
        caller: &Caller,
        start: &Start,
        (action, before, after): (&'static str, Option<serde_json::Value>, Option<serde_json::Value>),
    ) -> Result<()> {
        let change = Change { organization: Some(&start.organization), action, subject: &start.id, before, after };
        directory.audit(&caller.entry(change)).await
    }
}

/// A trigger and what it waits for with what a wish says of them.
async fn wished(
    directory: &mut Directory,
    tenant: &Tenant,
    (before, waits_for): (Start, Vec<String>),
    pipeline: &StoredPipeline,
    wish: &TriggerWish,
) -> Result<(Start, Vec<String>), Refusal> {
    let after = Start {
        place: wish.place.clone().or_else(|| before.place.clone()),
        every_s: wish.every_seconds.or(before.every_s),
        until: wish.until.clone().or_else(|| before.until.clone()).filter(|block| !block.is_empty()),
        params: wish.params.clone().unwrap_or_else(|| before.params.clone()),
        is_active: wish.is_active.unwrap_or(before.is_active),
        ..before
    };
    let mut upstream = wish.upstream.clone().unwrap_or(waits_for);
    upstream.sort();
    upstream.dedup();
    let after = check_place(after)?;
    check_upstream(directory, tenant, &after, pipeline, &upstream).await?;
    let revision = directory.revision(&pipeline.id, pipeline.revision).await?;
    let Some(definition) = revision.and_then(|revision| revision.definition) else { return Ok((after, upstream)) };
    if let Some(block) = after.until.as_ref().filter(|block| !definition.blocks.contains_key(&BlockId::new(*block))) {
        return Err(Refusal::wrong("until", format!("there is no block `{block}` in the pipeline")));
    }
    // What a call tells may be all that is missing.
    if !after.params.is_empty() || after.kind != Kind::Webhook {
        definition.bound(&after.params).map_err(|message| Refusal::Wrong { field: "params", message })?;
    }
    Ok((after, upstream))
}

/// With how often it looks for files, where it does.
fn check_place(start: Start) -> Result<Start, Refusal> {
    if start.kind != Kind::Files {
        return match (&start.place, start.every_s) {
            (None, None) => Ok(start),
            (Some(_), _) => Err(Refusal::wrong("place", "only a trigger of kind `files` looks at a place")),
            (_, Some(_)) => Err(Refusal::wrong("every_seconds", "only a trigger of kind `files` looks every so often")),
        };
    }
    if start.place.is_none() {
        return Err(Refusal::wrong(
            "place",
            "say where the files arrive: `connection/path`, such as `files/raw/*.csv`",
        ));
    }
    let every_s = start.every_s.unwrap_or(EVERY_S);
    if !EVERY_S_RANGE.contains(&every_s) {
        let (least, most) = EVERY_S_RANGE.into_inner();
        return Err(Refusal::wrong("every_seconds", format!("a trigger looks every {least} to {most} seconds")));
    }
    Ok(Start { every_s: Some(every_s), ..start })
}

/// Refuses what can never fire, and what would go on for ever.
async fn check_upstream(
    directory: &mut Directory,
    tenant: &Tenant,
    start: &Start,
    pipeline: &StoredPipeline,
    upstream: &[String],
) -> Result<(), Refusal> {
    let wrong = |message: String| Err(Refusal::Wrong { field: "upstream", message });
    match (start.kind, upstream.len()) {
        (Kind::Webhook | Kind::Files, 0) => return Ok(()),
        (Kind::Webhook | Kind::Files, _) => {
            return wrong("only a trigger of kind `upstream` waits for pipelines".into());
        }
        (Kind::Upstream, 0) => return wrong("name the pipelines that have to succeed".into()),
        (Kind::Upstream, many) if many > UPSTREAM_MAX => {
            return wrong(format!("a trigger waits for at most {UPSTREAM_MAX} pipelines"));
        }
        (Kind::Upstream, _) => {}
    }
    let mut names = BTreeMap::from([(pipeline.id.clone(), pipeline.name.clone())]);
    for id in upstream {
        let found = known(directory, tenant, "upstream", id).await?;
        names.insert(found.id, found.name);
    }
    let edges = directory.dependencies(&tenant.organization.id, &start.id).await?;
    let Some(way) = way(&edges, &pipeline.id, upstream) else { return Ok(()) };
    names.extend(edges.into_iter().map(|edge| (edge.downstream, edge.name)));
    let name = |id: &String| format!("`{}`", names.get(id).unwrap_or(id));
    let round: Vec<_> = way.iter().chain(way.first()).map(name).collect();
    wrong(format!("the pipelines would wait for each other: {}", round.join(" -> ")))
}

/// The shortest way along the edges from one pipeline to one of several.
fn way(edges: &[Edge], from: &str, to: &[String]) -> Option<Vec<String>> {
    let (mut ways, mut seen) = (VecDeque::from([vec![from.to_owned()]]), BTreeSet::from([from.to_owned()]));
    while let Some(way) = ways.pop_front() {
        let last = way.last()?;
        if to.contains(last) {
            return Some(way);
        }
        for edge in edges.iter().filter(|edge| edge.upstream == *last) {
            if seen.insert(edge.downstream.clone()) {
                ways.push_back(way.iter().cloned().chain([edge.downstream.clone()]).collect());
            }
        }
    }
    None
}

async fn known(
    directory: &mut Directory,
    tenant: &Tenant,
    field: &'static str,
    id: &str,
) -> Result<StoredPipeline, Refusal> {
    let found = directory.stored_pipeline(&tenant.organization.id, id).await?;
    found.ok_or_else(|| Refusal::wrong(field, format!("there is no pipeline `{id}`")))
}

async fn found(directory: &mut Directory, tenant: &Tenant, id: &str) -> Result<ListedTrigger, Refusal> {
    let found = directory.trigger(&tenant.organization.id, id).await?;
    found.ok_or_else(|| Refusal::NotFound(format!("there is no trigger `{id}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tr_10_a_way_back_is_found() {
        let edge = |(upstream, downstream): (&str, &str)| Edge {
            upstream: upstream.into(),
            downstream: downstream.into(),
            name: downstream.to_uppercase(),
            trigger: String::new(),
        };
        let edges: Vec<_> = [("a", "b"), ("b", "c"), ("b", "d"), ("d", "b"), ("c", "e")].map(edge).into();
        let to = |to: &str| way(&edges, "a", &[to.to_owned()]).map(|way| way.join(""));
        assert_eq!((to("a"), to("e"), to("d")), (Some("a".into()), Some("abce".into()), Some("abd".into())));
        assert_eq!(to("x"), None);
    }
}
