//! Which files a path means: one file, a folder with its `country=PL/` columns, a glob, or what a manifest lists.

use flowetl_proto::look::{FILES_MAX, FileState};
use flowetl_proto::pipeline::Reference;
use glob::{MatchOptions, Pattern};

use super::format::path_of;
use super::manifest::FolderManifest;
use crate::storage::{Side, Storage, Stored};
use crate::{Error, Result};

/// The value that stands for null in a folder's name.
pub const NULL_FOLDER: &str = "__HIVE_DEFAULT_PARTITION__";

/// Files that lie below the folder in which a pattern is looked for, where it is done every so often.
const LOOKED_THROUGH_MAX: usize = 100_000;

/// A file with the values that its folders name.
#[derive(Clone, Debug)]
pub struct Found {
    pub file: Stored,
    /// Column and value, outermost folder first; `None` is null.
    pub folders: Vec<(String, Option<String>)>,
}

/// The files of a path, sorted by name; a path that means no file is a user error.
pub async fn find(storage: &Storage, path: &str) -> Result<Vec<Found>> {
    let files = if is_pattern(path) {
        let files = matching(storage, path, usize::MAX).await?;
        if files.is_empty() {
            return Err(Error::user(format!("no file matches `{}`", storage.label(path))));
        }
        files
    } else if let Some(file) = single(storage, path).await? {
        vec![file]
    } else {
        return in_folder(storage, path.trim_end_matches('/')).await;
    };
    Ok(files.into_iter().map(|file| Found { file, folders: Vec::new() }).collect())
}

/// The data files of a folder that readers see: those of its manifest, or, where there is none, all that are not hidden.
pub async fn visible(storage: &Storage, folder: &str) -> Result<Vec<Stored>> {
    let listed = FolderManifest::read(storage, folder).await?.map(|manifest| manifest.files);
    let all = storage.list(folder, Side::Read).await?;
    let Some(names) = listed else {
        let from = if folder.is_empty() { 0 } else { folder.len() + 1 };
        return Ok(all.into_iter().filter(|file| !is_hidden(&file.name[from..])).collect());
    };
    let mut files = Vec::with_capacity(names.len());
    for name in names {
        let at = all.binary_search_by(|file| file.name.as_str().cmp(&name));
        let at =
            at.map_err(|_| Error::user(format!("`{}` is in its folder's manifest but is gone", storage.label(&name))))?;
        files.push(all[at].clone());
    }
    Ok(files)
}

async fn single(storage: &Storage, path: &str) -> Result<Option<Stored>> {
    if path.is_empty() || path.ends_with('/') || storage.local_path(path).is_some_and(|p| p.is_dir()) {
        return Ok(None);
    }
    storage.look(path, Side::Read).await
}

async fn in_folder(storage: &Storage, folder: &str) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for file in visible(storage, folder).await? {
        let below = file.name[folder.len()..].trim_start_matches('/');
        let folders =
            below.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().filter_map(column_of).collect();
        found.push(Found { file, folders });
    }
    let Some(first) = found.first() else {
        return Err(Error::user(format!("no file `{}`, and no folder of that name with files", storage.label(folder))));
    };
    let names = |f: &Found| f.folders.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
    let expected = names(first);
    match found.iter().find(|f| names(f) != expected) {
        Some(other) => {
            let (a, b) = (storage.label(&first.file.name), storage.label(&other.file.name));
            Err(Error::user(format!("`{a}` and `{b}` lie in folders that name different columns")))
        }
        None => Ok(found),
    }
}

/// The files that a place means now: none is no error.
pub async fn present(storage: &Storage, place: &Reference) -> Result<Vec<FileState>> {
    let (path, _) = path_of(place)?;
    let folder = path.trim_end_matches('/');
    let is_folder = path.ends_with('/') || storage.local_path(path).is_some_and(|p| p.is_dir());
    let files = match (is_pattern(path), is_folder) {
        (true, _) => matching(storage, path, LOOKED_THROUGH_MAX).await?,
        (false, true) => below(storage, folder, LOOKED_THROUGH_MAX).await?,
        (false, false) => storage.look(path, Side::Read).await?.into_iter().collect(),
    };
    if files.len() > FILES_MAX {
        let label = storage.label(path);
        return Err(Error::user(format!("more than {FILES_MAX} files match `{label}`: narrow the pattern")));
    }
    let state = |file: Stored| {
        let written = file.meta.last_modified.timestamp_millis();
        let version = format!("{} {written}", file.meta.e_tag.unwrap_or_default());
        FileState { path: file.name, size: file.meta.size, version }
    };
    Ok(files.into_iter().map(state).collect())
}

fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

/// All files below a folder that are not hidden, of at most `most` that lie there.
async fn below(storage: &Storage, folder: &str, most: usize) -> Result<Vec<Stored>> {
    let mut files = storage.list_some(folder, most.saturating_add(1), Side::Read).await?;
    if files.len() > most {
        let label = storage.label(folder);
        return Err(Error::user(format!("more than {most} files lie below `{label}`: name a folder with fewer")));
    }
    let from = if folder.is_empty() { 0 } else { folder.len() + 1 };
    files.retain(|file| !is_hidden(&file.name[from..]));
    Ok(files)
}

async fn matching(storage: &Storage, path: &str, most: usize) -> Result<Vec<Stored>> {
    let pattern = Pattern::new(path).map_err(|e| Error::user(format!("`{path}` is not a pattern")).because(e))?;
    let wild = path.find(['*', '?', '[']).unwrap_or(path.len());
    let folder = path[..wild].rfind('/').map_or("", |slash| &path[..slash]);
    let options =
        MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let mut files = below(storage, folder, most).await?;
    files.retain(|file| pattern.matches_with(&file.name, options));
    Ok(files)
}

/// Names that start with a dot or an underscore are nobody's data: ours, Spark's, an editor's.
pub fn is_hidden(below: &str) -> bool {
    below.split('/').any(|part| part.starts_with(['.', '_']))
}

/// The column and its value that a folder's name says, if it says one.
pub fn column_of(folder: &str) -> Option<(String, Option<String>)> {
    let (column, value) = folder.split_once('=')?;
    let value = (value != NULL_FOLDER).then(|| decode(value));
    Some((decode(column), value))
}

/// A value as a folder's name: what must not stand there as itself is written `%2F`.
pub fn encode(text: &str) -> String {
    let mut name = String::with_capacity(text.len());
    for c in text.chars() {
        if !c.is_ascii() || c.is_ascii_alphanumeric() || "-_.~ :@+,".contains(c) {
            name.push(c);
        } else {
            name.push_str(&format!("%{:02X}", c as u32));
        }
    }
    name
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|h| std::str::from_utf8(h).ok()).and_then(|h| u8::from_str_radix(h, 16).ok());
        match hex {
            Some(value) if byte == b'%' => {
                bytes.push(value);
                rest = &after[2..];
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
