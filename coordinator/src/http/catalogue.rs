//! `/catalogue`: the kinds of block and of system that executors announce. Forms and palettes are drawn from it alone.

use flowetl_proto::catalogue::{BlockDescription, ConnectorDescription, Places};
use flowetl_proto::pipeline::PortType;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Site;
use super::body::Json;
use super::problem::Problem;
use crate::accounts::Refusal;

/// Everything that pipelines can be made of.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct CatalogueView {
    blocks: Vec<BlockKind>,
    connectors: Vec<ConnectorKind>,
}

/// One kind of block.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BlockKind {
    /// `extract`, `sql`, `in_database`, `test`, `load`.
    kind: String,
    /// The key that makes a block of a pipeline file this kind.
    keyword: String,
    /// A second key that must stand beside it.
    with: Option<String>,
    label: String,
    description: String,
    /// What its inputs take (`DB_TABLE`, `S3_FILE`, `ML_MODEL`, `TRIGGER`); null where it has none.
    #[schema(value_type = Option<String>)]
    input: Option<PortType>,
    /// What it gives; null where it is an end.
    #[schema(value_type = Option<String>)]
    output: Option<PortType>,
    /// JSON Schema of its own keys. Beside that standard's words: `x-input` tells how a text names the blocks that come in,
    /// `x-reference` that it is a place, `x-connection` that it is a connection's name.
    #[schema(value_type = Object)]
    settings: Value,
}

/// One kind of system.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ConnectorKind {
    name: String,
    label: String,
    /// What `type` a connection of it may have, the usual one first.
    schemes: Vec<String>,
    /// `tables` or `paths`: what is named behind the connection's name.
    #[schema(value_type = String)]
    places: Places,
    /// JSON Schema of a connection's keys. Secrets are `writeOnly`.
    #[schema(value_type = Object)]
    settings: Value,
}

impl From<&BlockDescription> for BlockKind {
    fn from(block: &BlockDescription) -> Self {
        let BlockDescription { kind, keyword, with, label, description, input, output, settings } = block.clone();
        Self { kind, keyword, with, label, description, input, output, settings }
    }
}

impl From<&ConnectorDescription> for ConnectorKind {
    fn from(connector: &ConnectorDescription) -> Self {
        let ConnectorDescription { name, label, schemes, places, settings } = connector.clone();
        Self { name, label, schemes, places, settings }
    }
}

/// What pipelines can be made of: kinds of block, and kinds of system with the settings of their connections.
#[utoipa::path(get, path = "/catalogue", tag = "catalogue", responses((status = 200, body = CatalogueView)))]
pub(super) async fn get(site: Site) -> Result<Json<CatalogueView>, Problem> {
    let catalogue = site.roster()?.catalogue().ok_or(Refusal::NoExecutor)?;
    let blocks = catalogue.blocks.iter().map(BlockKind::from).collect();
    Ok(Json(CatalogueView { blocks, connectors: catalogue.connectors.iter().map(ConnectorKind::from).collect() }))
}
