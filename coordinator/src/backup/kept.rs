//! Copies in the installation's storage, in a folder of their own.

use std::ops::Range;
use std::path::Path;

use actix_web::web::Bytes;
use chrono::DateTime;
use flowetl_proto::run::Timestamp;
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::Serialize;
use tokio::io::AsyncWriteExt;
use utoipa::ToSchema;

use super::{failed, write_to};
use crate::accounts::{Caller, Change, Refusal};
use crate::files::{Object, Space, is_name};
use crate::store::Store;
use crate::{Error, Handle, Result, clock};

/// Where they lie.
const FOLDER: &str = "etl-backup";

/// A copy of the metadata database.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
pub struct Backup {
    pub name: String,
    /// In bytes.
    pub size: u64,
    /// When it was whole.
    pub created_at: Timestamp,
}

/// The copies of an installation that is served.
#[derive(Clone)]
pub(crate) struct Backups {
    handle: Handle,
    space: Space,
}

impl Backups {
    /// `None` where there is no storage.
    pub(crate) fn new(handle: Handle) -> Option<Self> {
        let space = handle.space()?.clone();
        Some(Self { handle, space })
    }

    /// Makes one more, of what the database holds at this moment; one at a time.
    pub(crate) async fn create(&self, caller: &Caller) -> Result<Backup, Refusal> {
        let _turn = self.handle.joining().begin(FOLDER, "another backup is just being made: ask again")?;
        let store = self.handle.store().apart().await?;
        let kept = keep(&self.space, &self.handle.inner.home, async |file: &Path| write_to(&store, file).await).await;
        store.close().await;
        let kept = kept?;
        self.audit(caller, "backup.created", &kept.name).await?;
        Ok(kept)
    }

    /// The newest first.
    pub(crate) async fn list(&self) -> Result<Vec<Backup>> {
        list(&self.space).await
    }

    pub(crate) async fn get(&self, name: &str) -> Result<Backup, Refusal> {
        let found = list(&self.space).await?.into_iter().find(|backup| backup.name == name);
        found.ok_or_else(|| nothing(name))
    }

    pub(crate) async fn content(
        &self,
        backup: &Backup,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes>>, Refusal> {
        let found = self.space.stream(&key(&backup.name), range).await?;
        found.ok_or_else(|| nothing(&backup.name))
    }

    pub(crate) async fn remove(&self, caller: &Caller, name: &str) -> Result<(), Refusal> {
        let backup = self.get(name).await?;
        self.space.remove(&key(&backup.name)).await?;
        Ok(self.audit(caller, "backup.deleted", &backup.name).await?)
    }

    async fn audit(&self, caller: &Caller, action: &'static str, subject: &str) -> Result<()> {
        let store: &Store = self.handle.store();
        let mut directory = store.change_directory().await?;
        let change = Change { organization: None, action, subject, before: None, after: None };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await
    }
}

fn nothing(name: &str) -> Refusal {
    Refusal::NotFound(format!("there is no backup `{name}`"))
}

fn key(name: &str) -> String {
    format!("{FOLDER}/{name}")
}

/// The newest first.
pub(super) async fn list(space: &Space) -> Result<Vec<Backup>> {
    let backup = |object: Object| {
        let name = object.key.strip_prefix(&key(""))?.to_owned();
        Some(Backup { name, size: object.size, created_at: Timestamp(object.changed_at) })
    };
    let mut found: Vec<_> = space.objects(FOLDER).await?.into_iter().filter_map(backup).collect();
    // Their names begin with their times.
    found.sort_by(|a, b| b.name.cmp(&a.name));
    Ok(found)
}

/// Puts what `make` writes to a file, for the time being in the folder `home`, into the storage.
pub(super) async fn keep(space: &Space, home: &Path, make: impl AsyncFnOnce(&Path) -> Result<u64>) -> Result<Backup> {
    let now = clock::now();
    let time = DateTime::from_timestamp_millis(now).unwrap_or_default();
    let name = format!("{}.flowetl", time.format("%Y%m%dT%H%M%S%3fZ"));
    let folder = home.join(format!("backup-{}", clock::new_id()));
    let file = folder.join(&name);
    std::fs::create_dir_all(&folder).map_err(|e| failed("create", &folder, e))?;
    let kept = async {
        make(&file).await?;
        space.bring(&file, &key(&name)).await
    };
    let kept = kept.await;
    std::fs::remove_dir_all(&folder).map_err(|e| failed("remove", &folder, e))?;
    Ok(Backup { name, size: kept?, created_at: Timestamp(now) })
}

/// Brings one to a new file.
pub(super) async fn fetch(space: &Space, name: &str, file: &Path) -> Result<()> {
    let none = || Error::Backup(format!("there is no file and no backup `{name}`"));
    if !is_name(name) {
        return Err(none());
    }
    let size = list(space).await?.into_iter().find(|backup| backup.name == name).ok_or_else(none)?.size;
    let mut content = space.stream(&key(name), 0..size).await?.ok_or_else(none)?;
    let mut out = tokio::fs::File::create_new(file).await.map_err(|e| failed("write", file, e))?;
    while let Some(bytes) = content.next().await {
        out.write_all(&bytes?).await.map_err(|e| failed("write", file, e))?;
    }
    out.sync_all().await.map_err(|e| failed("write", file, e))
}
