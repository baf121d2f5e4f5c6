//! Draws a pipeline, runs it on a coordinator and shows how it goes: `flowetl up`, then
//! `cargo run -p flowetl --example orders -- http://127.0.0.1:50051 orders.csv large.parquet`.

use anyhow::Context;
use flowetl::{Block, Client, Options, Pipeline};
use futures::TryStreamExt;

#[tokio::main]
#[expect(clippy::print_stdout, reason = "an example shows what it got")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = |what: &str| arguments.next().with_context(|| format!("give {what}"));
    let (url, source, target) = (next("the coordinator's URL")?, next("a file with orders")?, next("a target")?);

    let pipeline = Pipeline::new("large_orders")
        .block("orders", Block::extract(source))
        .block("large", Block::sql("select id, total from orders where total > 100"))
        .block("checks", Block::test("large").set("unique", vec!["id"]).set("rows", "> 0"))
        .block("publish", Block::load("large", target));

    let run = Client::connect(&url).await?.submit(pipeline, Options::default()).await?;
    let mut views = run.follow().await?;
    while let Some(view) = views.try_next().await? {
        let rows = view.blocks.values().map(|block| block.rows_out).sum::<u64>();
        println!("{}: {}, {rows} rows so far", view.run_id, view.state.as_str());
    }
    Ok(())
}
