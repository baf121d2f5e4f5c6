//! `/files`: files that people bring, in pieces that may be sent again, and out again in any part; and what pipelines write.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use actix_web::web::{Path, Payload};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::Site;
use super::body::{Json, Query};
use super::download::{self, Sent};
use super::gate::Known;
use super::page::{self, PageSize};
use super::problem::Problem;
use super::upload::receive;
use crate::accounts::{Accounts, Caller, Refusal, Tenant};
use crate::clock;
use crate::discovery::RowsView;
use crate::files::{File, FileQuery, Files, Place, Spot, Upload, folder_of, sha256};

/// Files in one answer.
const FILES: PageSize = PageSize::new(100, 1_000);
/// How long a link leads somewhere, where nothing is said and at most.
const LINK_SECONDS: i64 = 3_600;
const LINK_SECONDS_MAX: i64 = 7 * 24 * 3_600;

/// Files, the folders beside them, and where the next ones are.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FilePage {
    /// Those that were uploaded before those that pipelines have written; each by folder and name.
    files: Vec<File>,
    /// The names of the folders in the folder that was asked for; of the outermost where none was.
    folders: Vec<String>,
    /// The `after` of the next page; null where there is none.
    next: Option<String>,
}

/// Which files.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Page {
    /// Only those that lie in this folder; empty: in none.
    folder: Option<String>,
    /// Only those with this in their name.
    search: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// How many at most: 100 where it is left out, never more than 1000.
    limit: Option<i64>,
}

/// A file that is to come.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UploadWish {
    name: String,
    /// In none where it is left out.
    #[serde(default)]
    folder: String,
    /// Bytes, 64 GiB at most.
    size: i64,
    /// What its content is to be, in hexadecimal digits; where it is another the file is not made.
    sha256: Option<String>,
}

/// A file that comes in one call.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Whole {
    name: String,
    /// In none where it is left out.
    #[serde(default)]
    folder: String,
    /// What its content is to be, in hexadecimal digits.
    sha256: Option<String>,
}

/// From where on the body goes on.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct From {
    offset: i64,
}

/// How far an upload has come.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Progress {
    /// Null once all has come and it is a file.
    pub upload: Option<Upload>,
    /// The file; null while something is missing.
    pub file: Option<File>,
}

/// For how long a link is to lead to a file.
#[derive(Deserialize, ToSchema, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct LinkWish {
    /// One hour where it is left out, a week at most.
    seconds: Option<i64>,
}

/// Where whoever has it may read a file without signing in.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Link {
    /// Below this service's address.
    url: String,
    expires_at: Timestamp,
}

impl Site {
    /// The files of organizations, where it is this process that leads and has a storage.
    fn files(&self) -> Result<Files, Problem> {
        let handle = self.handle()?;
        let none = || {
            Refusal::Unavailable(
                "this coordinator has no storage for files: set `FLOWETL_STORAGE_URL`, as its executors have it".into(),
            )
        };
        Ok(Files::new(handle.store(), handle.space().ok_or_else(none)?, handle.joining()))
    }

    /// Removes the files of an organization that is no more.
    pub(super) async fn forget_files(&self, organization: &str) -> Result<(), Problem> {
        match self.handle()?.space() {
            Some(_) => Ok(self.files()?.forget(organization).await?),
            None => Ok(()),
        }
    }
}

/// The organization's files: what was uploaded, and what its pipelines have written to `files/...`.
#[utoipa::path(get, path = "/files", tag = "files", params(Page), responses((status = 200, body = FilePage)))]
pub(super) async fn list(
    site: Site,
    Known(tenant): Known<Tenant>,
    Query(page): Query<Page>,
) -> Result<Json<FilePage>, Problem> {
    let files = site.files()?;
    let limit = FILES.of(page.limit);
    let query = FileQuery {
        organization: tenant.organization.id,
        folder: page.folder.as_deref().map(folder_of).transpose()?,
        search: page.search.filter(|search| !search.is_empty()),
        after: page.after.as_deref().filter(|after| !after.is_empty()).map(place).transpose()?,
        limit,
    };
    let (found, folders) = files.list(&query).await?;
    let next = page::next(&found, limit, next_place);
    Ok(Json(FilePage { files: found, folders, next }))
}

