//! Reading pipeline files and `connections.yml`, with every problem shown at its place.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use flowetl::Source;
use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::pipeline::{self, CONNECTIONS_FILE, ConnectionSpec, Parsed, Parser, Problem};
use indexmap::IndexMap;

use crate::home::Environment;
use crate::{Outcome, args, show};

/// A pipeline file as it is written, with the connections of the command line.
pub fn source(file: &args::File) -> anyhow::Result<Source> {
    let (overrides, params) = (overrides(&file.connections)?, params(&file.params)?);
    Ok(Source { overrides, params, ..flowetl::read(&file.file)? })
}

/// The pipeline of a source; all its problems are one error, a line each.
pub fn parse(source: &Source) -> anyhow::Result<Parsed> {
    source.parse(&flowetl_executor::catalogue(), Some(&Environment)).map_err(joined)
}

/// The same for a look at what it does: parameters that are told no value have their defaults.
pub fn bound(source: &Source) -> anyhow::Result<Parsed> {
    let parsed = parse(source)?;
    let pipeline = parsed.pipeline.bound(&BTreeMap::new()).map_err(anyhow::Error::msg)?;
    Ok(Parsed { pipeline, ..parsed })
}

/// Reads a pipeline file.
pub fn read(file: &args::File) -> anyhow::Result<Parsed> {
    parse(&source(file)?)
}

/// A copy as the command line says it, with the connections of the working folder.
pub fn copy(copy: args::Copy) -> anyhow::Result<Source> {
    let here = flowetl::in_this_folder();
    let connections = here.folder.join(CONNECTIONS_FILE);
    Ok(Source {
        file: "flowetl copy".to_owned(),
        copy: Some(pipeline::Copy {
            from: copy.from,
            to: copy.to,
            cursor: copy.cursor,
            key: copy.key,
            write: copy.write.map(|write| write.as_str().to_owned()),
            memory: copy.memory,
        }),
        connections_text: text_if_there(&connections)?,
        overrides: overrides(&copy.connections)?,
        ..here
    })
}

/// Connections given on the command line as `NAME=URL`.
fn overrides(written: &[String]) -> anyhow::Result<IndexMap<String, String>> {
    let named = |text: &String| {
        let (name, url) = text.split_once('=').with_context(|| format!("`-c {text}` is not `NAME=URL`"))?;
        Ok((name.to_owned(), url.to_owned()))
    };
    written.iter().map(named).collect()
}

/// Parameters given on the command line as `NAME=VALUE`.
pub fn params(written: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let named = |text: &String| {
        let (name, value) = text.split_once('=').with_context(|| format!("`--param {text}` is not `NAME=VALUE`"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    written.iter().map(named).collect()
}

/// The connections of `connections.yml` in `folder`; none where there is no such file.
pub fn connections_in(folder: &Path, catalogue: &Catalogue) -> anyhow::Result<IndexMap<String, ConnectionSpec>> {
    let path = folder.join(CONNECTIONS_FILE);
    let none = IndexMap::new();
    let Some(text) = text_if_there(&path)? else { return Ok(none) };
    let file = path.display().to_string();
    let parser =
        Parser { file: &file, folder, catalogue, connections: &none, overrides: &none, secrets: Some(&Environment) };
    parser.connections(&text).map_err(joined)
}

fn text_if_there(path: &Path) -> anyhow::Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e).with_context(|| format!("cannot read `{}`", path.display())),
    }
}

/// One connection from its URL.
pub fn connection(name: &str, url: &str) -> anyhow::Result<ConnectionSpec> {
    let catalogue = flowetl_executor::catalogue();
    let none = IndexMap::new();
    let folder = std::env::current_dir().context("there is no working folder")?;
    let parser = Parser {
        file: "command line",
        folder: &folder,
        catalogue: &catalogue,
        connections: &none,
        overrides: &none,
        secrets: Some(&Environment),
    };
    parser.connection(name, url).map_err(joined)
}

fn joined(problems: Vec<Problem>) -> anyhow::Error {
    flowetl::Error::Problems(problems).into()
}

/// `flowetl validate`.
pub fn validate(file: &args::File) -> anyhow::Result<Outcome> {
    let parsed = read(file)?;
    show::line(&format!("{}: {} blocks, nothing wrong", file.file.display(), parsed.pipeline.blocks.len()))?;
    Ok(Outcome::Success)
}

/// `flowetl schema`.
pub fn schema() -> anyhow::Result<Outcome> {
    show::json(&pipeline::schema(&flowetl_executor::catalogue()))?;
    Ok(Outcome::Success)
}
