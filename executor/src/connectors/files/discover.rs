//! Files as tables: those of a folder that names columns or has a manifest, those whose names differ in numbers alone, and
//! each other file by itself.

use std::collections::{BTreeMap, BTreeSet};

use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::Reference;
use flowetl_proto::tables::{Column, PAGE_TABLES, Table, TableKind};
use futures::{StreamExt, stream};
use glob::{MatchOptions, Pattern};
use serde_json::Value;
use tokio::sync::mpsc::Sender;

use super::find::{Found, column_of, is_hidden};
use super::format::{of_file, type_name};
use super::manifest::PRIVATE_FOLDER;
use super::source::open_found;
use crate::connectors::{OpenContext, SourceRequest};
use crate::storage::{Side, Storage, Stored};
use crate::{Error, Result};

/// Files that are looked through: a listing of so many takes a minute on S3.
const FILES_MAX: usize = 100_000;
/// Tables whose columns are learnt, each by reading the beginning of one file.
const LOOKS_MAX: usize = 1000;
/// Files that are read side by side.
const LOOKS_AT_ONCE: usize = 8;
/// The schema of what lies in no folder.
const ROOT: &str = "/";

/// Files that are read as one table.
struct Group {
    /// What a pipeline names it by, below the root.
    path: String,
    /// Sorted by name.
    files: Vec<Stored>,
}

