//! Lineage: where an organization's data comes from and goes to, over all its pipelines and transformations.
//!
//! [`Lineage::of`] draws it from what they say that they read and write: pure, so that it is always what they say now.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::pipeline::{Reference, Touches};
use serde::Serialize;
use utoipa::ToSchema;

use crate::pipelines::{LastRun, LastRunItem, Listed};
use crate::store::Edge;
use crate::transformations::Model;

/// A graph of places and of what makes them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, ToSchema)]
pub(crate) struct Lineage {
    /// Pipelines and transformations by name, then tables and files.
    pub nodes: Vec<LineageNode>,
    pub edges: Vec<LineageEdge>,
}

/// Something that data passes through or lies in.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub(crate) struct LineageNode {
    /// `pipeline:<id>`, `transformation:<id>`, `table:shop.public.orders` or `file:lake/raw/*.parquet`.
    pub id: String,
    pub kind: NodeKind,
    pub name: String,
    /// Of a pipeline or transformation: its id.
    pub object_id: Option<String>,
    /// Of a table or files: the connection, or the address of what has no name.
    pub connection: Option<String>,
    /// Of a pipeline or transformation.
    pub last_run: Option<LastRunItem>,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LineageNodeKind)]
pub(crate) enum NodeKind {
    Pipeline,
    Transformation,
    /// A table, a view, or a query whose tables cannot be told.
    Table,
    File,
}

/// From one node to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct LineageEdge {
    /// The id of the node that comes before.
    pub from: String,
    pub to: String,
    pub kind: EdgeKind,
    /// Of one that triggers: the id of the trigger.
    pub trigger_id: Option<String>,
}

/// What an edge means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = LineageEdgeKind)]
pub(crate) enum EdgeKind {
    /// `to` reads `from`.
    Reads,
    /// `from` makes `to` or writes into it.
    Writes,
    /// `to` begins when `from` has succeeded.
    Triggers,
}

impl Lineage {
    /// `last_runs`: the newest run of each transformation, by the name of its runs. A table without a schema is that of the
    /// connection's own: where one table of its name is written with a schema, the two are the same.
    pub(crate) fn of(
        pipelines: &[(Listed, Touches)],
        models: &[Model],
        dependencies: &[Edge],
        last_runs: &BTreeMap<String, Vec<LastRun>>,
    ) -> Self {
        let mut drawn = Self::default();
        for (listed, _) in pipelines {
            let pipeline = &listed.pipeline;
            let last_run = listed.last_run.clone();
            drawn.add_maker(NodeKind::Pipeline, (&pipeline.id, &pipeline.name), last_run);
        }
        for model in models {
            let last_run = last_runs.get(&model.run_name).and_then(|runs| runs.first()).cloned();
            drawn.add_maker(NodeKind::Transformation, (&model.id, &model.name), last_run);
        }
        let all = pipelines.iter().flat_map(|(_, touches)| touches.reads.iter().chain(&touches.writes));
        let all = all.chain(models.iter().flat_map(|model| model.reads.iter().chain(&model.makes)));
        let places = Places::of(all);
        for place in places.distinct() {
            drawn.nodes.push(place_node(place));
        }
        for (listed, touches) in pipelines {
            let id = maker_id(NodeKind::Pipeline, &listed.pipeline.id);
            drawn.connect(&places, &id, &touches.reads, &touches.writes);
        }
        for model in models {
            let id = maker_id(NodeKind::Transformation, &model.id);
            drawn.connect(&places, &id, &model.reads, &model.makes);
            let held = model.holds.iter().map(|held| maker_id(NodeKind::Transformation, held));
            drawn.edges.extend(held.map(|held| edge(held, id.clone(), EdgeKind::Reads)));
        }
        drawn.edges.extend(dependencies.iter().map(|dependency| LineageEdge {
            from: maker_id(NodeKind::Pipeline, &dependency.upstream),
            to: maker_id(NodeKind::Pipeline, &dependency.downstream),
            kind: EdgeKind::Triggers,
            trigger_id: Some(dependency.trigger.clone()),
        }));
        // Those of pipelines beyond what is drawn lead nowhere.
        let known: BTreeSet<_> = drawn.nodes.iter().map(|node| node.id.clone()).collect();
        drawn.edges.retain(|edge| known.contains(&edge.from) && known.contains(&edge.to));
        drawn
    }

    fn add_maker(&mut self, kind: NodeKind, (id, name): (&str, &str), last_run: Option<LastRun>) {
        self.nodes.push(LineageNode {
            id: maker_id(kind, id),
            kind,
            name: name.to_owned(),
            object_id: Some(id.to_owned()),
            connection: None,
            last_run: last_run.map(LastRunItem::from),
        });
    }

    fn connect<'p>(
        &mut self,
        places: &Places<'_>,
        id: &str,
        reads: impl IntoIterator<Item = &'p Reference>,
        writes: impl IntoIterator<Item = &'p Reference>,
    ) {
        let place = |place: &Reference| place_id(places.same(place));
        let reads = reads.into_iter().map(|read| edge(place(read), id.to_owned(), EdgeKind::Reads));
        let writes = writes.into_iter().map(|written| edge(id.to_owned(), place(written), EdgeKind::Writes));
        let edges: BTreeSet<_> = reads.chain(writes).collect();
        self.edges.extend(edges);
    }
}

/// All places, and which of them are the same.
struct Places<'p> {
    all: Vec<&'p Reference>,
    /// Tables that are written with a schema, by connection and name.
    with_schema: BTreeMap<(&'p str, &'p str), Vec<&'p Reference>>,
}

impl<'p> Places<'p> {
    fn of(places: impl Iterator<Item = &'p Reference>) -> Self {
        let mut found = Self { all: Vec::new(), with_schema: BTreeMap::new() };
        for place in places {
            if let Reference::Table { connection, schema: Some(_), table } = place {
                let known = found.with_schema.entry((connection, table)).or_default();
                if !known.contains(&place) {
                    known.push(place);
                }
            }
            found.all.push(place);
        }
        found
    }

    fn same<'r>(&'r self, place: &'r Reference) -> &'r Reference {
        let Reference::Table { connection, schema: None, table } = place else { return place };
        match self.with_schema.get(&(connection.as_str(), table.as_str())).map(Vec::as_slice) {
            Some([only]) => only,
            _ => place,
        }
    }

    /// Each once, by its id.
    fn distinct(&self) -> impl Iterator<Item = &Reference> {
        let by_id: BTreeMap<_, _> =
            self.all.iter().map(|place| self.same(place)).map(|place| (place_id(place), place)).collect();
        by_id.into_values()
    }
}

fn edge(from: String, to: String, kind: EdgeKind) -> LineageEdge {
    LineageEdge { from, to, kind, trigger_id: None }
}

fn maker_id(kind: NodeKind, id: &str) -> String {
    let word = if kind == NodeKind::Pipeline { "pipeline" } else { "transformation" };
    format!("{word}:{id}")
}

fn place_id(place: &Reference) -> String {
    match place {
        Reference::Path { .. } => format!("file:{place}"),
        _ => format!("table:{place}"),
    }
}

fn place_node(place: &Reference) -> LineageNode {
    LineageNode {
        id: place_id(place),
        kind: if matches!(place, Reference::Path { .. }) { NodeKind::File } else { NodeKind::Table },
        name: place.to_string(),
        object_id: None,
        connection: Some(place.connection().to_owned()),
        last_run: None,
    }
}
