//! The completeness ledger: every partition reported once, with as many rows as the last operator counted.

use std::collections::BTreeMap;

use flowetl_proto::code::Class;
use flowetl_proto::control::Part;

use crate::{Error, Result};

/// What the partitions of one attempt reported.
#[derive(Clone, Debug)]
pub struct Ledger {
    partitions: usize,
    reported: BTreeMap<usize, Vec<Part>>,
}

impl Ledger {
    /// Of an attempt whose last operator has so many partitions.
    pub fn new(partitions: usize) -> Self {
        Self { partitions, reported: BTreeMap::new() }
    }

    /// Enters what a partition made; a partition that is not expected, or comes twice, is an error.
    pub fn report(&mut self, partition: usize, parts: Vec<Part>) -> Result<()> {
        if partition >= self.partitions {
            let what = format!("partition {partition} reported, {} were expected", self.partitions);
            return Err(Error::new(Class::Truncated, what));
        }
        if self.reported.contains_key(&partition) {
            return Err(Error::new(Class::Truncated, format!("partition {partition} reported twice")));
        }
        self.reported.insert(partition, parts);
        Ok(())
    }

    /// All parts, once the ledger is complete. `counted` are the rows of each partition as the last operator saw them.
    pub fn close(self, counted: &[u64]) -> Result<Vec<Part>> {
        if counted.len() != self.partitions {
            let what = format!("{} partitions were counted, {} were expected", counted.len(), self.partitions);
            return Err(Error::new(Class::Truncated, what));
        }
        for (partition, &rows) in counted.iter().enumerate() {
            let Some(parts) = self.reported.get(&partition) else {
                return Err(Error::new(Class::Truncated, format!("partition {partition} did not report")));
            };
            let written: u64 = parts.iter().map(|part| part.rows).sum();
            if written != rows {
                let what = format!("partition {partition} wrote {written} of {rows} rows");
                return Err(Error::new(Class::Truncated, what));
            }
        }
        Ok(self.reported.into_values().flatten().collect())
    }
}
