//! What a pipeline remembers between its runs: where the next incremental read of each of its blocks starts.

use flowetl_proto::control::Position;
use flowetl_proto::id::BlockId;
use flowetl_proto::run::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Pipelines, StoredPipeline, nothing};
use crate::accounts::{Caller, Change, Refusal, Tenant, document};
use crate::store::PositionRow;

/// Where the next incremental read of a block starts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StateItem {
    /// The block that reads.
    pub block: String,
    /// The column that it is read by.
    pub column: String,
    /// As Arrow writes it.
    pub data_type: String,
    /// The greatest value that was read and loaded, with all of its precision.
    pub value: String,
    /// The id of the run that came so far; null where a person has set it.
    pub run_id: Option<String>,
    pub moved_at: Timestamp,
}

impl From<PositionRow> for StateItem {
    fn from(row: PositionRow) -> Self {
        let Position { column, data_type, value } = row.position;
        let (run_id, moved_at) = (row.run.map(|run| run.to_string()), Timestamp(row.moved_at));
        Self { block: row.block.to_string(), column, data_type, value, run_id, moved_at }
    }
}

impl Pipelines {
    /// By block; empty where nothing was read incrementally.
    pub(crate) async fn state(&self, tenant: &Tenant, id: &str) -> Result<Vec<StateItem>, Refusal> {
        let stored = self.stored(tenant, id).await?;
        Ok(self.handle.positions(Some(&stored.key)).await?.into_iter().map(StateItem::from).collect())
    }

    /// Sets where the next read of a block starts, or with `None` that it starts from the beginning. Not while the pipeline
    /// runs.
    pub(crate) async fn set_state(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        (id, block): (&str, &str),
        value: Option<String>,
    ) -> Result<Vec<StateItem>, Refusal> {
        let stored = self.stored(tenant, id).await?;
        let rows = self.handle.positions(Some(&stored.key)).await?;
        let found = rows.into_iter().find(|row| row.block.as_str() == block);
        let before =
            found.ok_or_else(|| Refusal::NotFound(format!("block `{block}` has read nothing incrementally")))?;
        let position = value.map(|value| Position { value, ..before.position.clone() });
        self.handle.set_position(&stored.key, &BlockId::new(block), position.as_ref()).await?;
        let mut directory = self.handle.store().change_directory().await?;
        let change = Change {
            organization: Some(&stored.organization),
            action: "pipeline.state_set",
            subject: &stored.id,
            before: document(&before),
            after: position.as_ref().and_then(document),
        };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        self.state(tenant, id).await
    }

    async fn stored(&self, tenant: &Tenant, id: &str) -> Result<StoredPipeline, Refusal> {
        let found = self.handle.store().directory().await?.stored_pipeline(&tenant.organization.id, id).await?;
        found.ok_or_else(|| nothing(id))
    }
}
