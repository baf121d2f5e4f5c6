//! Files as a target: everything is written in private and appears at the commit.
//!
//! What a crash leaves at each step, and who goes on:
//! `begin` a marker, writers private files or uncompleted uploads, `prepare` the notes: all below one private folder of
//! the attempt, which `discard` removes. `commit` makes the files visible, then the manifest (folders), then removes the
//! old files, then writes the commit record, then removes the private folder; each step may be done again.

mod file;
mod writer;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use async_trait::async_trait;
use flowetl_proto::code::Class;
use flowetl_proto::control::{Part, Position};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::WriteMode;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use self::file::{OpenFile, Style};
use self::writer::{FolderWriter, SharedWriter};
use super::find::visible;
use super::format::{Compression, Format, Options, of_file, path_of};
use super::manifest::{CommitRecord, FolderManifest, PRIVATE_FOLDER, commit_name, is_committed, join};
use crate::connectors::{Committed, OpenContext, Sink, SinkRequest, SinkWriter};
use crate::storage::{Side, Staged, Storage};
use crate::{Error, Result};

/// A file or a folder to write.
#[derive(Debug)]
pub struct FileSink {
    storage: Storage,
    request: SinkRequest,
    target: Target,
    style: Style,
    parallelism: usize,
    /// Where records and staging lie.
    private: String,
    /// This attempt's own folder below `private`.
    staging: String,
    /// The same for all attempts of the run.
    commit: String,
    /// The one file of a target that is a file, which all writers share.
    shared: Mutex<Option<Arc<OpenFile>>>,
}

#[derive(Clone, Debug)]
enum Target {
    File(String),
    Folder { folder: String, by: Vec<usize>, file_bytes: Option<u64> },
}

/// What `prepare` notes for `commit`.
#[derive(Debug, Serialize, Deserialize)]
struct Notes {
    rows: u64,
    files: Vec<Staged>,
}

impl FileSink {
    /// Checks the target; changes nothing.
    pub async fn open(storage: Storage, context: &OpenContext, request: SinkRequest) -> Result<Self> {
        let options = Options::from_json(&request.options)?;
        let (path, told) = path_of(&request.to)?;
        if path.contains(['*', '?', '[']) {
            return Err(Error::user(format!(
                "`{path}` is a pattern; a target is one file, or a folder that ends in `/`"
            )));
        }
        if request.write == WriteMode::Merge {
            let what = "files cannot be merged by key; use `write: replace` or `append`, or load into a database";
            return Err(Error::user(format!("`{}`: {what}", storage.label(path))));
        }
        let told = options.format.as_deref().or(told);
        let by = partition_columns(&request.schema, &options.partition_by)?;
        let file_bytes = options.file_bytes()?;
        let folder = path.trim_end_matches('/').to_owned();
        let is_folder = path.is_empty()
            || path.ends_with('/')
            || !by.is_empty()
            || file_bytes.is_some()
            || storage.local_path(path).is_some_and(|p| p.is_dir());
        let (format, compression) = match (is_folder, told) {
            (false, told) => of_file(path, told)?,
            (true, Some(told)) => of_file("", Some(told))?,
            (true, None) => (Format::Parquet, Compression::None),
        };
        let kept: Vec<usize> = (0..request.schema.fields().len()).filter(|at| !by.contains(at)).collect();
        let schema = Arc::new(request.schema.project(&kept)?);
        check_columns(format, &schema)?;
        let (dialect, row_group_bytes) = (options.dialect()?, context.row_group_bytes);
        let style = Style { format, compression, dialect, schema, row_group_bytes };
        let (target, private) = if is_folder {
            let private = join(&folder, PRIVATE_FOLDER);
            (Target::Folder { folder, by, file_bytes }, private)
        } else {
            let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
            (Target::File(path.to_owned()), join(parent, &format!(".{name}.flowetl")))
        };
        let commit = commit_name(&request.attempt, &request.block);
        let staging = format!("{private}/staging/{commit}.t{}", request.attempt.token);
        let parallelism = context.parallelism.max(1);
        let shared = Mutex::default();
        let sink = Self { storage, request, target, style, parallelism, private, staging, commit, shared };
        sink.check_append().await?;
        Ok(sink)
    }

    /// A file can be replaced but not extended; that an attempt of ours made it is no obstacle to finishing it.
    async fn check_append(&self) -> Result<()> {
        let Target::File(name) = &self.target else { return Ok(()) };
        if self.request.write != WriteMode::Append || self.storage.look(name, Side::Write).await?.is_none() {
            return Ok(());
        }
        let begun = self.storage.look(&self.marker(), Side::Write).await?.is_some();
        if begun || is_committed(&self.storage, &self.private, &self.commit).await? {
            return Ok(());
        }
        let label = self.storage.label(name);
        Err(Error::user(format!(
            "`{label}` exists and a file cannot be appended to; name a folder (`{name}/`) or use `write: replace`"
        )))
    }

    fn marker(&self) -> String {
        format!("{}/begun", self.staging)
    }

