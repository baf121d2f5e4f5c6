//! A pipeline file with all that it is read with, whoever reads it: this process or a coordinator elsewhere.

use std::collections::BTreeMap;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value;

use super::problem::Problems;
use super::{At, ConnectionSpec, Copy, GraphDefinition, Layout, Parsed, Parser, Problem, ProblemCode, Secrets, file};
use crate::catalogue::Catalogue;

/// The file beside a pipeline that names its connections.
pub const CONNECTIONS_FILE: &str = "connections.yml";

/// A pipeline as it is written. Texts and URLs may hold passwords, so that this has no debug print.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// The file as problems name it. Its stem is the pipeline's name where the text says none.
    pub file: String,
    /// YAML or JSON. Not read where there is a `copy`.
    pub text: String,
    /// A copy instead of a text.
    pub copy: Option<Copy>,
    /// What relative paths in the texts start from; absolute.
    pub folder: PathBuf,
    /// The text of [`CONNECTIONS_FILE`] in that folder, where there is one.
    pub connections_text: Option<String>,
    /// More connections, as URLs by name. They stand before all others.
    pub overrides: IndexMap<String, String>,
    /// What relative paths in those URLs start from; absolute.
    pub overrides_folder: PathBuf,
    /// Values of the pipeline's parameters, by name. Where there are none it is as it is declared.
    pub params: BTreeMap<String, String>,
}

impl Source {
    /// Every secret that is written in its texts themselves, as [`Parser::literals`] finds them.
    pub fn literals(&self, catalogue: &Catalogue) -> Vec<Problem> {
        let none = IndexMap::new();
        let parser = self.parser(catalogue, &none);
        let mut problems = parser.literals(&self.text);
        if let Some(text) = &self.connections_text {
            problems.extend(Parser { file: CONNECTIONS_FILE, ..parser }.literals(text));
        }
        problems
    }

    /// The pipeline as a canvas has it, see [`Parser::graph`].
    pub fn graph(&self, catalogue: &Catalogue, layout: &Layout) -> Option<GraphDefinition> {
        let none = IndexMap::new();
        let parser = self.parser(catalogue, &none);
        let text = self.connections_text.as_deref();
        let connections = text.and_then(|text| parser.connections(text).ok()).unwrap_or_default();
        Parser { connections: &connections, ..parser }.graph(&self.text, layout)
    }

    /// Whether it says itself where the connection `name` leads, in its text or the one beside it.
    pub fn defines(&self, name: &str) -> bool {
        let root = |text: &str| file::read(text, &mut Problems::new(&self.file));
        let own =
            root(&self.text).is_some_and(|root| root.get("connections").is_some_and(|own| own.get(name).is_some()));
        let beside = self.connections_text.as_deref().and_then(root);
        own || beside.is_some_and(|root| root.get("connections").unwrap_or(&root).get(name).is_some())
    }

    fn parser<'a>(&'a self, catalogue: &'a Catalogue, none: &'a IndexMap<String, ConnectionSpec>) -> Parser<'a> {
        let (file, folder) = (self.file.as_str(), self.folder.as_path());
        Parser { file, folder, catalogue, connections: none, overrides: none, secrets: None }
    }

    /// The pipeline, or everything that is wrong with it. Where `secrets` are given, those that it needs must be there.
    pub fn parse(&self, catalogue: &Catalogue, secrets: Option<&dyn Secrets>) -> Result<Parsed, Vec<Problem>> {
        self.parse_with(catalogue, secrets, &IndexMap::new())
    }

    /// The same with connections that a service keeps. All others stand before them.
    pub fn parse_with(
        &self,
        catalogue: &Catalogue,
        secrets: Option<&dyn Secrets>,
        stored: &IndexMap<String, ConnectionSpec>,
    ) -> Result<Parsed, Vec<Problem>> {
        let none = IndexMap::new();
        let own = Parser { secrets, ..self.parser(catalogue, &none) };
        let mut connections = stored.clone();
        if let Some(text) = &self.connections_text {
            let file = self.folder.join(CONNECTIONS_FILE).display().to_string();
            connections.extend(Parser { file: &file, ..own }.connections(text)?);
        }
        let overrides = self.overrides(Parser { file: "command line", folder: &self.overrides_folder, ..own })?;
        let parser = Parser { connections: &connections, overrides: &overrides, ..own };
        let parsed = match &self.copy {
            Some(copy) => parser.copy(copy),
            None => parser.parse(&self.text),
        }?;
        if self.params.is_empty() {
            return Ok(parsed);
        }
        let given = self.params.iter().map(|(name, text)| (name.clone(), Value::from(text.as_str()))).collect();
        match parsed.pipeline.bound(&given) {
            Ok(pipeline) => Ok(Parsed { pipeline, ..parsed }),
            Err(message) => Err(vec![Problem {
                file: self.file.clone(),
                at: At::default(),
                block: None,
                code: ProblemCode::WrongValue,
                message,
                hint: None,
            }]),
        }
    }

    fn overrides(&self, parser: Parser<'_>) -> Result<IndexMap<String, ConnectionSpec>, Vec<Problem>> {
        self.overrides.iter().map(|(name, url)| Ok((name.clone(), parser.connection(name, url)?))).collect()
    }
}
