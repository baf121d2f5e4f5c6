//! An `extract` block as a plan: the table, its window, its condition, its columns.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::functions::crypto::expr_fn::sha256;
use datafusion::functions::encoding::expr_fn::encode;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, cast, lit};
use datafusion::prelude::SessionContext;
use flowetl_proto::control::Position;
use flowetl_proto::id::BlockId;
use serde_json::Value;

use super::cursor::{CursorTable, HighWater};
use crate::blocks::{Columns, Extract, Sync};
use crate::{Error, Result};

/// Where an incremental extract starts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Start<'a> {
    /// How far the last run came; `None` before the first.
    pub(super) position: Option<&'a Position>,
    /// Whether every load behind it may be given a row again.
    pub(super) rereads: bool,
}

/// The plan of an extract over the connector's `table`; `high_water` is filled as it is read.
pub(super) fn plan(
    context: &SessionContext,
    block: &BlockId,
    settings: &Extract,
    table: Arc<dyn datafusion::catalog::TableProvider>,
    start: Start<'_>,
    high_water: &Arc<HighWater>,
) -> Result<LogicalPlan> {
    let schema = table.schema();
    let table = match &settings.sync {
        None => table,
        Some(sync) => {
            let cursor = schema.index_of(&sync.cursor).map_err(|_| {
                Error::user(unknown_column(
                    "sync.cursor",
                    &sync.cursor,
                    schema.fields().iter().map(|f| f.name().as_str()),
                ))
            })?;
            let window = window(sync, schema.field(cursor).data_type(), start)?;
            Arc::new(CursorTable { inner: table, cursor, window, high_water: Arc::clone(high_water) })
        }
    };
    let mut plan = LogicalPlanBuilder::scan(block.as_str(), provider_as_source(table), None)?;
    if let Some(filter) = &settings.filter {
        let condition = context
            .state()
            .create_logical_expr(filter, plan.schema())
            .map_err(|e| Error::user(format!("`where`: {}", Error::from(e).message)))?;
        plan = plan.filter(condition)?;
    }
    let columns = columns(&settings.columns, plan.schema())?;
    if let Some(columns) = columns {
        plan = plan.project(columns)?;
    }
    Ok(plan.build()?)
}

/// The condition that opens the window: from the position less the overlap, else from `start`, else everything.
///
/// The window is closed at its start, so that rows which were committed late or share the last value are read again and
/// merged; only without an overlap and before a load that appends it is open, so that nothing is doubled.
///
/// A row whose cursor is null lies in no window: it comes with a read of everything, and never again with an append.
fn window(sync: &Sync, data_type: &DataType, start: Start<'_>) -> Result<Option<Expr>> {
    let column = Expr::Column(Column::new_unqualified(&sync.cursor));
    if let Some(position) = start.position {
        let value = ScalarValue::Utf8(Some(position.value.clone())).cast_to(data_type).map_err(|e| {
            Error::user(format!(
                "the stored position `{}` of `{}` is not a {data_type}: start again with `--full-refresh`",
                position.value, sync.cursor
            ))
            .because(e)
        })?;
        return Ok(Some(match &sync.overlap {
            None if start.rereads => column.gt_eq(lit(value)),
            None => column.gt(lit(value)),
            Some(overlap) => column.gt_eq(lit(earlier(&value, overlap, &sync.cursor)?)),
        }));
    }
    let Some(start) = &sync.start else { return Ok(None) };
    let text = plain_text(start);
    let value = ScalarValue::Utf8(Some(text.clone())).cast_to(data_type).map_err(|e| {
        Error::user(format!("`sync.start` `{text}` is not a {data_type}, the type of `{}`", sync.cursor)).because(e)
    })?;
    Ok(Some(column.gt_eq(lit(value))))
}

/// `value` less `overlap`: a duration for times and dates, a number for numbers.
fn earlier(value: &ScalarValue, overlap: &Value, cursor: &str) -> Result<ScalarValue> {
    let text = plain_text(overlap);
    let wrong = || {
        Error::user(format!(
            "`sync.overlap` `{text}` cannot be taken from `{cursor}`, a {}: a duration (`10m`) fits times, a number fits numbers",
            value.data_type()
        ))
    };
    let data_type = value.data_type();
    if data_type.is_temporal() {
        let length = flowetl_proto::pipeline::quantity::duration(&text).map_err(|_| wrong())?;
        let nanoseconds = i64::try_from(length.as_nanos()).map_err(|_| wrong())?;
        let length = match data_type {
            // A date has no parts of a day: a part counts as a whole one.
            DataType::Date32 | DataType::Date64 => {
                let days = length.as_nanos().div_ceil(86_400_000_000_000);
                ScalarValue::new_interval_dt(i32::try_from(days).map_err(|_| wrong())?, 0)
            }
            _ => ScalarValue::new_interval_mdn(0, 0, nanoseconds),
        };
        return value.sub(length).and_then(|v| v.cast_to(&data_type)).map_err(|_| wrong());
    }
    let length = ScalarValue::Utf8(Some(text.clone())).cast_to(&data_type).map_err(|_| wrong())?;
    match value.sub_checked(length) {
        Ok(value) => value.cast_to(&data_type).map_err(|_| wrong()),
        Err(_) if data_type.is_unsigned_integer() => Ok(ScalarValue::new_zero(&data_type)?),
        Err(_) => Err(wrong()),
    }
}

/// The block's columns, or `None` where it gives all of them unchanged.
fn columns(settings: &Columns, schema: &DFSchema) -> Result<Option<Vec<Expr>>> {
    let names: Vec<&str> = schema.fields().iter().map(|f| f.name().as_str()).collect();
    let asked = settings.include.iter().flatten().map(|n| ("columns.include", n));
    let asked = asked.chain(settings.exclude.iter().map(|n| ("columns.exclude", n)));
    let asked = asked.chain(settings.hash.iter().map(|n| ("columns.hash", n)));
    let asked = asked.chain(settings.rename.keys().map(|n| ("columns.rename", n)));
    for (key, name) in asked {
        if !names.contains(&name.as_str()) {
            return Err(Error::user(unknown_column(key, name, names.iter().copied())));
        }
    }
    let untouched = settings.include.is_none()
        && settings.exclude.is_empty()
        && settings.hash.is_empty()
        && settings.rename.is_empty();
    if untouched {
        return Ok(None);
    }
    let included: Vec<&str> = match &settings.include {
        Some(include) => include.iter().map(String::as_str).collect(),
        None => names,
    };
    let kept = included.into_iter().filter(|name| !settings.exclude.iter().any(|e| e == name));
    Ok(Some(
        kept.map(|name| {
            let (qualifier, field) = schema.qualified_field_with_unqualified_name(name)?;
            let column = Expr::Column(Column::from((qualifier, field)));
            let shown = settings.rename.get(name).map_or(name, String::as_str);
            let hashed = settings.hash.iter().any(|h| h == name);
            Ok(if hashed {
                encode(sha256(cast(column, DataType::Utf8)), lit("hex")).alias(shown)
            } else if shown != name {
                column.alias(shown)
            } else {
                column
            })
        })
        .collect::<Result<_>>()?,
    ))
}

/// A JSON value as a person wrote it: text without quotes.
fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The message for a column that a table does not have, with the nearest name.
pub(crate) fn unknown_column<'a>(key: &str, name: &str, columns: impl Iterator<Item = &'a str>) -> String {
    match flowetl_proto::pipeline::nearest_word(name, columns) {
        Some(near) => format!("`{key}`: there is no column `{name}`, did you mean `{near}`?"),
        None => format!("`{key}`: there is no column `{name}`"),
    }
}
