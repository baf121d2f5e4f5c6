//! A file that is written in private and appears at once: a staging name and a rename in a folder, an uncompleted
//! multipart upload on S3.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::Path as FilePath;
use std::sync::Arc;

use bytes::Bytes;
use crc32fast::Hasher;
use futures::StreamExt;
use object_store::ObjectStoreExt;
use object_store::aws::AmazonS3;
use object_store::multipart::{MultipartStore, PartId};
use object_store::path::Path;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{Place, Side, Storage, Stored};
use crate::connectors::Committed;
use crate::{Error, Result};

/// S3 takes parts of 5 MB and more; larger ones cost memory, smaller ones requests.
const PART_BYTES: usize = 8 << 20;
/// S3 takes 10,000 parts: after each so many the parts grow, so that a file may reach 5 TB.
const PARTS_PER_SIZE: usize = 1000;
/// Uploads under way at once per file: one fills while the other travels.
const UPLOADS_MAX: usize = 2;
/// Bytes read at once for a checksum: fits the processor's cache.
const CRC_BYTES: usize = 256 << 10;
/// A local file's pages are sent to the disk in pieces of this size while writing goes on, so that the last sync is short.
const SYNC_BYTES: u64 = 64 << 20;
/// How often a file is written anew whose place beside the old one was lost to who tidies up.
const REPLACE_TRIES_MAX: usize = 5;

/// A finished private file: all that publishing it needs, also in another process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    /// The name it will have.
    pub name: String,
    pub bytes: u64,
    pub crc: u32,
    pub rows: u64,
    hidden: Hidden,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Hidden {
    File(String),
    Upload(Upload),
}

/// An uncompleted multipart upload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Upload {
    name: String,
    id: String,
    etags: Vec<String>,
}

/// Takes bytes through [`Write`]; [`Output::settle`] must follow every few megabytes.
#[derive(Debug)]
pub struct Output {
    storage: Storage,
    name: String,
    target: Target,
    total: Hasher,
    /// Of the bytes since the last [`Output::take_section`].
    section: Hasher,
    bytes: u64,
}

#[derive(Debug)]
enum Target {
    File { file: File, hidden: String, synced: u64, syncing: Option<tokio::task::JoinHandle<io::Result<()>>> },
    Parts(Parts),
}

#[derive(Debug)]
struct Parts {
    store: Arc<AmazonS3>,
    location: Path,
    id: String,
    full: Vec<u8>,
    etags: Vec<Option<String>>,
    under_way: JoinSet<(usize, object_store::Result<PartId>)>,
}

impl Storage {
    /// Opens `name` for writing in private. `hidden` is a name of the attempt's own, below a folder that
    /// [`Storage::unstage`] is later given.
    pub async fn create(&self, name: &str, hidden: &str) -> Result<Output> {
        let target = match &self.place {
            Place::Local { root, .. } => {
                let path = root.join(hidden);
                let file = self.blocking(hidden, move || {
                    path.parent().map_or(Ok(()), fs::create_dir_all)?;
                    File::create(&path)
                });
                Target::File { file: file.await?, hidden: hidden.to_owned(), synced: 0, syncing: None }
            }
            Place::Remote { store, .. } => {
                let location = self.location(name)?;
                let made = store.create_multipart(&location).await;
                let id = made.map_err(|e| self.error(Side::Write, "cannot upload", name, e))?;
                let note = Upload { name: name.to_owned(), id: id.clone(), etags: Vec::new() };
                // Without this note nobody could find the upload after a crash: S3 listings do not show it.
                self.replace(hidden, to_json(&note)?).await?;
                let store = Arc::clone(store);
                let (full, etags, under_way) = (Vec::new(), Vec::new(), JoinSet::new());
                Target::Parts(Parts { store, location, id, full, etags, under_way })
            }
        };
        let (total, section) = (Hasher::new(), Hasher::new());
        Ok(Output { storage: self.clone(), name: name.to_owned(), target, total, section, bytes: 0 })
    }

    /// Makes a finished file visible under its name, replacing what is there. May be called again, by anyone; `Lost`
    /// means that the private file is gone and the visible one is another.
    pub async fn publish(&self, staged: &Staged) -> Result<Committed> {
        let appeared = match (&staged.hidden, &self.place) {
            (Hidden::File(hidden), Place::Local { root, .. }) => {
                let (from, to) = (root.join(hidden), root.join(&staged.name));
                self.blocking(&staged.name, move || rename(&from, &to)).await?
            }
            (Hidden::Upload(upload), Place::Remote { store, .. }) => self.complete(store, upload).await?,
            _ => return Err(Error::internal(format!("`{}` was staged in another kind of storage", staged.name))),
        };
        if appeared || self.holds(staged).await? { Ok(Committed::Done) } else { Ok(Committed::Lost) }
    }