    /// Makes the files visible; `Lost` where one is gone, and then none is visible.
    async fn publish(&self, files: &[Staged]) -> Result<Committed> {
        for (at, file) in files.iter().enumerate() {
            if self.storage.publish(file).await? == Committed::Lost {
                if let Target::Folder { .. } = self.target {
                    // Their names carry the token: nobody else's can be among them.
                    for appeared in &files[..at] {
                        self.storage.remove(&appeared.name).await?;
                    }
                }
                return Ok(Committed::Lost);
            }
        }
        Ok(Committed::Done)
    }

    /// Makes a folder's new state the one that readers see, then removes what it replaces.
    async fn switch(&self, folder: &str, files: &[Staged]) -> Result<()> {
        let known = FolderManifest::read(&self.storage, folder).await?;
        if known.is_none_or(|manifest| manifest.commit != self.commit) {
            let mut names: Vec<String> = files.iter().map(|file| file.name.clone()).collect();
            if self.request.write == WriteMode::Append {
                names.extend(visible(&self.storage, folder).await?.into_iter().map(|file| file.name));
            }
            names.sort();
            names.dedup();
            FolderManifest { files: names, commit: self.commit.clone() }.write(&self.storage, folder).await?;
        }
        if self.request.write == WriteMode::Replace {
            self.remove_old(folder, files).await?;
        }
        Ok(())
    }

    async fn remove_old(&self, folder: &str, files: &[Staged]) -> Result<()> {
        for file in self.storage.list(folder, Side::Write).await? {
            let below = file.name[folder.len()..].trim_start_matches('/');
            let hidden = below.split('/').any(|part| part.starts_with(['.', '_']));
            let ours = files.iter().any(|new| new.name == file.name);
            if hidden || ours || of_file(&file.name, None).is_err() {
                continue;
            }
            self.storage.remove(&file.name).await?;
            let parent = file.name.rsplit_once('/').map_or("", |(parent, _)| parent);
            self.storage.remove_empty(parent, folder).await?;
        }
        Ok(())
    }

    async fn finish_commit(&self, notes: &Notes, positions: &[(BlockId, Position)]) -> Result<()> {
        let record = CommitRecord {
            pipeline: self.request.attempt.pipeline.clone(),
            block: self.request.block.clone(),
            run: self.request.attempt.run.to_string(),
            rows: notes.rows,
            positions: positions.iter().cloned().collect::<BTreeMap<_, _>>(),
        };
        record.write(&self.storage, &self.private, &self.commit).await?;
        self.storage.unstage(&self.staging).await
    }

    async fn writer_of(&self, partition: usize) -> Result<Box<dyn SinkWriter>> {
        let block = self.request.block.clone();
        match &self.target {
            Target::File(name) => {
                let shared = self.shared.lock().await;
                let file = shared.as_ref().ok_or_else(|| Error::internal("a writer was asked for before `begin`"))?;
                Ok(Box::new(SharedWriter { writer: file.writer(), name: name.clone(), block }))
            }
            Target::Folder { folder, by, file_bytes } => Ok(Box::new(FolderWriter {
                storage: self.storage.clone(),
                style: self.style.clone(),
                block,
                folder: folder.clone(),
                staging: self.staging.clone(),
                stem: format!("{}-t{}-{partition}", self.request.attempt.run, self.request.attempt.token),
                by: by.clone(),
                file_bytes: *file_bytes,
                open: HashMap::new(),
                files: 0,
                clock: 0,
                parts: Vec::new(),
            })),
        }
    }

    async fn prepare_files(&self, parts: &[Part]) -> Result<Notes> {
        let mut files = Vec::new();
        if let Some(file) = self.shared.lock().await.take() {
            files.push(file.finish().await?);
        } else {
            for part in parts {
                let staged = Staged::deserialize(&part.note);
                files.push(staged.map_err(|e| Error::internal("a file was written without a note").because(e))?);
            }
        }
        if let (Target::Folder { folder, by, .. }, true) = (&self.target, files.is_empty())
            && by.is_empty()
        {
            // No rows still is a table: an empty file keeps its columns.
            let ending = format!("{}{}", self.style.format.ending(), self.style.compression.ending());
            let stem = format!("{}-t{}-empty", self.request.attempt.run, self.request.attempt.token);
            let (name, hidden) = (join(folder, &format!("{stem}.{ending}")), format!("{}/{stem}", self.staging));
            let output = self.storage.create(&name, &hidden).await?;
            files.push(Arc::new(OpenFile::new(&self.style, output)?).finish().await?);
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let (written, given) = (files.iter().map(|f| f.rows).sum::<u64>(), parts.iter().map(|p| p.rows).sum::<u64>());
        if written != given {
            let what = format!("the files hold {written} rows and the writers reported {given}");
            return Err(Error::new(Class::Truncated, what));
        }
        Ok(Notes { rows: written, files })
    }
}

#[async_trait]
impl Sink for FileSink {
    fn writers_max(&self) -> usize {
        self.parallelism
    }

    /// A folder of this machine need not be one of another's; the rows of one file go through one process.
    fn is_shared(&self) -> bool {
        matches!(self.target, Target::Folder { .. }) && self.storage.local_path("").is_none()
    }

