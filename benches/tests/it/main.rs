//! Tests of the whole system, in one binary because each links DataFusion.

#[cfg(test)]
mod alerts;
#[cfg(test)]
mod arrivals;
#[cfg(test)]
mod backups;
#[cfg(test)]
mod client;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod drift;
#[cfg(test)]
mod etcd;
#[cfg(test)]
mod failure;
#[cfg(test)]
mod files;
#[cfg(test)]
mod flood;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod mapping;
#[cfg(test)]
mod pushdown;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod server;
#[cfg(test)]
mod service;
#[cfg(test)]
mod tidy;
#[cfg(test)]
mod trust;
#[cfg(test)]
mod warehouse;
#[cfg(test)]
mod world;
