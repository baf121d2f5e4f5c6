//! `flowetl plan`: segments, operators, what is sent to each source, what has changed in each
//! source, what would change in each target.

use flowetl::{SegmentPlan, Source};
use flowetl_coordinator::cut;
use flowetl_proto::look::Inspector;
use flowetl_proto::pipeline::ProblemCode;

use crate::coordinator::connected;
use crate::{Outcome, args, files, home, show};

pub async fn plan(plan: args::Plan) -> anyhow::Result<Outcome> {
    let source = files::source(&plan.file)?;
    let plans = match connected(&plan.server).await? {
        Some(client) => client.plan(source).await?,
        None => here(&source).await?,
    };
    if plan.output.json {
        show::json(&plans)?;
    } else {
        for segment in &plans {
            print(segment)?;
        }
    }
    Ok(Outcome::Success)
}

/// What this process would do.
async fn here(source: &Source) -> anyhow::Result<Vec<SegmentPlan>> {
    let parsed = files::bound(source)?;
    let segments = cut::cut(&parsed.pipeline);
    let remembered = home::remembered(&parsed.pipeline.name).await?;
    let planned = home::inspector(tokio::runtime::Handle::current())?
        .plan(&parsed.pipeline, &segments, &remembered, &Default::default())
        .await;
    planned.map_err(|failure| match &failure.block {
        Some(block) => parsed.positions.problem(block, ProblemCode::WrongValue, failure.message).into(),
        None => failure.into(),
    })
}

fn print(plan: &SegmentPlan) -> anyhow::Result<()> {
    let blocks: Vec<&str> = plan.blocks.iter().map(|b| b.as_str()).collect();
    let mut title = format!("segment {}: {}", plan.segment, blocks.join(" -> "));
    if !plan.after.is_empty() {
        title.push_str(&format!("   after {}", plan.after.join(", ")));
    }
    show::line(&title)?;
    for group in &plan.operators {
        let name = group.block.as_ref().map_or("gather", |b| b.as_str());
        show::line(&format!("  {name} ({} streams)", group.partitions))?;
        for line in &group.lines {
            show::line(&format!("    {line}"))?;
        }
    }
    if let Some(target) = &plan.target {
        show::line(&format!("  to {target}"))?;
    }
    for (column, rule) in &plan.mapping {
        show::line(&format!("    {column} <- {rule}"))?;
    }
    if !plan.columns.is_empty() {
        let columns: Vec<String> = plan.columns.iter().map(|(name, kind)| format!("{name} {kind}")).collect();
        show::line(&format!("  columns: {}", columns.join(", ")))?;
    }
    for change in &plan.schema_changes {
        show::line(&format!("  {}: {change}", change.block))?;
    }
    show::line("")
}
