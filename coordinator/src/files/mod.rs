//! Files that people bring: uploaded in pieces, visible once they are whole, read by pipelines as `files/folder/name`: `files`
//! is a connection that every organization has, unless it made one of that name itself. What pipelines write there is shown
//! beside them: it is not kept by name, but found where it lies.
//!
//! [`Files`] is how the outside asks, [`space`] the object storage behind it, [`model`] what is kept and shown.

mod maker;
mod model;
mod space;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::Bytes;
use flowetl_proto::pipeline::{ConnectionSpec, Reference, Unsealed};
use flowetl_proto::run::Timestamp;
use futures::stream::BoxStream;

use self::maker::tell_makers;
pub(crate) use self::maker::{Maker, among_files};
use self::model::written_at;
pub(crate) use self::model::{File, FileQuery, Place, Spot, Upload, folder_of, is_name, sha256};
pub use self::space::Space;
pub(crate) use self::space::{Object, PIECE_BYTES};
use crate::accounts::{Caller, Change, Refusal, Tenant, document};
use crate::discovery::{RowsView, refusal};
use crate::fleet::Roster;
use crate::store::{Directory, Store};
use crate::{Result, clock};

/// The connection by which pipelines of every organization name its files.
pub(crate) const CONNECTION: &str = "files";
/// Where files of organizations lie, and where pieces of those that are not whole do.
const FILES: &str = "etl-files";
const UPLOADS: &str = "etl-uploads";
/// The largest file: pieces of it are joined by one request each.
pub(crate) const FILE_BYTES_MAX: i64 = 64 << 30;
/// What all files of an organization may take together, those that are being uploaded among them.
const QUOTA_BYTES: i64 = 100 << 30;
/// Pieces of one upload: twice as many as the largest file has that comes without a break.
const PIECES_MAX: i64 = 2 * FILE_BYTES_MAX / PIECE_BYTES as i64;
/// An upload that nobody goes on with for so long is given up.
const UPLOAD_KEPT_MS: i64 = 24 * 3_600_000;
/// Of what lies in all folders together so much is looked at.
const LOOKED_AT_MAX: usize = 10_000;
/// Rows of a preview.
const ROWS: usize = 100;

/// The places where this process is putting a file, or takes one away.
#[derive(Default)]
pub(crate) struct Joining(Mutex<BTreeSet<String>>);

/// Said while a file is put where another is to be put, or taken away.
const BUSY: &str = "a file of this name is just being put there: ask again";

/// The right to change what lies at a place.
pub(crate) struct Turn {
    joining: Arc<Joining>,
    key: String,
}

impl Joining {
    /// Takes a turn; refused with these words while another has it.
    pub(crate) fn begin(self: &Arc<Self>, key: &str, busy: &str) -> Result<Turn, Refusal> {
        let is_first = self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned());
        let turn = || Turn { joining: Arc::clone(self), key: key.to_owned() };
        is_first.then(turn).ok_or_else(|| Refusal::Unavailable(busy.to_owned()))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.joining.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.key);
    }
}

/// The files of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Files {
    store: Store,
    space: Space,
    joining: Arc<Joining>,
}

/// The folder of the storage that an organization's files lie in.
fn folder(organization: &str) -> String {
    format!("{FILES}/{organization}")
}

/// The connection by which an organization's pipelines name its files; `None` where the storage's settings hold a secret.
pub(crate) fn connection(space: &Space, organization: &str) -> Option<ConnectionSpec> {
    space.connection(&folder(organization))
}

impl Files {
    pub(crate) fn new(store: &Store, space: &Space, joining: &Arc<Joining>) -> Self {
        Self { store: store.clone(), space: space.clone(), joining: Arc::clone(joining) }
    }

