//! Tests of the whole crate from outside its rooms.

mod bad_files;
mod good_files;
pub(crate) mod odd;
pub(crate) mod ssh;
pub(crate) mod world;
