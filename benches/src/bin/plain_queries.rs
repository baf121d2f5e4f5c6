//! The queries of a file with plain DataFusion over Parquet in S3: what spreading them over executors is measured against.
//! `plain_queries s3://BUCKET/FOLDER QUERIES.sql` prints `NUMBER SECONDS` for each; how to sign in comes from `AWS_*`.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use object_store::aws::AmazonS3Builder;
use url::Url;

const TABLES: [&str; 8] = ["customer", "lineitem", "nation", "orders", "part", "partsupp", "region", "supplier"];

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a measurement shows what it measured")]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().context("the first argument is the folder with a folder of files for each table")?;
    let queries = arguments.next().context("the second argument is the file of queries")?;
    let url = Url::parse(&folder)?;
    let store = AmazonS3Builder::from_env().with_bucket_name(url.host_str().context("a bucket")?).build()?;
    let mut config = SessionConfig::new();
    config.options_mut().execution.parquet.pushdown_filters = true;
    config.options_mut().execution.parquet.reorder_filters = true;
    let context = SessionContext::new_with_config(config);
    context.register_object_store(&url, Arc::new(store));
    for table in TABLES {
        context.register_parquet(table, format!("{folder}/{table}/"), ParquetReadOptions::default()).await?;
    }
    for (at, query) in std::fs::read_to_string(queries)?.split(";\n").filter(|q| !q.trim().is_empty()).enumerate() {
        let begin = Instant::now();
        let rows = context.sql(query).await?.collect().await?;
        anyhow::ensure!(!rows.is_empty(), "query {} gave nothing", at + 1);
        println!("{} {:.3}", at + 1, begin.elapsed().as_secs_f64());
    }
    Ok(())
}
