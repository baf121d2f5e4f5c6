//! The coordinator: cuts pipelines into segments, decides what runs when, and keeps what is true in the metadata
//! database. It moves no data: executors do, behind [`flowetl_proto::control::Executor`].
//!
//! Reading order: [`cut`] makes segments of a pipeline, `run` is the life of a run (`machine` decides, the actor around
//! it writes and performs), `place` decides which executor does what and [`fleet`] is the shell around it, [`lead`] says
//! which of several coordinators decides, `turn` how many runs go at once, `accounts` are people and organizations,
//! `connections` lead to their systems, `discovery` says what lies there, `files` are what people bring, `warehouse` is the database
//! that is built in, [`vault`] keeps their secrets, `pipelines` are what they keep, `schedule` says when it runs, `trigger` what else lets it run, `notify` who is told
//! when it fails, `backup` copies all of it, `store` holds all SQL, and
//! [`Handle`] is how the outside asks for things: over gRPC ([`grpc`]) and over HTTP ([`http`]). [`oidc`] lets people sign in
//! through another service.

mod accounts;
mod backup;
mod clock;
mod connections;
mod control;
pub mod cut;
mod discovery;
mod error;
mod etcd;
pub mod figures;
mod files;
pub mod fleet;
pub mod grpc;
mod handle;
pub mod http;
pub mod lead;
mod lineage;
mod lock;
pub mod logs;
mod news;
mod notify;
pub mod oidc;
mod pipelines;
mod place;
mod quarantine;
mod run;
mod schedule;
mod store;
mod submit;
mod sweep;
#[cfg(test)]
mod tests;
mod transformations;
mod trigger;
mod turn;
pub mod vault;
mod warehouse;

pub use backup::{Backup, back_up, backups, fetch_backup, keep_backup, restore};
pub use connections::check_connections;
pub use error::{Error, Result};
pub use files::Space;
pub use handle::{Config, Coordinator, Handle, remembered};
pub use notify::{Mail, WrongMail};
pub use store::PositionRow;
pub use transformations::run_transformations;
pub use trigger::watch_files;
pub use warehouse::Warehouse;
