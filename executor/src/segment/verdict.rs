//! Data tests: each becomes one query whose every row is a failure.

use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::prelude::SessionContext;
use flowetl_proto::control::TestResult;
use flowetl_proto::id::BlockId;
use serde_json::Value;

use crate::blocks::Test;
use crate::{Error, Result, plan};

/// Offending rows shown per test.
const SAMPLES_MAX: usize = 5;
/// Characters of one shown row.
const SAMPLE_WIDTH_MAX: usize = 200;

/// One check as a query.
struct Check {
    /// As a person would name it.
    name: String,
    /// Gives one row per failure.
    failing: String,
}

/// Runs every check of a `test` block over the registered tables.
pub(super) async fn judge(context: &SessionContext, block: &BlockId, test: &Test) -> Result<Vec<TestResult>> {
    let mut results = Vec::new();
    for check in checks(test)? {
        let (failures, samples) =
            run(context, &check.failing).await.map_err(|e| named(e, &check.name).in_block(block))?;
        results.push(TestResult {
            block: block.clone(),
            test: check.name,
            passed: failures == 0,
            failures,
            severity: test.severity,
            samples,
        });
    }
    Ok(results)
}

/// Plans every check without running it.
pub(super) async fn check(context: &SessionContext, block: &BlockId, test: &Test) -> Result<()> {
    for check in checks(test)? {
        let planned = plan::select(context, &check.failing).await;
        planned.map_err(|e| named(e, &check.name).in_block(block))?;
    }
    Ok(())
}

fn named(error: Error, check: &str) -> Error {
    Error { message: format!("`{check}`: {}", error.message), ..error }
}

fn checks(test: &Test) -> Result<Vec<Check>> {
    let table = identifier(&test.test);
    let mut checks = Vec::new();
    for columns in test.unique.iter().cloned().map(crate::blocks::OneOrMany::into_vec) {
        let list = columns.iter().map(|c| identifier(c)).collect::<Vec<_>>().join(", ");
        checks.push(Check {
            name: format!("unique({})", columns.join(", ")),
            failing: format!("select {list}, count(*) as times from {table} group by {list} having count(*) > 1"),
        });
    }
    for column in &test.not_null {
        checks.push(Check {
            name: format!("not_null({column})"),
            failing: format!("select * from {table} where {} is null", identifier(column)),
        });
    }
    for (column, values) in &test.accepted_values {
        let list = values.iter().map(literal).collect::<Result<Vec<_>>>()?.join(", ");
        let column_sql = identifier(column);
        checks.push(Check {
            name: format!("accepted_values({column})"),
            failing: format!(
                "select {column_sql}, count(*) as times from {table} where {column_sql} not in ({list}) group by {column_sql}"
            ),
        });
    }
    for (column, target) in &test.relationships {
        let (other, other_column) = target
            .rsplit_once('.')
            .ok_or_else(|| Error::user(format!("`relationships.{column}`: `{target}` is not `block.column`")))?;
        let (column_sql, other, other_column) = (identifier(column), identifier(other), identifier(other_column));
        checks.push(Check {
            name: format!("relationships({column} in {target})"),
            failing: format!(
                "select a.{column_sql} from {table} a left anti join {other} b on a.{column_sql} = b.{other_column} \
                 where a.{column_sql} is not null"
            ),
        });
    }
    if let Some(rows) = &test.rows {
        checks.push(Check {
            name: format!("rows {rows}"),
            failing: format!("select n as rows from (select count(*) as n from {table}) where not (n {rows})"),
        });
    }
    for (i, sql) in test.sql.iter().enumerate() {
        checks
            .push(Check { name: format!("sql {}", i + 1), failing: sql.trim_end_matches([';', ' ', '\n']).to_owned() });
    }
    Ok(checks)
}

/// How many rows the query gives, and the first few of them as text. One pass; rows beyond the samples are only counted.
async fn run(context: &SessionContext, failing: &str) -> Result<(u64, Vec<String>)> {
    use futures::TryStreamExt;

    let plan = plan::select(context, failing).await?;
    let mut stream = context.execute_logical_plan(plan).await?.execute_stream().await?;
    let mut failures = 0;
    let mut samples = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        failures += batch.num_rows() as u64;
        let schema = batch.schema();
        let options = FormatOptions::default().with_null("null");
        for row in 0..batch.num_rows().min(SAMPLES_MAX - samples.len()) {
            let mut text = Vec::new();
            for (field, column) in schema.fields().iter().zip(batch.columns()) {
                let formatter = ArrayFormatter::try_new(column, &options)?;
                text.push(format!("{}={}", field.name(), formatter.value(row)));
            }
            samples.push(text.join(", ").chars().take(SAMPLE_WIDTH_MAX).collect());
        }
    }
    Ok((failures, samples))
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn literal(value: &Value) -> Result<String> {
    Ok(match value {
        Value::String(text) => format!("'{}'", text.replace('\'', "''")),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        other => return Err(Error::user(format!("`accepted_values`: {other} is not a text, number or boolean"))),
    })
}