    async fn exists(&self) -> Result<bool> {
        Ok(match &self.target {
            Target::File(name) => self.storage.look(name, Side::Write).await?.is_some(),
            // A load without rows leaves a manifest alone.
            Target::Folder { folder, .. } => {
                FolderManifest::read(&self.storage, folder).await?.is_some()
                    || !visible(&self.storage, folder).await?.is_empty()
            }
        })
    }

    async fn begin(&self) -> Result<()> {
        let begin = async {
            self.storage.replace(&self.marker(), "{}").await?;
            if let Target::File(name) = &self.target {
                let output = self.storage.create(name, &format!("{}/file", self.staging)).await?;
                *self.shared.lock().await = Some(Arc::new(OpenFile::new(&self.style, output)?));
            }
            Ok(())
        };
        begin.await.map_err(|e: Error| e.in_block(&self.request.block))
    }

    async fn writer(&self, partition: usize) -> Result<Box<dyn SinkWriter>> {
        self.writer_of(partition).await.map_err(|e| e.in_block(&self.request.block))
    }

    async fn prepare(&self, parts: &[Part]) -> Result<Value> {
        let notes = self.prepare_files(parts).await.map_err(|e| e.in_block(&self.request.block))?;
        serde_json::to_value(notes).map_err(|e| Error::internal("cannot note what was staged").because(e))
    }

    async fn commit(&self, staged: &Value, positions: &[(BlockId, Position)]) -> Result<Committed> {
        let commit = async {
            if is_committed(&self.storage, &self.private, &self.commit).await? {
                self.storage.unstage(&self.staging).await?;
                return Ok(Committed::Done);
            }
            let notes =
                Notes::deserialize(staged).map_err(|e| Error::internal("unreadable staging notes").because(e))?;
            let folder = match &self.target {
                Target::Folder { folder, .. } => Some(folder),
                Target::File(_) => None,
            };
            let switched = match folder {
                Some(folder) => {
                    FolderManifest::read(&self.storage, folder).await?.is_some_and(|m| m.commit == self.commit)
                }
                None => false,
            };
            if !switched && self.publish(&notes.files).await? == Committed::Lost {
                return Ok(Committed::Lost);
            }
            if let Some(folder) = folder {
                self.switch(folder, &notes.files).await?;
            }
            self.finish_commit(&notes, positions).await?;
            Ok(Committed::Done)
        };
        commit.await.map_err(|e: Error| e.in_block(&self.request.block))
    }

    async fn discard(&self) -> Result<()> {
        // Files that are still open must not write into what is being removed.
        self.shared.lock().await.take();
        let discard = async {
            self.storage.unstage(&self.staging).await?;
            let parent = self.private.rsplit_once('/').map_or("", |(parent, _)| parent);
            self.storage.remove_empty(&format!("{}/staging", self.private), parent).await
        };
        discard.await.map_err(|e: Error| e.in_block(&self.request.block))
    }

    fn describe(&self) -> String {
        let mode = match (self.request.write, &self.target) {
            (WriteMode::Append, Target::Folder { .. }) => "adds files to",
            (_, Target::Folder { .. }) => "replaces the files of",
            (_, Target::File(_)) => "replaces",
        };
        match &self.target {
            Target::File(name) => format!("{mode} {}", self.storage.label(name)),
            Target::Folder { folder, by, .. } => {
                let names: Vec<_> = by.iter().map(|at| self.request.schema.field(*at).name().as_str()).collect();
                let by = if names.is_empty() { String::new() } else { format!(", a folder per {}", names.join(", ")) };
                format!("{mode} {}/ ({}{by})", self.storage.label(folder), self.style.format.ending())
            }
        }
    }
}

fn partition_columns(schema: &Schema, names: &[String]) -> Result<Vec<usize>> {
    let mut columns = Vec::with_capacity(names.len());
    for name in names {
        let at = schema.index_of(name);
        let at =
            at.map_err(|_| Error::user(format!("`partition_by` names column `{name}`, which the rows do not have")))?;
        if schema.field(at).data_type().is_nested() {
            return Err(Error::user(format!("`partition_by`: column `{name}` is nested and cannot name a folder")));
        }
        columns.push(at);
    }
    if !names.is_empty() && columns.len() == schema.fields().len() {
        return Err(Error::user("`partition_by` leaves no column for the files"));
    }
    Ok(columns)
}

/// What a format has no words for is refused before anything moves.
fn check_columns(format: Format, schema: &Schema) -> Result<()> {
    for field in schema.fields() {
        let data_type = field.data_type();
        let plain = match data_type {
            DataType::Dictionary(_, value) => value.as_ref(),
            other => other,
        };
        let (what, remedy) = match format {
            Format::Csv if plain.is_nested() => ("CSV has no nested values", "write NDJSON or Parquet"),
            Format::Parquet if matches!(plain, DataType::Interval(_)) => {
                ("Parquet has no intervals", "cast it to text")
            }
            _ => continue,
        };
        return Err(Error::user(format!("column `{}`: {what}; {remedy}", field.name())));
    }
    Ok(())
}
