//! CSV to Parquet with plain DataFusion: the ceiling of workload W6. `plain_datafusion IN.csv OUT.parquet`.

use anyhow::Context;
use datafusion::config::TableParquetOptions;
use datafusion::dataframe::DataFrameWriteOptions;
use datafusion::prelude::{CsvReadOptions, SessionContext};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let source = arguments.next().context("the first argument is the CSV file to read")?;
    let target = arguments.next().context("the second argument is the Parquet file to write")?;
    let mut parquet = TableParquetOptions::default();
    parquet.global.compression = Some("zstd(1)".into());
    let rows = SessionContext::new().read_csv(source, CsvReadOptions::new()).await?;
    rows.write_parquet(&target, DataFrameWriteOptions::new().with_single_file_output(true), Some(parquet)).await?;
    Ok(())
}
