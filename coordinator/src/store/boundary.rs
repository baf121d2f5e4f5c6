//! Which boundaries runs still refer to, and which runs may still begin attempts.

use std::collections::BTreeSet;

use flowetl_proto::id::{RunId, Token};

use super::{Store, doing, get};
use crate::Result;

impl Store {
    /// Attempts whose boundaries are read by a run that goes on, or that may be gone on with or looked at: all of those that
    /// have not ended, and what has won in a pipeline's newest run and its newest success.
    pub(crate) async fn referenced(&self) -> Result<BTreeSet<(RunId, Token)>> {
        let query = "select a.run, a.token from attempt a join run r on r.id = a.run \
                     where r.state in ('running', 'failing', 'cancelling') or (a.state in ('won', 'committing') and (\
                     r.id = (select max(n.id) from run n where n.pipeline = r.pipeline) or \
                     r.id = (select max(s.id) from run s where s.pipeline = r.pipeline and s.state = 'success')))";
        let rows = sqlx::query(query).fetch_all(&self.pool).await.map_err(doing("list the boundaries"))?;
        rows.iter().map(|row| Ok((RunId::new(get::<String>(row, "run")?), Token(get(row, "token")?)))).collect()
    }

    /// The greatest token that any run has taken.
    pub(crate) async fn newest_token(&self) -> Result<Token> {
        let row = sqlx::query("select value from serial where name = 'token'").fetch_one(&self.pool).await;
        Ok(Token(get(&row.map_err(doing("read a number"))?, "value")?))
    }
}