    /// Removes all private files and uploads below an attempt's folder; may be called twice. What was published stays.
    pub async fn unstage(&self, folder: &str) -> Result<()> {
        if let Place::Remote { store, .. } = &self.place {
            for note in self.list(folder, Side::Write).await? {
                let Some(text) = self.read(&note.name, Side::Write).await? else { continue };
                let Ok(upload) = serde_json::from_slice::<Upload>(&text) else { continue };
                match store.abort_multipart(&self.location(&upload.name)?, &upload.id).await {
                    Ok(()) | Err(object_store::Error::NotFound { .. }) => {}
                    Err(e) => return Err(self.error(Side::Write, "cannot abort the upload of", &upload.name, e)),
                }
            }
        }
        self.remove_folder(folder).await
    }

    async fn complete(&self, store: &AmazonS3, upload: &Upload) -> Result<bool> {
        let parts = upload.etags.iter().map(|etag| PartId { content_id: etag.clone() }).collect();
        match store.complete_multipart(&self.location(&upload.name)?, &upload.id, parts).await {
            Ok(_) => Ok(true),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(e) if e.to_string().contains("NoSuchUpload") => Ok(false),
            Err(e) => Err(self.error(Side::Write, "cannot complete the upload of", &upload.name, e)),
        }
    }

    /// Whether the visible file is the staged one, byte for byte. Only asked after a crash, so reading it all is cheap.
    async fn holds(&self, staged: &Staged) -> Result<bool> {
        let found = self.look(&staged.name, Side::Write).await?;
        let Some(found) = found.filter(|found| found.meta.size == staged.bytes) else { return Ok(false) };
        Ok(self.crc(&found, Side::Write).await? == staged.crc)
    }

    /// The CRC-32 of a file, which is read for it.
    pub async fn crc(&self, file: &Stored, side: Side) -> Result<u32> {
        let failed = |e| self.error(side, "cannot read back", &file.name, e);
        if let Some(path) = self.local_path(&file.name) {
            let work = move || {
                let (mut file, mut buffer, mut crc) = (File::open(path)?, vec![0; CRC_BYTES], Hasher::new());
                loop {
                    match file.read(&mut buffer)? {
                        0 => return Ok(crc.finalize()),
                        read => crc.update(&buffer[..read]),
                    }
                }
            };
            return self.blocking(&file.name, work).await;
        }
        let mut stream = self.store().get(&file.meta.location).await.map_err(failed)?.into_stream();
        let mut crc = Hasher::new();
        while let Some(bytes) = stream.next().await {
            crc.update(&bytes.map_err(failed)?);
        }
        Ok(crc.finalize())
    }
}

impl Output {
    /// Hands full parts to the network, waiting while too many are under way; starts syncing a local file early.
    pub async fn settle(&mut self) -> Result<()> {
        let bytes = self.bytes;
        let done = match &mut self.target {
            Target::Parts(parts) => parts.send(false).await,
            Target::File { file, synced, syncing, .. } => {
                let idle = syncing.as_ref().is_none_or(tokio::task::JoinHandle::is_finished);
                if idle && bytes - *synced >= SYNC_BYTES {
                    *synced = bytes;
                    let copy = file.try_clone();
                    *syncing = Some(tokio::task::spawn_blocking(move || copy?.sync_data()));
                }
                return Ok(());
            }
        };
        done.map_err(|e| self.storage.error(Side::Write, "cannot upload", &self.name, e))
    }

    /// The checksum of what was written since the last call.
    pub fn take_section(&mut self) -> Hasher {
        let section = std::mem::take(&mut self.section);
        self.total.combine(&section);
        section
    }

