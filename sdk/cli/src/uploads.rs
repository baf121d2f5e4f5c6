//! `flowetl file`: files that a service keeps. What breaks off on the way, up or down, goes on where it was.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::StatusCode;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::api::{Api, status_of};
use crate::args::{self, FileCommand, Output};
use crate::{Outcome, show};

/// Bytes of one call.
const PIECE_BYTES: u64 = 8 << 20;
/// Calls one after the other that bring nothing, and the pause after each.
const TRIES_MAX: u32 = 20;
const PAUSE: Duration = Duration::from_secs(1);
/// Files in one answer.
const PAGE: &str = "500";

pub async fn perform(command: FileCommand) -> anyhow::Result<Outcome> {
    match command {
        FileCommand::List { folder, search, api, output } => list(&folder, search.as_deref(), &api, output).await,
        FileCommand::Upload { file, folder, name, api, output } => {
            let name = name.or_else(|| Some(file.file_name()?.to_string_lossy().into_owned()));
            let name = name.with_context(|| format!("`{}` has no name", file.display()))?;
            let made = upload(&file, &folder, &name, &api).await?;
            match output.json {
                true => show::json(&made)?,
                false => show::line(&shown(&made))?,
            }
            Ok(Outcome::Success)
        }
        FileCommand::Download { path, to, api } => download(&path, to, &api).await,
        FileCommand::Remove { path, api } => {
            let api = Api::open(&api).await?;
            api.delete(&format!("/files/{}", id(&find(&api, &path).await?))).await?;
            Ok(Outcome::Success)
        }
    }
}

async fn list(folder: &str, search: Option<&str>, api: &args::Api, output: Output) -> anyhow::Result<Outcome> {
    let mut query = vec![("limit", PAGE)];
    query.extend(search.map(|search| ("search", search)));
    let (folder, api) = (folder.trim_matches('/'), Api::open(api).await?);
    let below = format!("{folder}/");
    let mut files = files(&api, &query).await?;
    files.retain(|file| folder.is_empty() || path(file).starts_with(&below));
    if output.json {
        show::json(&files)?;
    } else {
        files.iter().try_for_each(|file| show::line(&shown(file)))?;
    }
    Ok(Outcome::Success)
}

/// Every file that a query finds, page by page.
async fn files(api: &Api, query: &[(&str, &str)]) -> anyhow::Result<Vec<Value>> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let query: Vec<_> = query.iter().copied().chain([("after", after.as_str())]).collect();
        let mut page = api.get("/files", &query).await?;
        let Value::Array(found) = page["files"].take() else { bail!("the service answered with no `files`") };
        all.extend(found);
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => return Ok(all),
        }
    }
}

/// The file of a folder and name.
async fn find(api: &Api, wanted: &str) -> anyhow::Result<Value> {
    let wanted = wanted.trim_start_matches('/');
    let (folder, name) = wanted.rsplit_once('/').unwrap_or(("", wanted));
    let found = files(api, &[("limit", PAGE), ("folder", folder), ("search", name)]).await?;
    let found = found.into_iter().find(|file| file["name"] == name);
    found.with_context(|| format!("there is no file `{wanted}`"))
}

fn id(thing: &Value) -> &str {
    thing["id"].as_str().unwrap_or_default()
}

fn path(file: &Value) -> String {
    let text = |key: &str| file[key].as_str().unwrap_or_default();
    if text("folder").is_empty() { text("name").to_owned() } else { format!("{}/{}", text("folder"), text("name")) }
}

fn shown(file: &Value) -> String {
    let by = &file["written_by"];
    let by = match (by["pipeline"].as_str(), by["run_id"].as_str()) {
        (Some(pipeline), Some(run)) => format!("  by {pipeline}, run {run}"),
        _ => String::new(),
    };
    format!("{}  {} bytes{by}", path(file), file["size"])
}