/// Begin to upload a file. Its bytes come by `PUT`, in as many calls as it takes; it is there once it is whole. Pipelines read
/// it as `files/FOLDER/NAME`, such as `from: files/raw/orders.csv`: `files` is a connection that is always there. Whoever says its
/// `sha256` and asks again is given the upload that they began before, to go on with it.
#[utoipa::path(post, path = "/files", tag = "files", request_body = UploadWish, responses((status = 201, body = Upload)))]
pub(super) async fn begin(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Json(wish): Json<UploadWish>,
) -> Result<(Json<Upload>, StatusCode), Problem> {
    let spot = Spot::new(&wish.folder, &wish.name)?;
    let expected = wish.sha256.as_deref().map(sha256).transpose()?;
    let upload = site.files()?.begin(&caller, &tenant, spot, wish.size, expected).await?;
    Ok((Json(upload), StatusCode::CREATED))
}

/// How far an upload has come: its `offset` is from where on to go on.
#[utoipa::path(get, path = "/files/uploads/{upload}", tag = "files", params(("upload" = String, Path)),
    responses((status = 200, body = Upload)))]
pub(super) async fn upload(
    site: Site,
    Known(tenant): Known<Tenant>,
    upload: Path<String>,
) -> Result<Json<Upload>, Problem> {
    Ok(Json(site.files()?.upload(&tenant, &upload).await?))
}

/// Send the bytes from `offset` on, as many as come within 30 s: what has come is kept, also where the call breaks off. With
/// the last of them the file is made; with none, where they are all there and it was not.
#[utoipa::path(put, path = "/files/uploads/{upload}", tag = "files", params(("upload" = String, Path), From),
    request_body(content_type = "application/octet-stream", content = Vec<u8>),
    responses((status = 200, body = Progress)))]
pub(super) async fn take(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    upload: Path<String>,
    Query(from): Query<From>,
    body: Payload,
) -> Result<Json<Progress>, Problem> {
    let files = site.files()?;
    let own = files.clone();
    let found = site.whole(async move { own.upload(&tenant, &upload).await }).await??;
    if from.offset != found.offset {
        let message = format!("the upload stands at `{}`, not at `{}`", found.offset, from.offset);
        return Err(Refusal::Conflict(message).into());
    }
    Ok(Json(receive(&site, files, caller, found, body).await?))
}

/// Upload a small file in one call, whose `Content-Length` says its size.
#[utoipa::path(put, path = "/files", tag = "files", params(Whole),
    request_body(content_type = "application/octet-stream", content = Vec<u8>),
    responses((status = 200, body = Progress)))]
pub(super) async fn put(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    Query(whole): Query<Whole>,
    request: HttpRequest,
    body: Payload,
) -> Result<Json<Progress>, Problem> {
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<i64>().ok());
    let has_none = !request.headers().contains_key(TRANSFER_ENCODING);
    let size =
        length.or(has_none.then_some(0)).ok_or_else(|| Problem::not_understood("this needs a `Content-Length`"))?;
    let spot = Spot::new(&whole.folder, &whole.name)?;
    let expected = whole.sha256.as_deref().map(sha256).transpose()?;
    let files = site.files()?;
    let (own, begins, beginner) = (files.clone(), caller.clone(), tenant.clone());
    let begun = site.whole(async move { own.begin(&begins, &beginner, spot, size, expected).await });
    let upload = begun.await??;
    if upload.offset > 0 {
        return Err(Refusal::Conflict(format!("the upload `{}` of it was begun: go on with that", upload.id)).into());
    }
    let (own, id) = (files.clone(), upload.id.clone());
    let received = receive(&site, files, caller, upload, body).await;
    if received.is_err() {
        // Nobody knows its id.
        site.whole(async move { own.abort(&tenant, &id).await }).await?.ok();
    }
    received.map(Json)
}

/// Give an upload up.
#[utoipa::path(delete, path = "/files/uploads/{upload}", tag = "files", params(("upload" = String, Path)),
    responses((status = 204)))]
pub(super) async fn abort(site: Site, Known(tenant): Known<Tenant>, upload: Path<String>) -> Result<(), Problem> {
    Ok(site.files()?.abort(&tenant, &upload).await?)
}

/// One file.
#[utoipa::path(get, path = "/files/{file}", tag = "files", params(("file" = String, Path)),
    responses((status = 200, body = File)))]
pub(super) async fn get(site: Site, Known(tenant): Known<Tenant>, file: Path<String>) -> Result<Json<File>, Problem> {
    Ok(Json(site.files()?.get(&tenant.organization.id, &file).await?))
}

