//! `flowetl state`: where incremental reads start.

use flowetl_proto::control::Position;
use flowetl_proto::id::BlockId;

use crate::args::State;
use crate::{Outcome, home, show};

pub async fn perform(command: State) -> anyhow::Result<Outcome> {
    let coordinator = home::open(home::serving_config()?, tokio::runtime::Handle::current()).await?;
    match command {
        State::Show { pipeline, output } => {
            let rows = coordinator.positions(pipeline.as_deref()).await?;
            if output.json {
                show::json(&rows)?;
            } else {
                for row in &rows {
                    let Position { column, value, .. } = &row.position;
                    let at = show::time(row.moved_at);
                    show::line(&format!("{}.{}  {column} = {value}  moved {at}", row.pipeline, row.block))?;
                }
            }
        }
        State::Export { pipeline } => {
            for row in coordinator.positions(pipeline.as_deref()).await? {
                show::line(&serde_json::to_string(&row)?)?;
            }
        }
        State::Set { pipeline, block, value } => {
            let block = BlockId::new(block);
            let stored = coordinator.positions(Some(&pipeline)).await?;
            let before = stored.into_iter().find(|row| row.block == block).map(|row| row.position);
            let position = match (value, before) {
                (None, _) => None,
                (Some(value), Some(before)) => Some(Position { value, ..before }),
                (Some(_), None) => anyhow::bail!(
                    "`{pipeline}.{block}` has no position yet: run it once, or write `sync: {{start: ...}}` in its file"
                ),
            };
            let set = coordinator.set_position(&pipeline, &block, position.as_ref()).await;
            set.map_err(|e| anyhow::anyhow!(e.chain()))?;
        }
    }
    Ok(Outcome::Success)
}
