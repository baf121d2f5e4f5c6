//! `flowetl preview`: rows of a block, as a table or as JSON.

use flowetl_executor::inspect;
use flowetl_proto::id::BlockId;

use crate::{Outcome, args, files, home, show};

pub async fn preview(preview: args::Preview) -> anyhow::Result<Outcome> {
    let parsed = files::read(&preview.file)?;
    let block = BlockId::new(&preview.block);
    let data = tokio::runtime::Handle::current();
    let rows = inspect::preview(&parsed.pipeline, &block, preview.rows, home::node_config()?, data).await;
    let rows = rows.map_err(|e| e.to_failure())?;
    show::line(&if preview.output.json { rows.to_json()? } else { rows.to_table()? })?;
    Ok(Outcome::Success)
}
