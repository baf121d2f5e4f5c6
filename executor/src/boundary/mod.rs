//! Boundaries: the rows between two segments, as Parquet parts in object storage.
//!
//! [`write`] makes the parts of one attempt, [`ledger`] proves that none is missing, [`manifest`] says what they hold,
//! [`read`] gives them to the next segment and trusts nothing it has not counted, [`sweep`] removes what nobody reads.

mod ledger;
mod manifest;
mod read;
mod sink;
mod sweep;
#[cfg(test)]
mod tests;
mod write;

pub use ledger::Ledger;
pub use manifest::manifest;
pub use read::read;
pub(crate) use sink::BoundarySink;
pub(crate) use sweep::{folders, sweep};
pub(crate) use write::{folder, forget};
