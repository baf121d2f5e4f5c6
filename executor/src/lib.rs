//! The engine: turns a segment into one DataFusion plan, runs it in bounded memory, stages what it makes and publishes
//! it on command.
//!
//! Reading order: [`connectors`] is how the outside is read and written, [`blocks`] what a person can draw.

pub mod blocks;
pub mod boundary;
pub mod connectors;
mod error;
pub mod parquet_write;
pub mod quarantine;
pub mod storage;

pub use error::{Error, Result};
