//! Begins the runs of transformations whose time has come, for as long as this process leads.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::Transformations;
use crate::accounts::{Refusal, Role, Tenant};
use crate::fleet::Roster;
use crate::grpc::{Seat, while_leading};
use crate::schedule;
use crate::store::{Cause, Scheduled, TransformationTick, Trigger};
use crate::{Handle, Result, clock};

/// How often it is asked for times that have come.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Runs that one look begins; more wait for the next.
const BEGUN_BY_ONE_LOOK: i64 = 100;

/// Begins every run that is due; never returns.
pub async fn run_transformations(seat: watch::Receiver<Seat>) {
    let begin = |handle, roster| async move { begin_due(&handle, &roster, clock::now()).await };
    while_leading(seat, ASK_EVERY, "nobody looks for transformations whose time has come", begin).await;
}

/// Begins the runs that are due at the time `now`.
pub(crate) async fn begin_due(handle: &Handle, roster: &Arc<dyn Roster>, now: i64) -> Result<()> {
    let mut begun = HashSet::new();
    for due in handle.store().ready_transformations(now, BEGUN_BY_ONE_LOOK).await? {
        // One after the other: the next one when that has ended.
        if begun.insert(due.transformation.clone()) {
            begin(handle, roster, due).await?;
        }
    }
    Ok(())
}

async fn begin(handle: &Handle, roster: &Arc<dyn Roster>, due: TransformationTick) -> Result<()> {
    let organization = handle.store().directory().await?.organization(&due.organization).await?;
    // Both went while it was looked for.
    let Some(organization) = organization else { return Ok(()) };
    let tenant = Tenant { organization, role: Role::Owner };
    let transformations = Transformations::new(handle.clone(), Arc::clone(roster));
    let definition = match transformations.made(&tenant, (&due.transformation, due.with_upstream)).await {
        Ok(definition) => definition,
        Err(Refusal::NotFound(_)) => return Ok(()),
        Err(refusal) => return schedule::put_off(handle, &Cause::Tick(due.tick), &refusal.to_string()).await,
    };
    let scheduled = Scheduled {
        cause: Cause::Tick(due.tick),
        trigger: Trigger::Schedule,
        organization: due.organization,
        pipeline: None,
        transformation: Some(due.transformation),
        key: definition.name.clone(),
        definition,
        until: None,
        params: due.params,
    };
    schedule::begin(handle, scheduled).await
}