pub async fn discover(storage: &Storage, context: &OpenContext, pages: &Sender<Vec<Table>>) -> Result<()> {
    let files = storage.list_some("", FILES_MAX, Side::Read).await?;
    if files.len() == FILES_MAX {
        return Err(Error::user(format!(
            "more than {} files lie here: narrow the connection to a folder",
            FILES_MAX - 1
        )));
    }
    let mut groups = groups(files);
    groups.sort_by(|a, b| parts(&a.path).cmp(&parts(&b.path)));
    let mut looked_at = 0;
    for page in groups.chunks(PAGE_TABLES) {
        let looks = page.iter().map(|group| {
            looked_at += 1;
            look(storage, context, group, looked_at <= LOOKS_MAX)
        });
        let tables = stream::iter(looks.collect::<Vec<_>>()).buffered(LOOKS_AT_ONCE).collect().await;
        if pages.send(tables).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

/// Schema and name of the table that a path means.
fn parts(path: &str) -> (&str, &str) {
    let folder = path.trim_end_matches('/').rfind('/');
    match folder {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (ROOT, path),
    }
}

fn groups(files: Vec<Stored>) -> Vec<Group> {
    let manifest = format!("{PRIVATE_FOLDER}/manifest.json");
    let managed: BTreeSet<String> =
        files.iter().filter_map(|file| Some(file.name.strip_suffix(&manifest)?.to_owned())).collect();
    let readable = files.into_iter().filter(|file| !is_hidden(&file.name) && of_file(&file.name, None).is_ok());
    let mut folders: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    let mut plain: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    for file in readable {
        match table_folder(&file.name, &managed) {
            Some(folder) => folders.entry(folder).or_default().push(file),
            None => {
                let folder = file.name.rfind('/').map_or("", |slash| &file.name[..=slash]).to_owned();
                plain.entry(folder).or_default().push(file);
            }
        }
    }
    let root = |path: String| if path.is_empty() { "./".to_owned() } else { path };
    let mut groups: Vec<Group> =
        folders.into_iter().map(|(folder, files)| Group { path: root(folder), files }).collect();
    groups.extend(plain.into_iter().flat_map(|(folder, files)| in_folder(&folder, files)));
    groups
}

/// The folder, with the slash at its end, that a file is read together with: the outermost one that has a manifest, or whose
/// folders name columns.
fn table_folder(name: &str, managed: &BTreeSet<String>) -> Option<String> {
    let mut end = 0;
    while let Some(slash) = name[end..].find('/') {
        let (above, next) = (&name[..end], &name[end..end + slash]);
        if managed.contains(above) || column_of(next).is_some() {
            return Some(above.to_owned());
        }
        end += slash + 1;
    }
    managed.contains(&name[..end]).then(|| name[..end].to_owned())
}

/// Files of one folder, those together whose names differ in numbers alone; unless their pattern would mean others as well.
fn in_folder(folder: &str, files: Vec<Stored>) -> Vec<Group> {
    let names: Vec<String> = files.iter().map(|file| file.name[folder.len()..].to_owned()).collect();
    let mut alike: BTreeMap<String, Vec<Stored>> = BTreeMap::new();
    for (file, name) in files.into_iter().zip(&names) {
        alike.entry(pattern(name)).or_default().push(file);
    }
    let options =
        MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let matched = |pattern: &str| match Pattern::new(pattern) {
        Ok(pattern) => names.iter().filter(|name| pattern.matches_with(name, options)).count(),
        Err(_) => 0,
    };
    let folder = Pattern::escape(folder);
    let mut groups = Vec::new();
    for (pattern, files) in alike {
        if files.len() > 1 && matched(&pattern) == files.len() {
            groups.push(Group { path: format!("{folder}{pattern}"), files });
        } else {
            groups.extend(files.into_iter().map(|file| Group { path: Pattern::escape(&file.name), files: vec![file] }));
        }
    }
    groups
}

/// `orders-*-*.csv` of `orders-2025-01.csv`.
fn pattern(name: &str) -> String {
    let mut pattern = String::new();
    let mut rest = name;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        pattern.push_str(&Pattern::escape(&rest[..start]));
        pattern.push('*');
        rest = rest[start..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    pattern + &Pattern::escape(rest)
}

/// The table of a group, whose columns are those of its first file.
async fn look(storage: &Storage, context: &OpenContext, group: &Group, reads: bool) -> Table {
    let (schema, name) = parts(&group.path);
    let mut table = Table {
        schema: schema.to_owned(),
        name: name.to_owned(),
        kind: TableKind::Files,
        rows: None,
        columns: Vec::new(),
        primary_key: Vec::new(),
        foreign_keys: Vec::new(),
        problem: None,
    };
    let looked = match reads {
        true => first(storage, context, group).await,
        false => {
            Err(Error::user(format!("there are more than {LOOKS_MAX} tables of files: preview it to see its columns")))
        }
    };
    match looked {
        Ok((columns, rows)) => (table.columns, table.rows) = (columns, rows),
        Err(error) => table.problem = Some(error.to_failure().message),
    }
    table
}

/// The columns of the first file, and how many rows all have if all have them as near to each other as it has.
async fn first(storage: &Storage, context: &OpenContext, group: &Group) -> Result<(Vec<Column>, Option<u64>)> {
    let Some(file) = group.files.first().cloned() else { return Err(Error::internal("a group without files")) };
    let (path, size) = (file.name.clone(), file.meta.size);
    let folders = path.rfind('/').map_or("", |slash| &path[..slash]).split('/').filter_map(column_of).collect();
    let from = Reference::Path { connection: "files".to_owned(), path, format: None };
    let request = SourceRequest { block: BlockId::new("files"), from, options: Value::Null, quarantine: None };
    let opened = open_found(storage, context, vec![Found { file, folders }], request).await?;
    let schema = opened.schema();
    let columns = schema.fields().iter().map(|field| Column {
        name: field.name().clone(),
        declared: type_name(field.data_type()),
        arrow_type: Some(field.data_type().to_string()),
        nullable: field.is_nullable(),
    });
    let counted = opened.statistics().and_then(|statistics| statistics.num_rows.get_value().copied());
    let total: u64 = group.files.iter().map(|file| file.meta.size).sum();
    let scaled = |rows: usize| (rows as f64 * total as f64 / size.max(1) as f64) as u64;
    Ok((columns.collect(), counted.map(scaled)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sd_1_names_that_differ_in_numbers_are_one_pattern() {
        for (name, expected) in [
            ("orders.csv", "orders.csv"),
            ("orders-2025-01.csv", "orders-*-*.csv"),
            ("part-00000.parquet", "part-*.parquet"),
            ("a[1].csv", "a[[]*[]].csv"),
        ] {
            assert_eq!(pattern(name), expected);
        }
    }
}
