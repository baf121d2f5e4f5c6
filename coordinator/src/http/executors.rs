//! `/executors`: who works on runs, and taking one out of work.

use flowetl_proto::code::Class;
use flowetl_proto::id::ExecutorId;
use flowetl_proto::wire::v1::ExecutorInfo;
use serde::Serialize;
use utoipa::ToSchema;

use super::Site;
use super::body::{Accepted, Json, Named};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Accounts, Caller, Refusal, Tenant};

/// An executor.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExecutorItem {
    id: String,
    /// How others reach it; empty where it is the coordinator's own process.
    address: String,
    version: String,
    /// Attempts that it takes at once; 0 where it has no limit.
    slots: u32,
    /// Attempts that it works on.
    busy: u32,
    /// Whether it finishes what it has and then ends.
    draining: bool,
}

/// An executor with what it does.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ExecutorDetail {
    #[serde(flatten)]
    executor: ExecutorItem,
    /// The ids of the organization's runs that it works for now.
    runs: Vec<String>,
}

impl From<ExecutorInfo> for ExecutorItem {
    fn from(info: ExecutorInfo) -> Self {
        let ExecutorInfo { id, address, version, slots, busy, draining } = info;
        Self { id, address, version, slots, busy, draining }
    }
}

/// The executors that are alive.
#[utoipa::path(get, path = "/executors", tag = "executors", responses((status = 200, body = Vec<ExecutorItem>)))]
pub(super) async fn list(site: Site) -> Result<Json<Vec<ExecutorItem>>, Problem> {
    Ok(Json(site.roster()?.executors().into_iter().map(ExecutorItem::from).collect()))
}

/// One executor.
#[utoipa::path(get, path = "/executors/{executor}", tag = "executors", params(("executor" = String, Path)),
    responses((status = 200, body = ExecutorDetail)))]
pub(super) async fn get(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(executor): Named,
) -> Result<Json<ExecutorDetail>, Problem> {
    let found = site.roster()?.executors().into_iter().find(|info| info.id == executor);
    let found = found.ok_or_else(|| nobody(&executor))?;
    let runs = site.handle()?.store().runs_on(&tenant.organization.id, &executor).await?;
    Ok(Json(ExecutorDetail { executor: found.into(), runs }))
}

/// Take an executor out of work: it takes nothing new, finishes what it has, and ends. One that is to work again is started again.
#[utoipa::path(post, path = "/executors/{executor}/drain", tag = "executors", params(("executor" = String, Path)),
    responses((status = 202)))]
pub(super) async fn drain(
    site: Site,
    Known(caller): Known<Caller>,
    Known(accounts): Known<Accounts>,
    Named(executor): Named,
) -> Result<Accepted, Problem> {
    let roster = site.roster()?;
    if !roster.executors().iter().any(|info| info.id == executor) {
        return Err(nobody(&executor).into());
    }
    roster.drain(&ExecutorId::new(executor.as_str())).await.map_err(|failure| match failure.class {
        Class::User => Refusal::Conflict(failure.message),
        _ => Refusal::Unavailable(failure.message),
    })?;
    accounts.drained(&caller, &executor).await?;
    Ok(Accepted)
}

fn nobody(executor: &str) -> Refusal {
    Refusal::NotFound(format!("no executor `{executor}` is alive"))
}
