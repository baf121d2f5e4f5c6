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