/// Delete a file.
#[utoipa::path(delete, path = "/files/{file}", tag = "files", params(("file" = String, Path)), responses((status = 204)))]
pub(super) async fn remove(
    site: Site,
    Known(caller): Known<Caller>,
    Known(tenant): Known<Tenant>,
    file: Path<String>,
) -> Result<(), Problem> {
    Ok(site.files()?.remove(&caller, &tenant, &file).await?)
}

/// The first rows of a Parquet, CSV or JSON file, read by an executor within 10 s and 1 MiB.
#[utoipa::path(get, path = "/files/{file}/preview", tag = "files", params(("file" = String, Path)),
    responses((status = 200, body = RowsView)))]
pub(super) async fn preview(
    site: Site,
    Known(tenant): Known<Tenant>,
    file: Path<String>,
) -> Result<Json<RowsView>, Problem> {
    let leads = site.seat.borrow().leads();
    let (_, roster) = leads.map_err(|leader| Problem::stands_by(leader.as_deref()))?;
    Ok(Json(site.files()?.rows(&*roster, &tenant, &file).await?))
}

/// The content of a file, or the part of it that the header `Range` asks for.
#[utoipa::path(get, path = "/files/{file}/content", tag = "files",
    params(("file" = String, Path), ("range" = Option<String>, Header)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>),
              (status = 206, content_type = "application/octet-stream", body = Vec<u8>)))]
pub(super) async fn content(
    site: Site,
    Known(tenant): Known<Tenant>,
    file: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let files = site.files()?;
    let own = files.clone();
    let file = site.whole(async move { own.get(&tenant.organization.id, &file).await }).await??;
    send(&site, files, file, &request).await
}

/// A link that leads whoever has it to a file, for a while.
#[utoipa::path(post, path = "/files/{file}/link", tag = "files", params(("file" = String, Path)), request_body = LinkWish,
    responses((status = 200, body = Link)))]
pub(super) async fn link(
    site: Site,
    Known(tenant): Known<Tenant>,
    Known(accounts): Known<Accounts>,
    file: Path<String>,
    Json(wish): Json<LinkWish>,
) -> Result<Json<Link>, Problem> {
    let file = site.files()?.get(&tenant.organization.id, &file).await?;
    let seconds = wish.seconds.unwrap_or(LINK_SECONDS);
    if !(1..=LINK_SECONDS_MAX).contains(&seconds) {
        return Err(Refusal::wrong("seconds", format!("a link lasts 1 to {LINK_SECONDS_MAX} seconds")).into());
    }
    let until = clock::now() + seconds * 1000;
    let token = accounts.link(&[&file.organization, &file.id], until);
    Ok(Json(Link { url: format!("/api/v1/files/shared/{token}"), expires_at: Timestamp(until) }))
}

/// The content of a file that a link leads to.
#[utoipa::path(get, path = "/files/shared/{link}", tag = "files", params(("link" = String, Path)),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
pub(super) async fn shared(
    site: Site,
    Known(accounts): Known<Accounts>,
    link: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let nothing = || Refusal::NotFound("this link leads nowhere, or not any more".into());
    let said = accounts.linked(&link, clock::now()).ok_or_else(nothing)?;
    let [organization, id] = <[String; 2]>::try_from(said).map_err(|_| nothing())?;
    let files = site.files()?;
    let own = files.clone();
    let file = site.whole(async move { own.get(&organization, &id).await }).await??;
    send(&site, files, file, &request).await
}

/// Sends the part of a file that a call asks for.
async fn send(site: &Site, files: Files, file: File, request: &HttpRequest) -> Result<HttpResponse, Problem> {
    let size = u64::try_from(file.size).unwrap_or(0);
    let tag = file.tag();
    let part = download::part(request, size, &tag)?;
    let (own, bytes) = (file.clone(), part.clone().unwrap_or(0..size));
    let content = site.whole(async move { files.content(&own, bytes).await }).await??;
    Ok(download::answer(site, Sent { name: &file.name, size, tag: &tag, part }, content))
}

/// Where a page ends.
fn next_place(last: &File) -> String {
    // Its texts are always JSON.
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(&last.place()).unwrap_or_default())
}

fn place(after: &str) -> Result<Place, Refusal> {
    let read = URL_SAFE_NO_PAD.decode(after).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    read.ok_or_else(|| Refusal::wrong("after", "`after` is the `next` of a page before"))
}
