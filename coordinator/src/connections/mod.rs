//! Connections: where an organization's systems are and how to sign in to them, with their secrets in its vault.
//!
//! [`model`] is a connection as it is kept and shown, [`wish`] what is wanted of one, [`service`] makes, changes and tests
//! them, [`unseal`] opens what runs need of them, [`health`] tests all on a timer, [`usage`] knows
//! which pipelines name them, [`transfer`] takes them out and in.

mod health;
mod model;
mod service;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;
mod unseal;
mod usage;
mod wish;

pub use self::health::check_connections;
pub(crate) use self::model::{Connection, ConnectionDetail, ConnectionQuery, ConnectionView, Direction, LastTest};
pub(crate) use self::service::{Connections, TestAnswer};
pub(crate) use self::transfer::{ExportWish, Exported, Import, Imported};
pub(crate) use self::unseal::{path, sealed_by, unseal};
pub(crate) use self::usage::ConnectionUser;
pub(crate) use self::wish::Wish;