fn bar(size: u64, at: u64) -> ProgressBar {
    let bar = ProgressBar::new(size).with_position(at);
    let style = "{bar:40} {bytes} of {total_bytes}  {bytes_per_sec}  {eta}";
    bar.set_style(ProgressStyle::with_template(style).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

/// The size of a file and its SHA-256 in hexadecimal digits.
fn sum(path: &Path) -> io::Result<(u64, String)> {
    let mut hash = Hash(Sha256::new());
    let size = io::copy(&mut File::open(path)?, &mut hash)?;
    Ok((size, hash.end()))
}

/// Hashes what is written to it.
struct Hash(Sha256);

impl Hash {
    fn end(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn upload(file: &Path, folder: &str, name: &str, wanted: &args::Api) -> anyhow::Result<Value> {
    let read = || format!("cannot read `{}`", file.display());
    let (size, sha256) = tokio::task::block_in_place(|| sum(file)).with_context(read)?;
    let mut content = File::open(file).with_context(read)?;
    let mut api = Api::open(wanted).await?;
    let wish = json!({ "name": name, "folder": folder, "size": size, "sha256": sha256 });
    let upload = api.post("/files", Some(wish)).await?;
    let call = format!("/files/uploads/{}", id(&upload));
    let mut offset = upload["offset"].as_u64().unwrap_or_default();
    if offset > 0 {
        show::note(&format!("goes on at {offset} of {size} bytes"));
    }
    let (bar, mut tries) = (bar(size, offset), 0);
    loop {
        let mut piece = Vec::new();
        content.seek(SeekFrom::Start(offset)).with_context(read)?;
        (&mut content).take(PIECE_BYTES.min(size - offset)).read_to_end(&mut piece).with_context(read)?;
        let sent = api.send(&format!("{call}?offset={offset}"), piece).await;
        let error = match sent {
            Ok(made) if made["file"].is_object() => {
                bar.finish_and_clear();
                return Ok(made["file"].clone());
            }
            Ok(made) => {
                (offset, tries) = (made["upload"]["offset"].as_u64().unwrap_or(offset), 0);
                bar.set_position(offset);
                continue;
            }
            Err(error) => error,
        };
        match status_of(&error) {
            // What was sent last became the file, and the answer was lost.
            Some(StatusCode::NOT_FOUND) => {
                let path = path(&json!({ "folder": folder.trim_matches('/'), "name": name }));
                let made = find(&api, &path).await.ok().filter(|made| made["sha256"] == sha256.as_str());
                return made.ok_or(error);
            }
            Some(StatusCode::UNAUTHORIZED) if tries == 0 => api = Api::open(wanted).await?,
            Some(StatusCode::CONFLICT | StatusCode::TOO_MANY_REQUESTS) | None => {}
            Some(status) if status.is_server_error() => {}
            _ => return Err(error),
        }
        tries += 1;
        if tries > TRIES_MAX {
            return Err(error.context(format!("gave up at {offset} of {size} bytes: the same command goes on there")));
        }
        tokio::time::sleep(PAUSE).await;
        if let Ok(upload) = api.get(&call, &[]).await {
            let now = upload["offset"].as_u64().unwrap_or(offset);
            tries = if now > offset { 0 } else { tries };
            offset = now;
        }
    }
}

async fn download(wanted: &str, to: Option<PathBuf>, api: &args::Api) -> anyhow::Result<Outcome> {
    let api = Api::open(api).await?;
    let file = find(&api, wanted).await?;
    let name = file["name"].as_str().unwrap_or_default();
    let to = to.unwrap_or_else(|| PathBuf::from(name));
    ensure!(!to.exists(), "`{}` is there already", to.display());
    let mut part = to.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let write = || format!("cannot write `{}`", part.display());
    let out = File::create(&part).with_context(write)?;
    let read = fetch(&api, &file, out).await;
    if read.is_err() {
        std::fs::remove_file(&part).with_context(write)?;
    }
    read?;
    std::fs::rename(&part, &to).with_context(write)?;
    show::line(&to.display().to_string())?;
    Ok(Outcome::Success)
}

/// Reads a file's content, and checks that it is that.
async fn fetch(api: &Api, file: &Value, mut out: File) -> anyhow::Result<()> {
    let size = file["size"].as_u64().context("the service names no size")?;
    let (bar, mut hash) = (bar(size, 0), Hash(Sha256::new()));
    let (mut offset, mut tries) = (0, 0);
    while offset < size {
        let before = offset;
        let failed = match api.content(&format!("/files/{}/content", id(file)), offset).await {
            Ok(mut content) => loop {
                match content.next().await {
                    Ok(Some(bytes)) => {
                        out.write_all(&bytes).context("cannot write what comes")?;
                        hash.0.update(&bytes);
                        offset += bytes.len() as u64;
                        bar.set_position(offset);
                    }
                    Ok(None) => break None,
                    Err(error) => break Some(error),
                }
            },
            Err(error) if status_of(&error).is_some_and(|status| status.is_client_error()) => return Err(error),
            Err(error) => Some(error),
        };
        tries = if offset > before { 0 } else { tries + 1 };
        match failed {
            Some(error) if tries > TRIES_MAX => return Err(error),
            Some(_) => tokio::time::sleep(PAUSE).await,
            None => ensure!(offset > before, "the service sends less than it announced"),
        }
    }
    out.sync_all().context("cannot write what comes")?;
    bar.finish_and_clear();
    // Of what a pipeline has written nobody has said what it is to be.
    let is_announced = file["sha256"].is_null() || file["sha256"] == hash.end().as_str();
    ensure!(is_announced, "what has come is not what was announced: download it again");
    Ok(())
}
