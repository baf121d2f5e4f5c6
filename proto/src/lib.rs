//! The contracts of FlowETL: what a pipeline file says, and what coordinator and executors say to each other.
//!
//! Nothing in this crate acts: it opens no connection, runs no query and starts no task.
//!
//! Reading order: [`id`] and [`code`] are the words, [`pipeline`] is the file and the graph it becomes,
//! [`catalogue`] is what executors announce they can do, [`control`] is the conversation about one attempt,
//! [`drift`] what that says of a source's columns, [`announcement`] and [`etcd`] how executors are found, [`trust`] how they know
//! who asks them, [`run`] how a run looks from outside, [`log`] what is said of it, [`trace`] where its time went, [`look`]
//! what can be seen of a pipeline before it runs, [`tables`] and of a system, [`cron`] when it runs again, [`wire`] how all of
//! it travels.

pub mod announcement;
pub mod catalogue;
pub mod code;
pub mod control;
pub mod cron;
pub mod drift;
pub mod etcd;
pub mod id;
pub mod log;
pub mod look;
pub mod pipeline;
pub mod quarantine;
pub mod run;
pub mod tables;
pub mod trace;
pub mod trust;
pub mod wire;

/// The version of this build. Coordinator and executors of one cluster are of the same.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
