//! What every connector must do, as tests that each connector runs against its own system.
//!
//! A connector's tests implement [`Fixture`] and write `source_tests!(fixture)` and `sink_tests!(fixture)`, where
//! `fixture` is an async function that makes a fresh one: a database, a folder or a prefix of its own.

pub mod sink_suite;
pub mod source_suite;

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use async_trait::async_trait;
use flowetl_proto::pipeline::{Connection, Reference};

use super::{Connector, OpenContext, System};

/// A system of a connector's tests, reached by the system's own means and never by the code under test.
#[async_trait]
pub trait Fixture: Send + Sync {
    fn connector(&self) -> &'static dyn Connector;

    fn connection(&self) -> Connection;

    /// The place of that name, to read from and to write to.
    fn place(&self, name: &str) -> Reference;

    /// What the system cannot do; the suites pass over it.
    fn lacks(&self) -> Lacks {
        Lacks::default()
    }

    /// Makes the place with these rows (Int64, Float64, Utf8 and Boolean columns), in place of what was there.
    async fn make(&self, name: &str, rows: &RecordBatch);

    /// Adds rows to a place that is there.
    async fn add(&self, name: &str, rows: &RecordBatch);

    /// All rows of a place in any order, each as [`lines`] writes them; `None` where there is no such place.
    async fn rows(&self, name: &str) -> Option<Vec<String>>;

    /// Whatever attempts left behind: staging tables, files, unfinished uploads.
    async fn leftovers(&self) -> Vec<String>;

    /// Whether the system still does something for a reader of ours.
    async fn is_busy(&self) -> bool;
}

/// What a system cannot do.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lacks {
    pub merge: bool,
    pub append: bool,
    /// Rows with new columns cannot be appended.
    pub new_columns: bool,
    /// Reads of one opened system may see different moments.
    pub snapshot: bool,
    /// A place without rows does not exist.
    pub empty: bool,
}

pub fn context() -> OpenContext {
    OpenContext { parallelism: 2, executors: 1, batch_rows: 1000, batch_bytes: 1 << 20, row_group_bytes: 8 << 20 }
}

pub async fn open(fixture: &dyn Fixture) -> Arc<dyn System> {
    fixture.connector().open(fixture.connection(), context()).await.expect("the system opens")
}

/// A batch of columns; every column may hold nulls.
pub fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, array)| (name, array, true))).expect("equal lengths")
}

pub fn integers(values: impl IntoIterator<Item = impl Into<Option<i64>>>) -> ArrayRef {
    Arc::new(values.into_iter().map(Into::into).collect::<Int64Array>())
}

pub fn reals(values: impl IntoIterator<Item = impl Into<Option<f64>>>) -> ArrayRef {
    Arc::new(values.into_iter().map(Into::into).collect::<Float64Array>())
}

pub fn booleans(values: impl IntoIterator<Item = impl Into<Option<bool>>>) -> ArrayRef {
    Arc::new(values.into_iter().map(Into::into).collect::<BooleanArray>())
}

pub fn texts<'a>(values: impl IntoIterator<Item = impl Into<Option<&'a str>>>) -> ArrayRef {
    Arc::new(values.into_iter().map(Into::into).collect::<StringArray>())
}

/// Rows as sorted lines, `1|a|2.5|true|null`, for comparing without their order.
pub fn lines(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let mut lines = Vec::new();
    for batch in batches {
        let formatters: Vec<_> = batch
            .columns()
            .iter()
            .map(|array| ArrayFormatter::try_new(array, &options).expect("a printable type"))
            .collect();
        for row in 0..batch.num_rows() {
            let values: Vec<String> = formatters.iter().map(|formatter| formatter.value(row).to_string()).collect();
            lines.push(values.join("|"));
        }
    }
    lines.sort();
    lines
}

/// The rows as SQL literals, for fixtures of databases: `(1, 'it''s', 2.5, true)`.
pub fn values(batch: &RecordBatch) -> Vec<String> {
    let options = FormatOptions::default().with_null("null");
    let literal = |array: &ArrayRef, row: usize| {
        let text = ArrayFormatter::try_new(array, &options).expect("a printable type").value(row).to_string();
        let quoted = array.data_type() == &DataType::Utf8 && !array.is_null(row);
        if quoted { super::sql_text::literal(&text) } else { text }
    };
    let row = |row| batch.columns().iter().map(|array| literal(array, row)).collect::<Vec<_>>().join(", ");
    (0..batch.num_rows()).map(|number| format!("({})", row(number))).collect()
}

macro_rules! source_tests {
    ($fixture:ident) => {
        $crate::connectors::suite::tests_of!($fixture, source, source_suite:
            reads_all_rows_with_their_types, gives_what_the_engine_would_give, reads_an_empty_place,
            names_what_is_missing, reads_odd_names, reads_large_values_in_small_batches, stops_when_dropped,
            sees_one_moment);
    };
}
pub(super) use source_tests;

macro_rules! sink_tests {
    ($fixture:ident) => {
        $crate::connectors::suite::tests_of!($fixture, sink, sink_suite:
            creates_appends_and_replaces, merges_by_key, merges_by_several_columns, refuses_a_null_in_the_key,
            adds_columns, loads_nothing, loads_odd_names, loads_with_many_writers, shows_nothing_before_the_commit,
            leaves_the_target_alone_without_a_commit, commits_once, commits_from_another_process,
            an_older_attempt_changes_nothing, says_what_is_lost, discards_at_any_time, replaces_without_a_gap);
    };
}
pub(super) use sink_tests;

macro_rules! tests_of {
    ($fixture:ident, $module:ident, $suite:ident: $($test:ident),*) => {
        mod $module {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $test() {
                    $crate::connectors::suite::$suite::$test(&super::$fixture().await).await;
                }
            )*
        }
    };
}
pub(super) use tests_of;
