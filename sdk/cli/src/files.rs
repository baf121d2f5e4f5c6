//! Reading pipeline files and `connections.yml`, with every problem shown at its place.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use flowetl_proto::catalogue::Catalogue;
use flowetl_proto::pipeline::{self, ConnectionSpec, Parsed, Parser, Problem};
use indexmap::IndexMap;

use crate::home::{self, Environment};
use crate::{Outcome, args, show};

/// The file beside a pipeline that names its connections.
const CONNECTIONS_FILE: &str = "connections.yml";

/// Reads a pipeline file; all its problems are one error, a line each.
pub fn read(file: &args::File) -> anyhow::Result<Parsed> {
    let text = std::fs::read_to_string(&file.file).with_context(|| format!("cannot read `{}`", file.file.display()))?;
    let folder = folder_of(&file.file)?;
    with_parser(&file.file.display().to_string(), &folder, &file.connections, |parser| parser.parse(&text))
}

/// The pipeline of `flowetl copy`.
pub fn copy(copy: &args::Copy) -> anyhow::Result<Parsed> {
    let folder = std::env::current_dir().context("there is no working folder")?;
    let mut parsed = with_parser("flowetl copy", &folder, &copy.connections, |parser| {
        parser.copy(&pipeline::Copy {
            from: copy.from.clone(),
            to: copy.to.clone(),
            cursor: copy.cursor.clone(),
            key: copy.key.clone(),
            write: copy.write.map(|w| w.as_str().to_owned()),
        })
    })?;
    if let Some(memory) = &copy.memory {
        let bytes = pipeline::quantity::size(memory).map_err(|e| anyhow::anyhow!("`--memory`: {e}"))?;
        parsed.pipeline.memory = Some(bytes);
    }
    Ok(parsed)
}

fn with_parser(
    name: &str,
    folder: &Path,
    overrides: &[String],
    parse: impl FnOnce(&Parser) -> Result<Parsed, Vec<Problem>>,
) -> anyhow::Result<Parsed> {
    let catalogue = flowetl_executor::catalogue();
    let connections = connections_in(folder, &catalogue)?;
    let overrides = home::overrides(overrides)?;
    let parser = Parser {
        file: name,
        folder,
        catalogue: &catalogue,
        connections: &connections,
        overrides: &overrides,
        secrets: Some(&Environment),
    };
    parse(&parser).map_err(joined)
}

/// The connections of `connections.yml` in `folder`; none where there is no such file.
pub fn connections_in(folder: &Path, catalogue: &Catalogue) -> anyhow::Result<IndexMap<String, ConnectionSpec>> {
    let path = folder.join(CONNECTIONS_FILE);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(IndexMap::new()),
        Err(e) => return Err(e).with_context(|| format!("cannot read `{}`", path.display())),
    };
    let none = IndexMap::new();
    let file = path.display().to_string();
    let parser =
        Parser { file: &file, folder, catalogue, connections: &none, overrides: &none, secrets: Some(&Environment) };
    parser.connections(&text).map_err(joined)
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

fn folder_of(file: &Path) -> anyhow::Result<PathBuf> {
    let absolute = std::path::absolute(file).with_context(|| format!("`{}` is not a path", file.display()))?;
    match absolute.parent() {
        Some(folder) => Ok(folder.to_owned()),
        None => bail!("`{}` is not a file", file.display()),
    }
}

fn joined(problems: Vec<Problem>) -> anyhow::Error {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    anyhow::anyhow!(lines.join("\n"))
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
