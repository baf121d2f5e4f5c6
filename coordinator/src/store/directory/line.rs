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
    /// A statement that answers one text, `rows`: a JSON list of what `select` finds, each a list of these `columns` and then of
    /// these `documents`, which are JSON by themselves; in no order, and null or empty where it finds nothing. For lists of
    /// hundreds: the driver takes far longer to hand a row over than it takes to find it.
    pub(super) fn gathered(&self, columns: &str, documents: [&str; 2], select: &str) -> String {
        let [one, other] = documents;
        let row = match self.backend_name() {
            "SQLite" => format!("json_group_array(json_array({columns}, json({one}), json({other})))"),
            _ => format!("json_agg(json_build_array({columns}, cast({one} as json), cast({other} as json)))"),
        };
        format!("select cast({row} as text) as rows from ({select}) found")
    }
}
