//! `flowetl preview`: rows of a block, as a table or as JSON.

use flowetl::Source;
use flowetl_executor::inspect::{self, Rows};
use flowetl_proto::id::BlockId;

use crate::coordinator::connected;
use crate::{Outcome, args, files, home, show};

pub async fn preview(preview: args::Preview) -> anyhow::Result<Outcome> {
    let source = files::source(&preview.file)?;
    let rows = match connected(&preview.server).await? {
        Some(client) => {
            let flowetl::Rows { schema, batches } = client.preview(source, &preview.block, preview.rows).await?;
            Rows { schema, batches }
        }
        None => here(&source, &BlockId::new(&preview.block), preview.rows as usize).await?,
    };
    show::line(&if preview.output.json { rows.to_json()? } else { rows.to_table()? })?;
    Ok(Outcome::Success)
}

/// What this process finds.
async fn here(source: &Source, block: &BlockId, count: usize) -> anyhow::Result<Rows> {
    let parsed = files::bound(source)?;
    let data = tokio::runtime::Handle::current();
    let rows = inspect::preview(&parsed.pipeline, block, count, home::node_config()?, data).await;
    rows.map_err(|error| {
        let failure = error.to_failure();
        let place = failure.block.as_ref().map(|block| format!("block `{block}`: ")).unwrap_or_default();
        anyhow::anyhow!("{place}{}", failure.message)
    })
}
