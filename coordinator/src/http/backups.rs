//! `/backups`: copies of the metadata database in the installation's storage. Taking one in again is nothing a service does.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};

use super::Site;
use super::body::{Json, Named};
use super::download::{self, Sent};
use super::gate::Known;
use super::problem::Problem;
use crate::accounts::{Caller, Refusal};
use crate::backup::{Backup, Backups};

impl Site {
    /// Copies of the database, where it is this process that leads and has a storage.
    fn backups(&self) -> Result<Backups, Problem> {
        let none =
            || Refusal::Unavailable("this coordinator has no storage for backups: set `FLOWETL_STORAGE_URL`".into());
        Ok(Backups::new(self.handle()?).ok_or_else(none)?)
    }
}

/// The backups in the storage, the newest first.
#[utoipa::path(get, path = "/backups", tag = "backups", responses((status = 200, body = [Backup])))]
pub(super) async fn list(site: Site) -> Result<Json<Vec<Backup>>, Problem> {
    Ok(Json(site.backups()?.list().await?))
}

/// Copy the metadata database, as it is at one moment, into `etl-backup` of the storage; the service goes on meanwhile. Secrets
/// stay sealed in it, and neither the key that opens them nor uploaded files are there. One that takes longer than the call
/// may is listed once it is whole. `flowetl backup restore` takes it into an empty installation.
#[utoipa::path(post, path = "/backups", tag = "backups", responses((status = 201, body = Backup)))]
pub(super) async fn create(site: Site, Known(caller): Known<Caller>) -> Result<(Json<Backup>, StatusCode), Problem> {
    Ok((Json(site.backups()?.create(&caller).await?), StatusCode::CREATED))
}

/// One backup.
#[utoipa::path(get, path = "/backups/{backup}", tag = "backups", params(("backup" = String, Path)),
    responses((status = 200, body = Backup)))]
pub(super) async fn get(site: Site, Named(backup): Named) -> Result<Json<Backup>, Problem> {
    Ok(Json(site.backups()?.get(&backup).await?))
}

/// The content of a backup, or the part of it that the header `Range` asks for.
#[utoipa::path(get, path = "/backups/{backup}/content", tag = "backups",
    params(("backup" = String, Path), ("range" = Option<String>, Header)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>),
              (status = 206, content_type = "application/octet-stream", body = Vec<u8>)))]
pub(super) async fn content(site: Site, Named(backup): Named, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let backups = site.backups()?;
    let own = backups.clone();
    let backup = site.whole(async move { own.get(&backup).await }).await??;
    let part = download::part(&request, backup.size, &backup.name)?;
    let (asked, bytes) = (backup.clone(), part.clone().unwrap_or(0..backup.size));
    let content = site.whole(async move { backups.content(&asked, bytes).await }).await??;
    // It never changes: its name says which it is.
    Ok(download::answer(&site, Sent { name: &backup.name, size: backup.size, tag: &backup.name, part }, content))
}

/// Delete a backup.
#[utoipa::path(delete, path = "/backups/{backup}", tag = "backups", params(("backup" = String, Path)),
    responses((status = 204)))]
pub(super) async fn remove(site: Site, Known(caller): Known<Caller>, Named(backup): Named) -> Result<(), Problem> {
    Ok(site.backups()?.remove(&caller, &backup).await?)
}
