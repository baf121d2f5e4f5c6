//! Rows that a run has put aside because they could not be read.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::id::{BlockId, RunId, Token};
use flowetl_proto::log::Cursor;
use flowetl_proto::quarantine::{Page, Query};

use crate::store::AttemptRow;
use crate::{Error, Handle, Result};

impl Handle {
    /// The next rows that a run has put aside, at most `limit`: of all blocks, or of one. Each segment's are those of the
    /// attempt that counts.
    pub(crate) async fn quarantined(
        &self,
        run: &RunId,
        block: Option<BlockId>,
        after: Cursor,
        limit: usize,
    ) -> Result<Page> {
        let attempts = that_count(&self.attempts(run).await?);
        let query = Query { run: run.clone(), attempts, block, after, limit };
        let answered = self.inner.around.executor.quarantined(query).await;
        answered.map_err(|failure| Error::Executor(Box::new(failure)))
    }
}

/// Of each segment the attempt that has won, or else the newest.
fn that_count(rows: &[AttemptRow]) -> BTreeSet<Token> {
    let mut count = BTreeMap::new();
    for row in rows.iter().filter(|row| row.state == "won") {
        count.insert(&row.segment, row.token);
    }
    // In the order they were started.
    for row in rows.iter().rev() {
        count.entry(&row.segment).or_insert(row.token);
    }
    count.into_values().collect()
}