    /// Bytes written so far.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Makes the private file durable.
    pub async fn finish(mut self, rows: u64) -> Result<Staged> {
        self.take_section();
        let hidden = match self.target {
            Target::File { file, hidden, .. } => {
                let note = hidden.clone();
                let path = self.storage.local_path(&hidden);
                let sync = move || {
                    file.sync_all()?;
                    path.as_deref().and_then(FilePath::parent).map_or(Ok(()), sync_folder)
                };
                self.storage.blocking(&hidden, sync).await?;
                Hidden::File(note)
            }
            Target::Parts(mut parts) => {
                let sent = parts.send(true).await;
                sent.map_err(|e| self.storage.error(Side::Write, "cannot upload", &self.name, e))?;
                let etags = parts.etags.into_iter().flatten().collect();
                Hidden::Upload(Upload { name: self.name.clone(), id: parts.id, etags })
            }
        };
        Ok(Staged { name: self.name, bytes: self.bytes, crc: self.total.finalize(), rows, hidden })
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.target {
            Target::File { file, .. } => file.write_all(bytes)?,
            Target::Parts(parts) => parts.full.extend_from_slice(bytes),
        }
        self.section.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Parts {
    /// Sends what fills a part, or at the end everything.
    async fn send(&mut self, last: bool) -> object_store::Result<()> {
        loop {
            let size = PART_BYTES * (1 + self.etags.len() / PARTS_PER_SIZE);
            // An upload needs one part at least, also when the file is empty.
            let rest = last && (!self.full.is_empty() || self.etags.is_empty());
            if self.full.len() < size && !rest {
                break;
            }
            let later = self.full.split_off(size.min(self.full.len()));
            let part = Bytes::from(std::mem::replace(&mut self.full, later));
            while self.under_way.len() >= UPLOADS_MAX {
                self.arrive().await?;
            }
            let (store, location, id, index) =
                (Arc::clone(&self.store), self.location.clone(), self.id.clone(), self.etags.len());
            self.etags.push(None);
            self.under_way.spawn(async move { (index, store.put_part(&location, &id, index, part.into()).await) });
        }
        while last && !self.under_way.is_empty() {
            self.arrive().await?;
        }
        Ok(())
    }

    async fn arrive(&mut self) -> object_store::Result<()> {
        if let Some(done) = self.under_way.join_next().await {
            let (index, part) = done.map_err(|source| object_store::Error::JoinError { source })?;
            self.etags[index] = Some(part?.content_id);
        }
        Ok(())
    }
}

fn to_json(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(|e| Error::internal("cannot write a note as JSON").because(e))
}

/// Writes beside, syncs, renames, syncs the folder; and removes what others wrote beside and, being killed, did not come to
/// rename: whoever is alive has its file locked.
pub(super) fn replace_file(path: &FilePath, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().ok_or(io::ErrorKind::InvalidFilename)?;
    fs::create_dir_all(folder)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?.to_string_lossy();
    let start = format!(".{name}.");
    let mut tries = 0;
    loop {
        let beside = folder.join(format!("{start}{}.new", uuid::Uuid::now_v7()));
        let written = File::create(&beside).and_then(|mut file| {
            file.lock()?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, path)
        });
        tries += 1;
        match written {
            Ok(()) => break,
            // It was taken for a dead one's before it was locked.
            Err(e) if e.kind() == io::ErrorKind::NotFound && tries < REPLACE_TRIES_MAX => {}
            Err(e) => {
                // The reason to report is the first one; what cannot be removed is hidden and harmless.
                let _ = fs::remove_file(&beside);
                return Err(e);
            }
        }
    }
    for entry in fs::read_dir(folder)? {
        let found = entry?.file_name();
        if found.to_str().is_some_and(|found| found.starts_with(&start) && found.ends_with(".new")) {
            let found = folder.join(&found);
            // What cannot be opened or removed is gone meanwhile, or hidden and harmless.
            if File::open(&found).is_ok_and(|file| file.try_lock().is_ok()) {
                let _ = fs::remove_file(&found);
            }
        }
    }
    sync_folder(folder)
}

/// Renames and syncs both folders; `false` where the first name does not exist.
fn rename(from: &FilePath, to: &FilePath) -> io::Result<bool> {
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    match fs::rename(from, to) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(e) => return Err(e),
    }
    to.parent().map_or(Ok(()), sync_folder)?;
    Ok(true)
}

/// A rename is durable once its folder is.
fn sync_folder(folder: &FilePath) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_stays_beside_it() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.json");
        // Of a process that was killed before it could rename.
        fs::write(folder.path().join(".a.json.0191.new"), "half").unwrap();
        fs::write(folder.path().join(".b.json.0191.new"), "another's").unwrap();
        replace_file(&path, b"one").unwrap();
        replace_file(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<_> = names.collect();
        names.sort();
        assert_eq!(names, [".b.json.0191.new", "a.json"]);
    }

    #[test]
    fn many_replace_a_file_at_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("a.json");
        std::thread::scope(|scope| {
            let writers = (0..4).map(|_| scope.spawn(|| (0..50).try_for_each(|_| replace_file(&path, b"whole"))));
            let writers: Vec<_> = writers.collect();
            for writer in writers {
                writer.join().unwrap().unwrap();
            }
        });
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
