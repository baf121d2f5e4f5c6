//! Reads the file of a stored pipeline, with what the executors can do and what its organization keeps.

use std::sync::Arc;

use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::pipeline::{
    ConnectionSpec, GraphDefinition, Layout, Parsed, Pipeline, Problem, is_pipeline_name, nearest_word,
};
use indexmap::IndexMap;
use serde_json::Value;

use super::{PipelineFile, PipelineWish};
use crate::accounts::Refusal;
use crate::notify;
use crate::warehouse::Tenancy;

/// What a file may name.
pub(super) struct Known {
    pub catalogue: Arc<Catalogue>,
    /// Those of the organization.
    pub connections: IndexMap<String, ConnectionSpec>,
    /// The names of its destinations of alerts.
    pub destinations: Vec<String>,
    /// What it has of the built-in warehouse.
    pub tenancy: Option<Tenancy>,
}

/// What a file is.
#[derive(Debug)]
pub(super) struct Compiled {
    pub name: String,
    pub description: Option<String>,
    /// `None` where it is not right yet.
    pub definition: Option<Pipeline>,
}

/// The file's name of a pipeline that is called `name`.
pub(super) fn file_name(name: &str) -> String {
    format!("{name}.yml")
}

/// The text that a wish gives, and where it says that blocks stand.
pub(super) fn text_of(wish: &PipelineWish) -> Result<Option<(String, Option<Layout>)>, Refusal> {
    match (&wish.text, &wish.graph_definition) {
        (Some(_), Some(_)) => Err(Refusal::wrong("text", "give `text` or `graph_definition`: they say the same")),
        (Some(text), None) => Ok(Some((text.clone(), wish.layout.clone()))),
        (None, Some(graph)) => {
            graph.check().map_err(|message| Refusal::Wrong { field: "graph_definition", message })?;
            let layout = wish.layout.clone().unwrap_or_else(|| graph.layout());
            Ok(Some((graph.to_text(), Some(layout))))
        }
        (None, None) => Ok(None),
    }
}

/// The file that is to be looked at.
pub(super) fn file_of(wish: PipelineWish) -> Result<PipelineFile, Refusal> {
    let given = text_of(&wish)?;
    let (text, _) = given.ok_or_else(|| Refusal::wrong("text", "give a `text` or a `graph_definition`"))?;
    Ok(PipelineFile {
        file: file_name(wish.name.as_deref().unwrap_or("pipeline")),
        text,
        folder: wish.folder.unwrap_or_else(|| "/".to_owned()),
        connections_text: wish.connections_text.filter(|text| !text.trim().is_empty()),
    })
}

/// The pipeline of a file, or everything that is wrong with it.
pub(super) fn parse(known: &Known, file: &PipelineFile) -> Result<Parsed, Vec<Problem>> {
    let source = file.source();
    let literals = source.literals(&known.catalogue);
    if !literals.is_empty() {
        return Err(literals);
    }
    let mut parsed = source.parse_with(&known.catalogue, None, &known.connections)?;
    if let Some(tenancy) = &known.tenancy {
        parsed.pipeline.change_places(&known.catalogue, |place| tenancy.place(place));
    }
    let unheard = unheard(known, &parsed);
    if unheard.is_empty() { Ok(parsed) } else { Err(unheard) }
}

/// A problem for each destination that the file names and the organization has not.
fn unheard(known: &Known, parsed: &Parsed) -> Vec<Problem> {
    let named = notify::named_destinations(&parsed.pipeline.service["alerts"]);
    let unknown = named.into_iter().filter(|name| !known.destinations.contains(name));
    let problem = |name: String| {
        let near = nearest_word(&name, known.destinations.iter().map(String::as_str));
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "make it first: `/api/v1/alerts/destinations`".to_owned(),
        };
        parsed.positions.wrong_value("alerts", format!("`alerts`: there is no destination `{name}`"), Some(hint))
    };
    unknown.map(problem).collect()
}

/// Reads a file. One that is wrong is refused with all its problems, unless it `may_be_wrong`: then it must be readable, and
/// hold no secret, all the same.
pub(super) fn compile(known: &Known, file: &PipelineFile, may_be_wrong: bool) -> Result<Compiled, Refusal> {
    let catalogue = &known.catalogue;
    let found = match parse(known, file) {
        Ok(Parsed { pipeline, .. }) => {
            let description = pipeline.service.get("description").and_then(Value::as_str).map(str::to_owned);
            return Ok(Compiled { name: pipeline.name.clone(), description, definition: Some(pipeline) });
        }
        Err(found) => found,
    };
    let source = file.source();
    let graph = source.graph(catalogue, &Layout::new());
    let (Some(graph), true) = (graph, may_be_wrong && source.literals(catalogue).is_empty()) else {
        return Err(Refusal::Invalid(found));
    };
    let said = |key: &str| graph.file.get(key).and_then(Value::as_str).map(str::to_owned);
    let stem = file.file.rsplit_once('.').map_or(file.file.as_str(), |(stem, _)| stem);
    let name = said("name").unwrap_or_else(|| stem.to_owned());
    if !is_pipeline_name(&name) {
        return Err(Refusal::Invalid(found));
    }
    Ok(Compiled { name, description: said("description"), definition: None })
}

/// Refuses a graph that is drawn with edges which its settings do not say.
pub(super) fn check_edges(
    catalogue: &Catalogue,
    wished: Option<&GraphDefinition>,
    file: &PipelineFile,
) -> Result<(), Refusal> {
    let Some(wished) = wished else { return Ok(()) };
    let Some(real) = file.source().graph(catalogue, &Layout::new()) else { return Ok(()) };
    let wrong = |message: String| Err(Refusal::Wrong { field: "graph_definition", message });
    if let Some(edge) = wished.edge_beyond(&real) {
        let (from, to) = (&edge.source, &edge.target);
        return wrong(format!(
            "there is an edge from `{from}` to `{to}`, but nothing in the settings of `{to}` names `{from}`"
        ));
    }
    match real.edge_beyond(wished).filter(|_| !wished.edges.is_empty()) {
        Some(edge) => wrong(format!("`{}` uses `{}`, but no edge says so", edge.target, edge.source)),
        None => Ok(()),
    }
}
