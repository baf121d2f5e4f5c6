//! The engine's hot paths by themselves: COPY's codecs, block markers, boundaries, over rows like TPC-H's `lineitem`.
//!
//! Throughput is in rows and bytes per second, the bytes being those of Arrow for batches and of COPY for its messages.

use std::hint::black_box;
use std::sync::Arc;

use anyhow::ensure;
use arrow::array::RecordBatch;
use criterion::{Criterion, Throughput};
use datafusion::datasource::MemTable;
use flowetl_benches::lineitem;
use flowetl_executor::bench::{Copy, Scan, forget_boundaries, read_boundary, write_boundary};
use flowetl_executor::storage::Storage;
use flowetl_proto::control::AttemptId;
use flowetl_proto::id::Token;
use flowetl_proto::pipeline::Connection;
use indexmap::IndexMap;
use tokio::runtime::Runtime;

/// Rows of a batch, as the engine aims at.
const BATCH_ROWS: i64 = 8192;
/// Batches where a single one would be over too soon: two row groups and a part of a third.
const BATCHES: i64 = 24;

fn main() -> anyhow::Result<()> {
    let mut criterion = Criterion::default().configure_from_args();
    let runtime = Runtime::new()?;
    copy(&mut criterion)?;
    markers(&mut criterion, &runtime)?;
    boundaries(&mut criterion, &runtime)?;
    criterion.final_summary();
    Ok(())
}

/// Binary COPY to Arrow and back, one batch.
fn copy(criterion: &mut Criterion) -> anyhow::Result<()> {
    let batch = lineitem(0, BATCH_ROWS)?;
    let copy = Copy::new(batch.schema())?;
    let messages = copy.messages(&batch)?;
    ensure!(copy.decode(&messages)? == batch, "the rows do not come back as they went");
    let bytes: usize = messages.iter().map(Vec::len).sum();
    let mut group = criterion.benchmark_group("postgres_copy");
    group.throughput(Throughput::ElementsAndBytes { elements: BATCH_ROWS as u64, bytes: bytes as u64 });
    group.bench_function("decode", |bencher| bencher.iter(|| copy.decode(black_box(&messages))));
    group.bench_function("encode", |bencher| {
        bencher.iter(|| {
            copy.encode(black_box(&batch), |message| {
                black_box(message);
            })
        });
    });
    group.finish();
    Ok(())
}

/// Batches from memory that pass through no block, one, and as many as a long pipeline has.
fn markers(criterion: &mut Criterion, runtime: &Runtime) -> anyhow::Result<()> {
    let batches = (0..BATCHES).map(|n| lineitem(n, BATCH_ROWS)).collect::<anyhow::Result<Vec<_>>>()?;
    let table = Arc::new(MemTable::try_new(batches[0].schema(), vec![batches])?);
    let mut group = criterion.benchmark_group("markers");
    group.throughput(Throughput::Elements((BATCHES * BATCH_ROWS) as u64));
    for blocks in [0, 1, 10] {
        let scan = runtime.block_on(Scan::new(Arc::clone(&table) as _, blocks))?;
        ensure!(runtime.block_on(scan.drain())? as i64 == BATCHES * BATCH_ROWS, "rows are missing");
        group.bench_function(format!("{blocks}_blocks"), |bencher| bencher.to_async(runtime).iter(|| scan.drain()));
    }
    group.finish();
    Ok(())
}

/// Parquet parts in a local folder, written and read again.
fn boundaries(criterion: &mut Criterion, runtime: &Runtime) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let storage = Storage::open(&Connection {
        name: "storage".into(),
        scheme: "file".into(),
        host: None,
        port: None,
        user: None,
        password: None,
        path: folder.path().display().to_string(),
        options: IndexMap::new(),
    })?;
    let attempt =
        |run: &str| AttemptId { pipeline: "p".into(), run: run.into(), segment: "rows".into(), token: Token(1) };
    let batches = (0..BATCHES).map(|n| lineitem(n, BATCH_ROWS)).collect::<anyhow::Result<Vec<_>>>()?;
    let bytes: usize = batches.iter().map(RecordBatch::get_array_memory_size).sum();
    let mut group = criterion.benchmark_group("boundary");
    group.throughput(Throughput::ElementsAndBytes { elements: (BATCHES * BATCH_ROWS) as u64, bytes: bytes as u64 });
    let (written, kept) = (attempt("written"), attempt("kept"));
    group.bench_function("write", |bencher| {
        bencher.to_async(runtime).iter(async || {
            write_boundary(&storage, &written, &batches).await?;
            forget_boundaries(&storage, &written.run).await
        });
    });
    let manifest = runtime.block_on(write_boundary(&storage, &kept, &batches))?;
    ensure!(runtime.block_on(read_boundary(&storage, &manifest))? as i64 == BATCHES * BATCH_ROWS, "rows are missing");
    group.bench_function("read", |bencher| bencher.to_async(runtime).iter(|| read_boundary(&storage, &manifest)));
    group.finish();
    Ok(())
}
