//! Many small runs on a coordinator: `load URL FOLDER RUNS RATE` submits RUNS pipelines, RATE of them a second (0: all at
//! once), and prints how long each took from its submission to its end, as one line of JSON.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, ensure};
use flowetl::{Block, Client, Options, Phase, Pipeline};
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Rows of the file that every run reads.
const ROWS: usize = 1_000;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a measurement shows what it measured")]
async fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [url, folder, runs, rate] = &arguments[..] else { anyhow::bail!("give URL FOLDER RUNS RATE") };
    let (runs, rate): (u32, f64) = (runs.parse()?, rate.parse()?);
    let folder = Path::new(folder);
    let source = folder.join("rows.csv");
    let rows: String = (0..ROWS).map(|i| format!("{i},{},row {i}\n", i % 7)).collect();
    std::fs::write(&source, format!("id,grp,note\n{rows}")).context("cannot write the source")?;
    let source = source.to_str().context("the folder is no text")?;

    let client = Client::connect(url).await?;
    let begun = Instant::now();
    let mut under_way = JoinSet::new();
    for number in 0..runs {
        let due = if rate > 0.0 { begun + Duration::from_secs_f64(f64::from(number) / rate) } else { begun };
        // As if each were asked for by somebody else: who waits for an earlier one delays nobody.
        sleep_until(due).await;
        let target = folder.join(format!("out-{number}.parquet"));
        let pipeline = Pipeline::new(format!("load_{number}"))
            .block("rows", Block::extract(source))
            .block("groups", Block::sql("select grp, count(*) as n from rows group by grp"))
            .block("out", Block::load("groups", target.to_str().context("the folder is no text")?));
        let client = client.clone();
        under_way.spawn(async move {
            let run = client.submit(pipeline, Options::default()).await?;
            let view = run.wait().await?;
            ensure!(view.state == Phase::Success, "run {run} ended as {}: {:?}", view.state.as_str(), view.error);
            anyhow::Ok(due.elapsed().as_secs_f64())
        });
    }
    let mut took = Vec::new();
    while let Some(ended) = under_way.join_next().await {
        took.push(ended??);
    }
    let wall = begun.elapsed().as_secs_f64();
    took.sort_by(f64::total_cmp);
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "{}",
        json!({
            "runs": runs, "rate": rate, "wall_seconds": wall, "runs_per_second": f64::from(runs) / wall,
            "p50_seconds": at(0.5), "p95_seconds": at(0.95), "max_seconds": at(1.0),
        })
    );
    Ok(())
}
