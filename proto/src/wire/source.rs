//! What is asked of a coordinator, and the problems it finds, as they cross the wire.

use std::path::{Path, PathBuf};

use super::{Unknown, from_word, some, v1, word};
use crate::id::{BlockId, RunId};
use crate::pipeline::{At, Copy, Problem, Source};
use crate::run::Options;

impl From<Source> for v1::Source {
    fn from(source: Source) -> Self {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        Self {
            folder: text(&source.folder),
            overrides_folder: text(&source.overrides_folder),
            file: source.file,
            text: source.text,
            copy: source.copy.map(Into::into),
            connections_text: source.connections_text,
            overrides: source.overrides.into_iter().map(|(name, url)| v1::NamedUrl { name, url }).collect(),
            params: source.params.into_iter().collect(),
        }
    }
}

impl TryFrom<v1::Source> for Source {
    type Error = Unknown;

    fn try_from(source: v1::Source) -> Result<Self, Unknown> {
        let folder = absolute(source.folder)?;
        let overrides_folder = match some(source.overrides_folder) {
            Some(other) => absolute(other)?,
            None => folder.clone(),
        };
        Ok(Self {
            folder,
            overrides_folder,
            file: source.file,
            text: source.text,
            copy: source.copy.map(Into::into),
            connections_text: source.connections_text,
            overrides: source.overrides.into_iter().map(|named| (named.name, named.url)).collect(),
            params: source.params.into_iter().collect(),
        })
    }
}

impl From<Copy> for v1::Copy {
    fn from(copy: Copy) -> Self {
        let Copy { from, to, cursor, key, write, memory } = copy;
        Self { from, to, cursor, key, write, memory }
    }
}

impl From<v1::Copy> for Copy {
    fn from(copy: v1::Copy) -> Self {
        let v1::Copy { from, to, cursor, key, write, memory } = copy;
        Self { from, to, cursor, key, write, memory }
    }
}

/// A relative path would be read from wherever the coordinator happened to be started.
fn absolute(folder: String) -> Result<PathBuf, Unknown> {
    match Path::new(&folder).is_absolute() {
        true => Ok(PathBuf::from(folder)),
        false => Err(Unknown { what: "absolute path of a folder", text: folder }),
    }
}

impl v1::SubmitRequest {
    pub fn new(source: Source, options: Options) -> Self {
        Self {
            source: Some(source.into()),
            full_refresh: options.full_refresh,
            until: options.until.map(|block| block.to_string()).unwrap_or_default(),
            resume: options.resume.map(|run| run.to_string()).unwrap_or_default(),
        }
    }

    /// What is asked beside the pipeline.
    pub fn options(&self) -> Options {
        Options {
            full_refresh: self.full_refresh,
            until: some(self.until.clone()).map(BlockId::new),
            resume: some(self.resume.clone()).map(RunId::new),
        }
    }
}

impl From<&Problem> for v1::Problem {
    fn from(problem: &Problem) -> Self {
        Self {
            file: problem.file.clone(),
            line: problem.at.line,
            column: problem.at.column,
            block: problem.block.as_ref().map(ToString::to_string).unwrap_or_default(),
            code: word(&problem.code),
            message: problem.message.clone(),
            hint: problem.hint.clone().unwrap_or_default(),
        }
    }
}

impl TryFrom<v1::Problem> for Problem {
    type Error = Unknown;

    fn try_from(problem: v1::Problem) -> Result<Self, Unknown> {
        Ok(Self {
            file: problem.file,
            at: At { line: problem.line, column: problem.column },
            block: some(problem.block).map(BlockId::new),
            code: from_word("sort of a problem", problem.code)?,
            message: problem.message,
            hint: some(problem.hint),
        })
    }
}
