//! Calls that are to be done once, however often they are made.

use super::{Store, commit, doing, get};
use crate::Result;

/// How long an answer is kept.
const LIFE_MS: i64 = 24 * 3_600_000;

/// What became of a call when it was made before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    /// It was not: it is being made now.
    Never,
    /// The key was used for something else.
    Other,
    /// It was begun at that time, and has no answer.
    Open { since: i64 },
    /// It was answered like this; without a text where the answer held a secret.
    Answered { status: u16, answer: Option<String> },
}

impl Store {
    /// Begins the call `key` of `scope`, unless it was before; `body` is the hash of what it says.
    pub(crate) async fn begin_once(&self, (scope, key): (&str, &str), body: &str, now: i64) -> Result<Earlier> {
        let mut tx = self.begin().await?;
        let delete = sqlx::query("delete from idempotency where at < $1").bind(now - LIFE_MS);
        delete.execute(&mut *tx).await.map_err(doing("forget calls"))?;
        let insert = "insert into idempotency (scope, key, body, at) values ($1, $2, $3, $4) on conflict do nothing";
        let insert = sqlx::query(insert).bind(scope.to_owned()).bind(key.to_owned()).bind(body.to_owned()).bind(now);
        let done = insert.execute(&mut *tx).await.map_err(doing("write a call"))?;
        let earlier = match done.rows_affected() {
            1 => Earlier::Never,
            _ => {
                let query = sqlx::query("select * from idempotency where scope = $1 and key = $2");
                let query = query.bind(scope.to_owned()).bind(key.to_owned());
                let row = query.fetch_one(&mut *tx).await.map_err(doing("read a call"))?;
                match get::<Option<i64>>(&row, "status")?.and_then(|status| u16::try_from(status).ok()) {
                    _ if get::<String>(&row, "body")? != body => Earlier::Other,
                    Some(status) => Earlier::Answered { status, answer: get(&row, "answer")? },
                    None => Earlier::Open { since: get(&row, "at")? },
                }
            }
        };
        commit(tx).await?;
        Ok(earlier)
    }

    /// Keeps the answer of a call that was begun.
    pub(crate) async fn answer_once(
        &self,
        (scope, key): (&str, &str),
        status: u16,
        answer: Option<&str>,
    ) -> Result<()> {
        let mut tx = self.begin().await?;
        let update = sqlx::query("update idempotency set status = $1, answer = $2 where scope = $3 and key = $4");
        let update = update.bind(i64::from(status)).bind(answer.map(str::to_owned));
        let update = update.bind(scope.to_owned()).bind(key.to_owned());
        update.execute(&mut *tx).await.map_err(doing("write a call"))?;
        commit(tx).await
    }

    /// Lets a call that did nothing be made again.
    pub(crate) async fn forget_once(&self, (scope, key): (&str, &str)) -> Result<()> {
        let mut tx = self.begin().await?;
        let delete = sqlx::query("delete from idempotency where scope = $1 and key = $2");
        let delete = delete.bind(scope.to_owned()).bind(key.to_owned());
        delete.execute(&mut *tx).await.map_err(doing("forget a call"))?;
        commit(tx).await
    }
}
