//! Questions to a pipeline as a graph: what comes first, who reads what, what a block needs.

use std::collections::{HashMap, HashSet, VecDeque};

use indexmap::IndexMap;
use serde_json::json;

use super::validate::hash;
use super::{Block, Pipeline};
use crate::id::BlockId;

impl Pipeline {
    /// Every block after the blocks it reads and comes after; otherwise in the order of the file.
    pub fn topological(&self) -> Vec<&Block> {
        let mut missing: HashMap<&BlockId, usize> = HashMap::new();
        let mut downstream: HashMap<&BlockId, Vec<&BlockId>> = HashMap::new();
        for block in self.blocks.values() {
            let upstream: HashSet<&BlockId> = block.upstream().collect();
            missing.insert(&block.id, upstream.len());
            for id in upstream {
                downstream.entry(id).or_default().push(&block.id);
            }
        }
        let mut ready: VecDeque<&BlockId> = self.blocks.keys().filter(|id| missing[id] == 0).collect();
        let mut sorted = Vec::with_capacity(self.blocks.len());
        while let Some(id) = ready.pop_front() {
            sorted.push(&self.blocks[id]);
            for next in downstream.get(id).into_iter().flatten() {
                if let Some(count) = missing.get_mut(next) {
                    *count -= 1;
                    if *count == 0 {
                        ready.push_back(next);
                    }
                }
            }
        }
        sorted
    }

    /// The blocks that read a block's output, in the order of the file.
    pub fn consumers(&self, id: &BlockId) -> Vec<&Block> {
        self.blocks.values().filter(|block| block.inputs.iter().any(|input| input.block == *id)).collect()
    }

    /// The pipeline as far as one block: the block, and all it reads or comes after. Tests on the way stay out, unless
    /// the block is one. `None` where there is no such block.
    pub fn until(&self, id: &BlockId) -> Option<Self> {
        self.below(id, |block| {
            let ordered = block.after.iter().filter(|id| self.blocks.get(*id).is_some_and(|block| !block.is_test()));
            block.inputs.iter().map(|input| &input.block).chain(ordered).collect()
        })
    }

    /// Only the blocks whose rows reach one block, without any order beside that: what a preview may run, because
    /// nothing in it writes. `None` where there is no such block.
    pub fn feeding(&self, id: &BlockId) -> Option<Self> {
        self.below(id, |block| block.inputs.iter().map(|input| &input.block).collect())
    }

    fn below<'a>(&'a self, id: &BlockId, upstream: impl Fn(&'a Block) -> Vec<&'a BlockId>) -> Option<Self> {
        let root = self.blocks.get(id)?;
        let mut kept = HashSet::from([&root.id]);
        let mut waiting = vec![root];
        while let Some(block) = waiting.pop() {
            for id in upstream(block) {
                if kept.insert(id) {
                    waiting.extend(self.blocks.get(id));
                }
            }
        }
        let mut blocks: IndexMap<BlockId, Block> = self.blocks.clone();
        blocks.retain(|id, _| kept.contains(id));
        for block in blocks.values_mut() {
            let followed = upstream(&self.blocks[&block.id]);
            block.after.retain(|id| followed.contains(&id) && kept.contains(id));
        }
        Some(Self { blocks, ..self.clone() })
    }

    /// SHA-256 of what the pipeline does, in hexadecimal: the same for equal pipelines, whatever the order in the file,
    /// and whatever a literal password is.
    pub fn hash(&self) -> String {
        let connections: IndexMap<_, _> = self.connections.iter().map(|(name, spec)| (name, spec.redacted())).collect();
        hash(&json!({
            "name": self.name,
            "connections": connections,
            "blocks": self.blocks,
            "retries": self.retries,
            "memory": self.memory,
            "service": self.service,
        }))
    }
}

impl Block {
    /// Every block that must be done, or have given its rows, before this one is done.
    pub fn upstream(&self) -> impl Iterator<Item = &BlockId> {
        self.inputs.iter().map(|input| &input.block).chain(&self.after)
    }

    /// Whether this only checks rows of others.
    pub fn is_test(&self) -> bool {
        self.kind == "test"
    }
}
