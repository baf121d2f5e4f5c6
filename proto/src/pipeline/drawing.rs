//! A pipeline as a canvas has it: nodes, edges and where they stand. The same as its file, and nothing is lost either way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{PortType, yaml};
use crate::id::BlockId;

/// Where the nodes of a canvas stand: the file `NAME.layout.json` beside a pipeline's.
pub type Layout = BTreeMap<BlockId, Spot>;

/// A place on a canvas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = CanvasSpot)]
#[serde(deny_unknown_fields)]
pub struct Spot {
    pub x: f64,
    pub y: f64,
}

/// A pipeline file, cut into what a canvas draws.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GraphDefinition {
    /// The file's keys beside its blocks, as they are written: `name`, `connections`, `schedule`, ...
    #[serde(default)]
    pub file: Map<String, Value>,
    /// In the order of the file.
    pub nodes: Vec<Node>,
    /// What blocks take from each other. They follow from the settings; where some are given, these must say the same.
    #[serde(default)]
    pub edges: Vec<Edge>,
}

/// A block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = GraphNode)]
#[serde(deny_unknown_fields)]
pub struct Node {
    pub id: BlockId,
    /// The kind of block that the settings make it; not looked at where it is given.
    #[serde(default)]
    pub kind: Option<String>,
    /// As the file has them.
    pub settings: Value,
    #[serde(default)]
    pub position: Option<Spot>,
}

/// One block's use of another.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = GraphEdge)]
#[serde(deny_unknown_fields)]
pub struct Edge {
    pub source: BlockId,
    pub target: BlockId,
    /// What flows; null where the edge is order alone.
    #[serde(default)]
    pub port: Option<PortType>,
}

impl GraphDefinition {
    /// The file that says the same.
    pub fn to_text(&self) -> String {
        let mut file = self.file.clone();
        let blocks = self.nodes.iter().map(|node| (node.id.to_string(), node.settings.clone()));
        file.insert("blocks".to_owned(), Value::Object(blocks.collect()));
        yaml::write(&file)
    }

    /// Where its nodes stand, as far as they stand anywhere.
    pub fn layout(&self) -> Layout {
        self.nodes.iter().filter_map(|node| Some((node.id.clone(), node.position?))).collect()
    }

    /// What a graph cannot be: two nodes of one name, or blocks among the file's other keys.
    pub fn check(&self) -> Result<(), String> {
        let mut seen = std::collections::HashSet::new();
        if let Some(twice) = self.nodes.iter().find(|node| !seen.insert(&node.id)) {
            return Err(format!("the node `{}` is there twice", twice.id));
        }
        match ["blocks", "from", "to"].into_iter().find(|key| self.file.contains_key(*key)) {
            Some(key) => Err(format!("`{key}` belongs to the nodes, not to `file`")),
            None => Ok(()),
        }
    }

    /// The first edge that this graph has and `other` has not, whatever flows.
    pub fn edge_beyond(&self, other: &Self) -> Option<&Edge> {
        let is_there = |edge: &Edge| other.edges.iter().any(|e| e.source == edge.source && e.target == edge.target);
        self.edges.iter().find(|edge| !is_there(edge))
    }
}
