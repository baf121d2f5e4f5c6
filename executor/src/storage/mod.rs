//! Object storage: a local folder, or a prefix in an S3 bucket, behind one type that can also write in private.
//!
//! Connectors and boundaries both come here. Names are plain text below the root (`raw/orders.parquet`); only this room
//! knows how a store spells them.

mod error;
mod held;
mod open;
mod output;

use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use flowetl_proto::pipeline::Secret;
use futures::{StreamExt, TryStreamExt};
use object_store::aws::AmazonS3;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

pub use error::{Side, write_error};
pub use held::HeldStore;
pub use output::{Output, Staged};

use crate::{Error, Result};

/// A place for files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Storage {
    place: Place,
    secrets: Arc<Vec<Secret>>,
}

#[derive(Clone, Debug)]
enum Place {
    Local {
        root: PathBuf,
        store: Arc<LocalFileSystem>,
    },
    /// `prefix` is empty or ends in `/`.
    Remote {
        bucket: String,
        prefix: String,
        store: Arc<AmazonS3>,
    },
}

/// A file as a listing shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Below the storage's root.
    pub name: String,
    /// Size, time and spelling, as the object store knows them.
    pub meta: ObjectMeta,
}

impl Storage {
    /// The store itself, for readers that want ranges; names through [`Storage::location`].
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        match &self.place {
            Place::Local { store, .. } => Arc::clone(store) as _,
            Place::Remote { store, .. } => Arc::clone(store) as _,
        }
    }

    /// Where `name` is, as a person would say it.
    pub fn label(&self, name: &str) -> String {
        match &self.place {
            Place::Local { root, .. } => root.join(name).display().to_string(),
            Place::Remote { bucket, prefix, .. } => format!("s3://{bucket}/{prefix}{name}"),
        }
    }

    /// The file itself, where the storage is a local folder.
    pub fn local_path(&self, name: &str) -> Option<PathBuf> {
        match &self.place {
            Place::Local { root, .. } => Some(root.join(name)),
            Place::Remote { .. } => None,
        }
    }

    /// How the object store spells a name.
    pub fn location(&self, name: &str) -> Result<Path> {
        let path = match &self.place {
            Place::Local { root, .. } => Path::from_absolute_path(root.join(name)),
            Place::Remote { prefix, .. } => Path::parse(format!("{prefix}{name}")),
        };
        path.map_err(|e| Error::user(format!("`{name}` is not a usable file name")).because(e))
    }

    /// The file of that name, or `None` where there is none.
    pub async fn look(&self, name: &str, side: Side) -> Result<Option<Stored>> {
        match self.store().head(&self.location(name)?).await {
            Ok(meta) => Ok(Some(Stored { name: name.to_owned(), meta })),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.error(side, "cannot look at", name, e)),
        }
    }

    /// Every file below a folder (`""` is the root), sorted by name.
    pub async fn list(&self, folder: &str, side: Side) -> Result<Vec<Stored>> {
        self.list_some(folder, usize::MAX, side).await
    }

    /// The same of so many that the store lists first.
    pub async fn list_some(&self, folder: &str, most: usize, side: Side) -> Result<Vec<Stored>> {
        let location = self.location(folder)?;
        let found: Result<Vec<_>, _> = self.store().list(Some(&location)).take(most).try_collect().await;
        let found = found.map_err(|e| self.error(side, "cannot list", folder, e))?;
        let mut files = Vec::with_capacity(found.len());
        for meta in found {
            let name = self.name_of(&meta.location)?;
            files.push(Stored { name, meta });
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// The names of the folders right below a folder, sorted.
    pub async fn folders(&self, folder: &str, side: Side) -> Result<Vec<String>> {
        let found = self.store().list_with_delimiter(Some(&self.location(folder)?)).await;
        let found = found.map_err(|e| self.error(side, "cannot list", folder, e))?;
        let names = found.common_prefixes.iter().filter_map(|path| path.filename().map(str::to_owned));
        let mut names: Vec<_> = names.collect();
        names.sort();
        Ok(names)
    }

    /// The whole of a small file, or `None` where there is none.
    pub async fn read(&self, name: &str, side: Side) -> Result<Option<Bytes>> {
        let answer = match self.store().get(&self.location(name)?).await {
            Ok(answer) => answer.bytes().await,
            Err(e) => Err(e),
        };
        match answer {
            Ok(bytes) => Ok(Some(bytes)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(e) => Err(self.error(side, "cannot read", name, e)),
        }
    }

    /// Writes a small file so that readers see the old content or the new, and a crash loses neither.
    pub async fn replace(&self, name: &str, bytes: impl Into<Bytes>) -> Result<()> {
        let bytes = bytes.into();
        match &self.place {
            Place::Local { root, .. } => {
                let path = root.join(name);
                self.blocking(name, move || output::replace_file(&path, &bytes)).await
            }
            Place::Remote { store, .. } => {
                let put = store.put(&self.location(name)?, bytes.into()).await;
                put.map(|_| ()).map_err(|e| self.error(Side::Write, "cannot write", name, e))
            }
        }
    }

    /// Removes a file; fine where there is none.
    pub async fn remove(&self, name: &str) -> Result<()> {
        match self.store().delete(&self.location(name)?).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(e) => Err(self.error(Side::Write, "cannot remove", name, e)),
        }
    }

    /// Removes everything below a folder, then the folder; fine where there is none.
    pub async fn remove_folder(&self, folder: &str) -> Result<()> {
        match &self.place {
            Place::Local { root, .. } => {
                let path = root.join(folder);
                self.blocking(folder, move || match std::fs::remove_dir_all(&path) {
                    Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(e),
                    _ => Ok(()),
                })
                .await
            }
            Place::Remote { .. } => {
                for file in self.list(folder, Side::Write).await? {
                    self.remove(&file.name).await?;
                }
                Ok(())
            }
        }
    }

    /// Removes the folders right below a folder whose names sort before one; gives how many that were.
    pub async fn remove_folders_before(&self, folder: &str, name: &str) -> Result<usize> {
        let mut folders = self.folders(folder, Side::Read).await?;
        folders.retain(|found| found.as_str() < name);
        for found in &folders {
            self.remove_folder(&format!("{folder}/{found}")).await?;
        }
        Ok(folders.len())
    }

    /// Removes a folder that holds nothing, and its parents up to `above`; a folder in use stays.
    pub async fn remove_empty(&self, folder: &str, above: &str) -> Result<()> {
        let Place::Local { root, .. } = &self.place else { return Ok(()) };
        let (mut path, top) = (root.join(folder), root.join(above));
        self.blocking(folder, move || {
            while path != top && path.starts_with(&top) && std::fs::remove_dir(&path).is_ok() {
                path.pop();
            }
            Ok(())
        })
        .await
    }

    /// What a signed-in look says: fails where the place cannot be reached.
    pub async fn version(&self) -> Result<String> {
        match &self.place {
            Place::Local { root, .. } => {
                let found = tokio::fs::metadata(root).await;
                found.map_err(|e| self.io_error(Side::Read, "cannot open", "", e))?;
                Ok(format!("folder {}", root.display()))
            }
            Place::Remote { bucket, prefix, store } => {
                let prefix = Path::from(prefix.as_str());
                let answer = store.list_with_delimiter(Some(&prefix)).await;
                answer.map_err(|e| self.error(Side::Read, "cannot list", "", e))?;
                Ok(format!("S3, bucket {bucket}"))
            }
        }
    }

    fn name_of(&self, location: &Path) -> Result<String> {
        let name = match &self.place {
            Place::Local { root, store } => {
                let path =
                    store.path_to_filesystem(location).map_err(|e| self.error(Side::Read, "cannot name", "", e))?;
                path.strip_prefix(root).ok().and_then(FilePath::to_str).map(str::to_owned)
            }
            Place::Remote { prefix, .. } => location.as_ref().strip_prefix(prefix.as_str()).map(str::to_owned),
        };
        name.ok_or_else(|| Error::user(format!("the name of `{location}` is not valid text")))
    }

    /// Runs file work off the asynchronous threads.
    async fn blocking<T: Send + 'static>(
        &self,
        name: &str,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<T> {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|e| self.io_error(Side::Write, "cannot write", name, e)),
            Err(e) => Err(Error::internal(format!("file work on `{}` broke off", self.label(name))).because(e)),
        }
    }
}
