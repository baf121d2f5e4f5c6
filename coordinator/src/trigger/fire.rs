//! Calls of webhooks: whoever has the address of one lets its pipeline run.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{Firing, Kind};
use crate::accounts::{Caller, Change, Refusal, hash};
use crate::pipelines::Standing;
use crate::store::News;
use crate::{Handle, clock};

/// Events of one trigger that wait: those beyond are refused, so that their sender knows.
pub(super) const WAITING_MAX: i64 = 1_000;
/// How long an event is known again once its run has begun.
pub(super) const KNOWN_MS: i64 = 7 * 24 * 3_600_000;
const KEY_CHARS_MAX: usize = 255;

/// What became of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Fired {
    /// The id of the event.
    pub id: String,
    /// Whether the same was told before, under the same key: nothing more is done.
    pub is_repeated: bool,
}

/// The webhooks of all organizations.
pub(crate) struct Hooks {
    handle: Handle,
}

impl Hooks {
    pub(crate) fn new(handle: Handle) -> Self {
        Self { handle }
    }

    /// Writes down that the webhook of a secret was called. Its pipeline is told those members of `body` that it declares.
    pub(crate) async fn call(
        &self,
        address: IpAddr,
        secret: &str,
        key: Option<String>,
        body: Map<String, Value>,
    ) -> Result<Fired, Refusal> {
        let now = clock::now();
        if key.as_ref().is_some_and(|key| key.is_empty() || key.chars().count() > KEY_CHARS_MAX) {
            return Err(Refusal::wrong("idempotency-key", format!("a key has 1 to {KEY_CHARS_MAX} characters")));
        }
        let mut directory = self.handle.store().change_directory().await?;
        let start = directory.webhook(&hash(secret)).await?.filter(|start| start.kind == Kind::Webhook);
        let start = start.ok_or_else(|| Refusal::NotFound("there is no such webhook".into()))?;
        let pipeline = directory.stored_pipeline(&start.organization, &start.pipeline).await?;
        let pipeline = pipeline.ok_or_else(|| Refusal::NotFound("there is no such webhook".into()))?;
        if let Some(key) = &key
            && let Some(id) = directory.firing_of(&start.id, key).await?
        {
            return Ok(Fired { id, is_repeated: true });
        }
        if !start.is_active || pipeline.standing != Standing::Active {
            return Err(Refusal::Conflict("this webhook is not active: nothing runs".into()));
        }
        let revision = directory.revision(&pipeline.id, pipeline.revision).await?;
        let definition = revision.and_then(|revision| revision.definition);
        let definition = definition.ok_or_else(|| Refusal::Conflict("the pipeline cannot run yet".into()))?;
        let told: BTreeMap<_, _> = body.into_iter().filter(|(name, _)| definition.params.contains_key(name)).collect();
        let all = start.params.clone().into_iter().chain(told.clone()).collect();
        definition.bound(&all).map_err(|message| Refusal::Wrong { field: "params", message })?;
        directory.forget_firings(&start.id, now - KNOWN_MS).await?;
        if directory.count_waiting(&start.id).await? >= WAITING_MAX {
            return Err(Refusal::Conflict(format!("{WAITING_MAX} calls wait for their runs: call again later")));
        }
        let id = clock::new_id();
        let key = key.unwrap_or_else(|| id.clone());
        let (start_id, arrived) = (start.id.clone(), None);
        let firing = Firing { id, start: start_id, key, params: told, at: now, arrived, run: None, error: None };
        if !directory.add_firing(&firing).await? {
            // Another call with this key was faster.
            let id = directory.firing_of(&start.id, &firing.key).await?.unwrap_or_default();
            return Ok(Fired { id, is_repeated: true });
        }
        let change = Change {
            organization: Some(&start.organization),
            action: "trigger.fired",
            subject: &start.id,
            before: None,
            after: Some(json!({ "firing": firing.id })),
        };
        directory.audit(&Caller::nobody(address).entry(change)).await?;
        let detail = json!({ "pipeline": pipeline.name, "pipeline_id": pipeline.id, "firing": firing.id });
        let news = News { kind: "trigger.fired".into(), subject: start.id.clone(), detail, at: now };
        directory.tell(&start.organization, news);
        directory.commit().await?;
        self.handle.wake_schedules();
        Ok(Fired { id: firing.id, is_repeated: false })
    }
}
