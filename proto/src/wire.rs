//! The messages and services that cross process borders, made from `proto/flowetl/v1`.

/// Version 1 of the wire.
pub mod v1 {
    tonic::include_proto!("flowetl.v1");
}
