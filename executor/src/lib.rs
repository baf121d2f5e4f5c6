//! The engine: turns a segment into one DataFusion plan, runs it in bounded memory, stages what it makes and publishes
//! it on command.
//!
//! Reading order: [`connectors`] is how the outside is read and written, [`blocks`] what a person can draw, [`server`] how
//! a node takes part in a cluster.

#[cfg(feature = "bench")]
#[doc(hidden)]
pub mod bench;
pub mod blocks;
mod boundary;
mod catalogue;
mod config;
pub mod connectors;
mod destination;
mod error;
mod fence;
pub mod figures;
mod gate;
pub mod inspect;
mod journal;
mod memory;
mod meter;
mod node;
mod operator;
mod parquet_write;
mod plan;
mod quarantine;
mod remote;
mod schema;
mod segment;
pub mod server;
pub mod storage;
#[cfg(test)]
mod tests;
mod usage;

pub use catalogue::catalogue;
pub use config::NodeConfig;
pub use error::{Error, Result};
pub use node::Node;
