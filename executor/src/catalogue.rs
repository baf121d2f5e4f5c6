//! What this executor announces: its kinds of block and its connectors.

use flowetl_proto::catalogue::Catalogue;

use crate::{blocks, connectors};

/// Everything this executor can do.
pub fn catalogue() -> Catalogue {
    Catalogue { blocks: blocks::all(), connectors: connectors::all().iter().map(|c| c.describe()).collect() }
}
