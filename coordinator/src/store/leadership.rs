//! Whose writes count: the newest leader's.

use sqlx::{Any, Transaction};

use super::{Store, commit, doing, get};
use crate::lead::Tenure;
use crate::{Error, Result};

impl Store {
    /// The newest leader's term; 0 where there was none.
    pub(crate) async fn leading_term(&self) -> Result<i64> {
        let row = sqlx::query("select term from leadership where id = 1").fetch_one(&self.pool).await;
        get(&row.map_err(doing("read who leads"))?, "term")
    }

    /// Replaces the leader of the term `old` by that of the greater term `new`: from then on nothing of an older leader is
    /// written. Fails with [`Error::Deposed`], changing nothing, where another did so before.
    pub(crate) async fn succeed(&self, old: i64, new: i64, now: i64) -> Result<()> {
        let mut tx = self.begin_unled().await?;
        let update = sqlx::query("update leadership set term = $1, since = $2 where id = 1 and term = $3");
        let done = update.bind(new).bind(now).bind(old).execute(&mut *tx).await.map_err(doing("take the lead"))?;
        if done.rows_affected() != 1 {
            return Err(Error::Deposed);
        }
        commit(tx).await
    }
}

/// Fails unless the term of `tenure` is the newest leader's. The answer holds until the transaction ends: who raises the term waits for
/// that.
pub(super) async fn check(tx: &mut Transaction<'static, Any>, query: &'static str, tenure: &Tenure) -> Result<()> {
    let row = sqlx::query(query).fetch_one(&mut **tx).await.map_err(doing("read who leads"))?;
    if get::<i64>(&row, "term")? == tenure.term() { Ok(()) } else { Err(Error::Deposed) }
}