    /// Uploaded files, then those that pipelines have written, each by folder and name; and the names of the folders in the
    /// folder that is asked for, of the outermost where none is. Then the latter files are those among the first
    /// [`LOOKED_AT_MAX`] objects.
    pub(crate) async fn list(&self, query: &FileQuery) -> Result<(Vec<File>, Vec<String>)> {
        let root = folder(&query.organization);
        let inside = query.folder.as_deref().unwrap_or_default();
        let (mut objects, below) = self.space.look(format!("{root}/{inside}").trim_end_matches('/')).await?;
        if query.folder.is_none() {
            objects = self.space.some(&root, LOOKED_AT_MAX).await?;
        }
        let mut lying = wanted(query, objects);
        let mut directory = self.store.directory().await?;
        let folders = inner(inside, &directory.file_folders(&query.organization).await?, below);
        let place = query.after.as_ref().filter(|place| place.is_written);
        let mut found = match place {
            Some(_) => Vec::new(),
            None => directory.files(query).await?,
        };
        for file in &mut found {
            if let Some(object) = lying.get(&file.spot()) {
                *file = file.clone().current(object);
            }
        }
        let room = usize::try_from(query.limit).unwrap_or(0).saturating_sub(found.len());
        if room > 0 {
            let kept: HashSet<_> = directory.file_spots(query).await?;
            let after = place.map(|place| Spot { folder: place.folder.clone(), name: place.name.clone() });
            lying.retain(|spot, _| !kept.contains(spot) && after.as_ref().is_none_or(|after| spot > after));
            let written = lying.into_iter().take(room);
            found.extend(written.map(|(spot, object)| File::written(&query.organization, spot, &object)));
        }
        tell_makers(&mut directory, &query.organization, &mut found).await?;
        Ok((found, folders))
    }

    /// A file of an organization, by its id.
    pub(crate) async fn get(&self, organization: &str, id: &str) -> Result<File, Refusal> {
        let mut directory = self.store.directory().await?;
        let written = written_at(id);
        let kept = match &written {
            Some(spot) => directory.file_at(organization, spot).await?,
            None => directory.file(organization, id).await?,
        };
        let spot = kept.as_ref().map(File::spot).or(written).ok_or_else(|| nothing(id))?;
        let mut file = match (kept, self.space.head(&key(organization, &spot)).await?) {
            (Some(file), Some(object)) => file.current(&object),
            // It is listed, and can be deleted.
            (Some(file), None) => file,
            (None, Some(object)) => File::written(organization, spot, &object),
            (None, None) => return Err(nothing(id)),
        };
        tell_makers(&mut directory, organization, std::slice::from_mut(&mut file)).await?;
        Ok(file)
    }

    /// Begins an upload, or finds the one that its maker began before, of the same content to the same place. Those that
    /// nobody has gone on with are given up.
    pub(crate) async fn begin(
        &self,
        caller: &Caller,
        tenant: &Tenant,
        spot: Spot,
        size: i64,
        sha256: Option<String>,
    ) -> Result<Upload, Refusal> {
        if !(0..=FILE_BYTES_MAX).contains(&size) {
            return Err(Refusal::wrong("size", format!("a file has at most {} GiB", FILE_BYTES_MAX >> 30)));
        }
        let organization = &tenant.organization.id;
        self.is_free(organization, &spot).await?;
        let now = clock::now();
        for old in self.store.directory().await?.idle_uploads(organization, now - UPLOAD_KEPT_MS).await? {
            self.give_up(organization, &old).await?;
        }
        let upload = Upload {
            id: clock::new_id(),
            organization: organization.clone(),
            folder: spot.folder,
            name: spot.name,
            size,
            sha256,
            offset: 0,
            created_by: caller.person.as_ref().map(|person| person.id.clone()),
            created_at: Timestamp(now),
        };
        let mut directory = self.store.change_directory().await?;
        directory.lock_organization(organization).await?;
        if let Some(begun) = directory.upload_like(&upload).await? {
            return Ok(begun);
        }
        self.has_room(&mut directory, &upload).await?;
        if directory.file_bytes(organization).await? + size > QUOTA_BYTES {
            let message = format!("the organization's files may take {} GiB together", QUOTA_BYTES >> 30);
            return Err(Refusal::Conflict(message));
        }
        directory.add_upload(&upload).await?;
        directory.commit().await?;
        Ok(upload)
    }

    pub(crate) async fn upload(&self, tenant: &Tenant, id: &str) -> Result<Upload, Refusal> {
        let found = self.store.directory().await?.upload(&tenant.organization.id, id).await?;
        found.ok_or_else(|| Refusal::NotFound(format!("there is no upload `{id}`")))
    }

    /// Whether a file could lie beside what pipelines have written: no file is a folder too.
    async fn is_free(&self, organization: &str, spot: &Spot) -> Result<(), Refusal> {
        let key_of = |spot: &Spot| key(organization, spot);
        // From the outermost on: below a file nothing can be looked for.
        for above in spot.above() {
            if self.space.head(&key_of(&above)).await?.is_some() {
                return Err(taken_by_file(&above));
            }
        }
        let lying = self.space.some(&key_of(spot), 1).await?;
        if lying.iter().any(|object| object.key != key_of(spot)) { Err(taken_by_folder(spot)) } else { Ok(()) }
    }

