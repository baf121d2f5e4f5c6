//! Rows of a pipeline's blocks, to look at while it is made.

use flowetl_proto::id::BlockId;
use flowetl_proto::look::RowsForm;
use flowetl_proto::pipeline::{Parsed, Pipeline};
use flowetl_proto::tables::Sample;
use serde::Deserialize;
use utoipa::ToSchema;

use super::launch::{bound, unseen};
use super::{PipelineWish, Pipelines, compile};
use crate::accounts::{Refusal, Tenant};
use crate::discovery::RowsView;

/// Rows, where no number is asked for and at most.
const ROWS: usize = 100;
const ROWS_MAX: usize = 1_000;

/// Which rows of a pipeline that is not kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewFile {
    pub pipeline: PipelineWish,
    /// The name of the block.
    pub block: String,
    /// 100 where it is left out, 1000 at most.
    pub limit: Option<usize>,
}

impl Pipelines {
    /// The first rows of a block of the newest revision. Nothing is written anywhere.
    pub(crate) async fn preview(
        &self,
        tenant: &Tenant,
        id: &str,
        block: &str,
        limit: Option<usize>,
    ) -> Result<RowsView, Refusal> {
        let (_, pipeline) = self.runnable(tenant, id).await?;
        self.rows(&pipeline, block, limit, None).await
    }

    /// The first rows of a block of a file that is not kept. Nothing is written anywhere.
    pub(crate) async fn preview_file(&self, tenant: &Tenant, wish: PreviewFile) -> Result<RowsView, Refusal> {
        let file = compile::file_of(wish.pipeline)?;
        let known = self.known(&tenant.organization.id).await?;
        let parsed = compile::parse(&known, &file).map_err(Refusal::Invalid)?;
        self.rows(&parsed.pipeline, &wish.block, wish.limit, Some(&parsed)).await
    }

    /// The first rows of a block of a pipeline; problems are those of `parsed`, where it is a file that is not kept.
    pub(crate) async fn rows(
        &self,
        pipeline: &Pipeline,
        block: &str,
        limit: Option<usize>,
        parsed: Option<&Parsed>,
    ) -> Result<RowsView, Refusal> {
        let pipeline = &bound(pipeline)?;
        let secrets = self.handle.unsealed(pipeline).await?;
        let rows = (limit.unwrap_or(ROWS).clamp(1, ROWS_MAX), RowsForm::Text);
        let found = self.roster.preview(pipeline, &BlockId::new(block), rows, &secrets).await;
        let found = found.map_err(|failure| unseen(failure, parsed))?;
        let sample: Sample = serde_json::from_slice(&found)
            .map_err(|e| Refusal::Unavailable(format!("the executor's rows cannot be read: {e}")))?;
        Ok(sample.into())
    }
}
