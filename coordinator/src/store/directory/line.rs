//! What the statements of a directory go over.

use std::ops::{Deref, DerefMut};

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, Transaction};

/// A connection of the readers, on which each statement stands by itself: beginning and ending a transaction around it would be
/// two more trips to the database. Or the transaction of a writer.
pub(super) enum Line {
    Reads(PoolConnection<Any>),
    Writes(Transaction<'static, Any>),
}

impl Deref for Line {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        match self {
            Self::Reads(connection) => connection,
            Self::Writes(tx) => tx,
        }
    }
}

impl DerefMut for Line {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        match self {
            Self::Reads(connection) => connection,
            Self::Writes(tx) => tx,
        }
    }
}

impl Line {
    /// A statement that answers one text, `rows`, with a JSON list of lists of the `columns` of all that `select` finds, in this
    /// `order`; null or an empty list where it finds nothing. For lists of hundreds: the driver takes far longer to hand a row
    /// over than it takes to find it.
    pub(super) fn gathered(&self, columns: &str, select: &str, order: &str) -> String {
        let (all, each) = match self.backend_name() {
            "SQLite" => ("json_group_array", "json_array"),
            _ => ("json_agg", "json_build_array"),
        };
        format!("select cast({all}({each}({columns}) order by {order}) as text) as rows from ({select}) found")
    }
}