    /// The same beside what is uploaded, or is to be.
    async fn has_room(&self, directory: &mut Directory, upload: &Upload) -> Result<(), Refusal> {
        let spot = Spot { folder: upload.folder.clone(), name: upload.name.clone() };
        let (path, below) = (spot.path(), format!("{}/", spot.path()));
        let folders = directory.file_folders(&upload.organization).await?;
        if folders.iter().any(|folder| *folder == path || folder.starts_with(&below)) {
            return Err(taken_by_folder(&spot));
        }
        for above in spot.above() {
            if directory.file_at(&upload.organization, &above).await?.is_some() {
                return Err(taken_by_file(&above));
            }
        }
        Ok(())
    }

    /// Keeps the next piece of an upload, and gives where it stands then. Nobody else may have gone on with it.
    pub(crate) async fn take(&self, upload: &Upload, piece: Bytes) -> Result<Upload, Refusal> {
        if self.store.directory().await?.count_pieces(&upload.id).await? >= PIECES_MAX {
            let message = format!("the upload has come in {PIECES_MAX} pieces: begin it again, and send larger ones");
            return Err(Refusal::Conflict(message));
        }
        let offset = upload.offset + i64::try_from(piece.len()).unwrap_or(i64::MAX);
        // Under a name that nobody else goes on with.
        let object = format!("{}/{}", uploads(&upload.id), clock::new_id());
        self.space.put(&object, piece).await?;
        let mut directory = self.store.change_directory().await?;
        let is_next = directory.upload_grown(upload, offset, &object, clock::now()).await?;
        directory.commit().await?;
        if !is_next {
            self.space.remove(&object).await?;
            return Err(Refusal::Conflict("somebody else goes on with this upload: ask for its offset".into()));
        }
        Ok(Upload { offset, ..upload.clone() })
    }

    /// Makes a file of an upload that has all its bytes.
    pub(crate) async fn finish(&self, caller: &Caller, upload: &Upload) -> Result<File, Refusal> {
        let organization = &upload.organization;
        let spot = Spot { folder: upload.folder.clone(), name: upload.name.clone() };
        let key = key(organization, &spot);
        let _turn = self.joining.begin(&key, BUSY)?;
        // Who had the turn before may have made it.
        let pieces = self.store.directory().await?.upload_pieces(organization, &upload.id).await?;
        let Some(pieces) = pieces else {
            return Err(Refusal::NotFound(format!("there is no upload `{}`", upload.id)));
        };
        let Some(sha256) = self.space.join(&pieces, &key, upload.sha256.as_deref()).await? else {
            self.give_up(organization, &upload.id).await?;
            return Err(Refusal::wrong("sha256", "what has come is not what was announced: upload it again"));
        };
        let came_at = self.space.head(&key).await?.map_or_else(clock::now, |object| object.changed_at);
        let mut directory = self.store.change_directory().await?;
        directory.lock_organization(organization).await?;
        let before = directory.file_at(organization, &spot).await?;
        let file = File {
            id: before.as_ref().map_or_else(|| upload.id.clone(), |before| before.id.clone()),
            organization: organization.clone(),
            folder: spot.folder,
            name: spot.name,
            size: upload.size,
            sha256: Some(sha256),
            created_by: upload.created_by.clone(),
            created_at: Timestamp(came_at),
            written_by: None,
        };
        directory.put_file(&file).await?;
        directory.remove_upload(organization, &upload.id).await?;
        self.audit(&mut directory, caller, "file.uploaded", (before.as_ref(), Some(&file))).await?;
        directory.commit().await?;
        self.space.remove_below(&uploads(&upload.id)).await?;
        Ok(file)
    }

    /// Gives an upload up, with all that has come of it.
    pub(crate) async fn abort(&self, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
        self.upload(tenant, id).await?;
        Ok(self.give_up(&tenant.organization.id, id).await?)
    }

    async fn give_up(&self, organization: &str, upload: &str) -> Result<()> {
        self.space.remove_below(&uploads(upload)).await?;
        let mut directory = self.store.change_directory().await?;
        directory.remove_upload(organization, upload).await?;
        directory.commit().await
    }

