//! Pipelines as they are written: from a file, or as text.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use flowetl_proto::pipeline::{CONNECTIONS_FILE, Source};

use crate::{Error, Result};

/// Reads a pipeline file, and the `connections.yml` beside it where there is one.
pub fn read(file: impl AsRef<Path>) -> Result<Source> {
    let file = file.as_ref();
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    let text = std::fs::read_to_string(file).map_err(failed(file))?;
    let folder = std::path::absolute(file).map_err(failed(file))?.parent().map(PathBuf::from).unwrap_or_default();
    let connections = folder.join(CONNECTIONS_FILE);
    let connections_text = match std::fs::read_to_string(&connections) {
        Ok(text) => Some(text),
        Err(e) if e.kind() == ErrorKind::NotFound => None,
        Err(e) => return Err(failed(&connections)(e)),
    };
    Ok(Source { file: file.display().to_string(), text, folder, connections_text, ..in_this_folder() })
}

/// A pipeline from its text, YAML or JSON. `file` is how problems name it; its stem is the pipeline's name where the text
/// says none.
pub fn text(file: impl Into<String>, text: impl Into<String>) -> Source {
    Source { file: file.into(), text: text.into(), ..in_this_folder() }
}

/// An empty source whose relative paths start from the working folder.
pub fn in_this_folder() -> Source {
    // A process without a working folder gets an empty path, which every reader refuses by name.
    let here = std::path::absolute(".").unwrap_or_default();
    Source { folder: here.clone(), overrides_folder: here, ..Source::default() }
}
