//! Numbers that only grow.

use std::ops::Range;

use sqlx::{Any, Transaction};

use super::{doing, get};
use crate::Result;

/// Takes `count` consecutive numbers from the serial `name`.
pub(super) async fn take(tx: &mut Transaction<'static, Any>, name: &'static str, count: i64) -> Result<Range<i64>> {
    let row = sqlx::query("update serial set value = value + $1 where name = $2 returning value")
        .bind(count)
        .bind(name)
        .fetch_one(&mut **tx)
        .await
        .map_err(doing("take a number"))?;
    let last: i64 = get(&row, "value")?;
    Ok(last - count + 1..last + 1)
}