    pub(crate) async fn remove(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<(), Refusal> {
        let file = self.get(&tenant.organization.id, id).await?;
        let _turn = self.joining.begin(&key(&file.organization, &file.spot()), BUSY)?;
        // A file that is listed and cannot be read is deleted once more; one that is read and not listed nobody finds.
        self.space.remove(&key(&file.organization, &file.spot())).await?;
        let mut directory = self.store.change_directory().await?;
        directory.remove_file(&file.organization, &file.id).await?;
        self.audit(&mut directory, caller, "file.deleted", (Some(&file), None)).await?;
        Ok(directory.commit().await?)
    }

    /// Removes everything of an organization that is no more.
    pub(crate) async fn forget(&self, organization: &str) -> Result<()> {
        self.space.remove_below(&folder(organization)).await
    }

    /// The bytes of a file in a range, as they come.
    pub(crate) async fn content(
        &self,
        file: &File,
        range: Range<u64>,
    ) -> Result<BoxStream<'static, Result<Bytes>>, Refusal> {
        let found = self.space.stream(&key(&file.organization, &file.spot()), range).await?;
        found.ok_or_else(|| Refusal::NotFound(format!("the content of `{}` is gone", file.spot().path())))
    }

    /// The first rows of a file, read by an executor.
    pub(crate) async fn rows(&self, roster: &dyn Roster, tenant: &Tenant, id: &str) -> Result<RowsView, Refusal> {
        let file = self.get(&tenant.organization.id, id).await?;
        let Some(spec) = connection(&self.space, &file.organization) else {
            return Err(Refusal::Conflict("the storage's settings hold a secret: name it as `${env:...}`".into()));
        };
        let from = Reference::Path { connection: CONNECTION.to_owned(), path: file.spot().path(), format: None };
        let sampled = roster.sample(&spec, &from, ROWS, &Unsealed::default()).await;
        Ok(sampled.map_err(refusal)?.into())
    }

    async fn audit(
        &self,
        directory: &mut Directory,
        caller: &Caller,
        action: &'static str,
        (before, after): (Option<&File>, Option<&File>),
    ) -> Result<()> {
        let Some(either) = after.or(before) else { return Ok(()) };
        let change = Change {
            organization: Some(&either.organization),
            action,
            subject: &either.id,
            before: before.and_then(document),
            after: after.and_then(document),
        };
        directory.audit(&caller.entry(change)).await
    }
}

/// Of what lies in an organization's part of the storage that which a query asks for.
fn wanted(query: &FileQuery, objects: Vec<Object>) -> BTreeMap<Spot, Object> {
    let above = format!("{}/", folder(&query.organization));
    let search = query.search.as_deref().map(str::to_lowercase).unwrap_or_default();
    let named = objects.into_iter().filter_map(|object| Some((Spot::at(object.key.strip_prefix(&above)?)?, object)));
    named.filter(|(spot, _)| spot.name.to_lowercase().contains(&search)).collect()
}

/// The names of the folders in a folder: of those that files were uploaded to, and of those that lie there.
fn inner(inside: &str, uploaded: &[String], lying: Vec<String>) -> Vec<String> {
    let above = if inside.is_empty() { String::new() } else { format!("{inside}/") };
    let below = uploaded.iter().filter_map(|found| found.strip_prefix(&above)).filter(|rest| !rest.is_empty());
    let uploaded = below.map(|rest| rest.split('/').next().unwrap_or(rest).to_owned());
    let names: BTreeSet<_> = uploaded.chain(lying.into_iter().filter(|name| is_name(name))).collect();
    names.into_iter().collect()
}

/// Where a file's content lies.
fn key(organization: &str, spot: &Spot) -> String {
    format!("{}/{}", folder(organization), spot.path())
}

/// The folder that the pieces of an upload lie in.
fn uploads(upload: &str) -> String {
    format!("{UPLOADS}/{upload}")
}

fn taken_by_folder(spot: &Spot) -> Refusal {
    Refusal::Conflict(format!("`{}` is a folder", spot.path()))
}

fn taken_by_file(spot: &Spot) -> Refusal {
    Refusal::Conflict(format!("`{}` is a file, and no folder", spot.path()))
}

fn nothing(id: &str) -> Refusal {
    Refusal::NotFound(format!("there is no file `{id}`"))
}
