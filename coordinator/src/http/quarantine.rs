//! `/runs/{run}/quarantine`: the rows that a run could not read, each with the reason.

use flowetl_proto::id::{BlockId, RunId};
use flowetl_proto::quarantine::Row;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Json, Named, Query};
use super::gate::Known;
use super::logs::{cursor, written};
use super::problem::Problem;
use crate::accounts::Tenant;

/// Rows in one answer, where none are asked for and at most.
const LIMIT: usize = 100;
const LIMIT_MAX: usize = 1_000;

/// Which rows of a run.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct QuarantineQuery {
    /// Only rows that this block would have read.
    block: Option<String>,
    /// Rows behind those that were read with this: the `next` of the page before.
    after: Option<String>,
    /// How many at most: 100 where it is left out, never more than 1000. Of very long rows fewer are given.
    limit: Option<usize>,
}

/// A row that was put aside.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuarantinedRow {
    /// The block that would have read it.
    block: String,
    /// Where in the source: `a.csv line 7`.
    location: String,
    /// Why it could not be read.
    reason: String,
    /// As the source has it, as far as that is text.
    row: String,
}

/// Rows, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct QuarantinePage {
    /// Block by block, in the order in which they were put aside.
    rows: Vec<QuarantinedRow>,
    /// The `after` of the next page.
    next: String,
    /// Whether more lies there now.
    has_more: bool,
}

/// The rows that a run could not read and has put aside, as `bad_rows` of an extract lets it. They are kept for 90 days, also
/// those of a run that failed. Where a segment was tried more than once, those of the attempt that counts.
#[utoipa::path(get, path = "/runs/{run}/quarantine", tag = "runs",
    params(("run" = String, Path), QuarantineQuery), responses((status = 200, body = QuarantinePage)))]
pub(super) async fn quarantined(
    site: Site,
    Known(tenant): Known<Tenant>,
    Named(run): Named,
    Query(wish): Query<QuarantineQuery>,
) -> Result<Json<QuarantinePage>, Problem> {
    let (run, handle) = (RunId::new(run), site.handle()?);
    let after = wish.after.map(|text| cursor(&text)).transpose()?.unwrap_or_default();
    let limit = wish.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    handle.run_of(&tenant.organization.id, &run).await?;
    let page = handle.quarantined(&run, wish.block.map(BlockId::new), after, limit).await?;
    let rows = page.rows.into_iter().map(QuarantinedRow::from).collect();
    Ok(Json(QuarantinePage { rows, next: written(&page.next), has_more: page.has_more }))
}

impl From<Row> for QuarantinedRow {
    fn from(row: Row) -> Self {
        Self { block: row.block.to_string(), location: row.location, reason: row.reason, row: row.row }
    }
}
