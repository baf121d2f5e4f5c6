//! The log of a run: what executors have written of it, and the run's own decisions in words, in one order.
//!
//! Decisions are never lost, for they are what the run is; each is told where its time is among the lines of executors.

use std::time::Duration;

use flowetl_proto::log::{Cursor, Line, Page, Query};
use flowetl_proto::run::RunEvent;
use tokio::time::{Instant, sleep};

use crate::run::{Tries, told};
use crate::store::AttemptRow;
use crate::{Error, Handle, Result};

/// The name in a cursor under which decisions are counted.
const DECISIONS: &str = "decisions";
/// How often whoever follows a run looks for more.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long after the end of a run its last lines are waited for: executors write once a second.
const LAST_LIMIT: Duration = Duration::from_secs(3);

/// Which segment each attempt is of, and its number there.
pub(crate) fn tries(rows: &[AttemptRow]) -> Tries {
    rows.iter().map(|row| (row.token, (row.segment.clone(), row.number))).collect()
}

impl Handle {
    /// The next lines of a run, at most `query.limit` and one.
    pub async fn log(&self, query: &Query) -> Result<Page> {
        Ok(self.log_with_tries(query).await?.0)
    }

    /// The same, and which attempt each token is.
    pub(crate) async fn log_with_tries(&self, query: &Query) -> Result<(Page, Tries)> {
        let share = query.limit.div_ceil(2).max(1);
        let tries = tries(&self.attempts(&query.run).await?);
        let seen = query.after.get(DECISIONS).copied().unwrap_or(0);
        let events = self.events(&query.run).await?;
        let mut events = events.into_iter().filter(|event| number(event) > seen).peekable();
        let after: Cursor =
            query.after.iter().filter(|(name, _)| *name != DECISIONS).map(|(n, c)| (n.clone(), *c)).collect();
        let asked = Query { after, limit: share, ..query.clone() };
        let answered = self.inner.around.executor.log(asked).await;
        let Page { mut lines, mut next, mut has_more } =
            answered.map_err(|failure| Error::Executor(Box::new(failure)))?;
        // Behind the last line that was read there may be more of that time: what was decided later waits.
        let until = lines.last().filter(|_| has_more).map_or(i64::MAX, |line| line.at);
        let (mut seen, mut taken) = (seen, 0);
        while let Some(event) = events.next_if(|event| event.at <= until && taken < share) {
            seen = number(&event);
            let line = told(&event, &tries);
            if query.filter.takes(&line) {
                lines.push(line);
                taken += 1;
            }
        }
        has_more |= events.peek().is_some();
        lines.sort_by_key(|line| line.at);
        next.insert(DECISIONS.to_owned(), seen);
        Ok((Page { lines, next, has_more }, tries))
    }

    /// Waits until there is more of a run's log than was read with `after`; `None` once the run is over and there is nothing more.
    pub(crate) async fn follow_log(&self, query: &Query) -> Result<Option<(Page, Tries)>> {
        let mut ended_at = None;
        loop {
            let is_over = self.store().run(&query.run).await?.state.is_terminal();
            let (page, tries) = self.log_with_tries(query).await?;
            if !page.lines.is_empty() || page.has_more {
                return Ok(Some((page, tries)));
            }
            if is_over && ended_at.get_or_insert_with(Instant::now).elapsed() >= LAST_LIMIT {
                return Ok(None);
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

fn number(event: &RunEvent) -> u64 {
    u64::try_from(event.seq).unwrap_or(0)
}

/// A line as it stands in a terminal.
pub fn text(line: &Line, at: &str) -> String {
    let block = line.block.as_ref().map(|block| format!(" {block}")).unwrap_or_default();
    let fields: String = line.fields.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    format!("{at} {:5}{block} {}{fields}", line.level.as_str(), line.message)
}
