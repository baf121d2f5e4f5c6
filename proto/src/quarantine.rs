//! Rows of a run that could not be read and were put aside, each with the reason.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{BlockId, RunId, Token};
use crate::log::Cursor;

/// What is asked for of a run's quarantine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Query {
    pub run: RunId,
    /// Only what these attempts have put aside: another attempt of a segment meets the same rows again.
    pub attempts: BTreeSet<Token>,
    /// Only rows of this block.
    pub block: Option<BlockId>,
    /// What was read before.
    pub after: Cursor,
    /// Rows in one answer.
    pub limit: usize,
}

/// A row that was put aside. It is data: what it holds may be secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The block that would have read it.
    pub block: BlockId,
    /// Where in the source: `a.csv line 7`.
    pub location: String,
    pub reason: String,
    /// As the source has it, as far as that is text.
    pub row: String,
}

/// A part of a run's quarantine.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// Block by block, in the order in which they were put aside.
    pub rows: Vec<Row>,
    /// What was read with it.
    pub next: Cursor,
    /// Whether more lies there now.
    pub has_more: bool,
}
