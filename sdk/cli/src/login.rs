//! `flowetl login` and `logout`, and what is kept of a sign-in: one file, which nobody else on this machine may read.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, ensure};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::Api;
use crate::{Outcome, args, show};

/// The password, where nobody is there to type it.
pub const PASSWORD: &str = "FLOWETL_PASSWORD";
/// An access token is not used any more when it has less than this to go: a call takes a moment to arrive.
const SPARE_SECONDS: u64 = 60;

/// Every sign-in, by the URL of its service.
#[derive(Default, Serialize, Deserialize)]
struct SignIns {
    /// The service signed in to last.
    newest: Option<String>,
    #[serde(default)]
    services: BTreeMap<String, SignIn>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SignIn {
    access_token: String,
    /// Seconds since 1970.
    expires_at: u64,
    refresh_token: String,
}

/// The file of sign-ins, held against other processes: a refresh token counts once.
struct Keep {
    path: PathBuf,
    _lock: File,
    held: SignIns,
}

/// `flowetl login`.
pub async fn login(login: args::Login) -> anyhow::Result<Outcome> {
    let url = login.api.server.clone().map_or_else(newest, Ok)?;
    let api = Api::nobody(&login.api, &url)?;
    let email = match login.email {
        Some(email) => email,
        None => asked("e-mail: ", false).context("give `--email`")?,
    };
    let password = password(PASSWORD, "password: ")?;
    let tokens = api.sign_in(&email, &password).await?;
    keep(&api, &tokens, &email)?;
    Ok(Outcome::Success)
}

/// Keeps a new sign-in.
pub fn keep(api: &Api, tokens: &Value, email: &str) -> anyhow::Result<()> {
    let mut keep = Keep::open()?;
    keep.held.services.insert(api.url().to_owned(), SignIn::of(tokens)?);
    keep.held.newest = Some(api.url().to_owned());
    keep.write()?;
    show::note(&format!("signed in to {} as {email}", api.url()));
    Ok(())
}

/// A password: of the environment's variable if it is there, or else typed.
pub fn password(variable: &str, question: &str) -> anyhow::Result<String> {
    match std::env::var(variable) {
        Ok(password) => Ok(password),
        Err(_) => asked(question, true).with_context(|| format!("give a password, or set `{variable}`")),
    }
}

/// `flowetl logout`.
pub async fn logout(wanted: args::Api) -> anyhow::Result<Outcome> {
    let api = Api::open(&wanted).await?;
    api.post("/auth/logout", None).await?;
    let mut keep = Keep::open()?;
    keep.held.services.remove(api.url());
    if keep.held.newest.as_deref() == Some(api.url()) {
        keep.held.newest = None;
    }
    keep.write()?;
    Ok(Outcome::Success)
}

/// The service signed in to last.
pub fn newest() -> anyhow::Result<String> {
    let newest = Keep::open()?.held.newest;
    newest.context(
        "name the service with `--server URL` (`FLOWETL_API`), or sign in to one: `flowetl login --server URL`",
    )
}

/// The access token for a service that was signed in to, a fresh one where need be.
pub async fn token(api: &Api) -> anyhow::Result<String> {
    let mut keep = Keep::open()?;
    let url = api.url();
    let known = keep.held.services.get(url).cloned();
    let known = known.with_context(|| {
        format!("sign in first: `flowetl login --server {url}`; or set `FLOWETL_API_KEY` to an API key of it")
    })?;
    if now() + SPARE_SECONDS < known.expires_at {
        return Ok(known.access_token);
    }
    let tokens = api.refresh(&known.refresh_token).await.context("sign in again: `flowetl login`")?;
    let fresh = SignIn::of(&tokens)?;
    let token = fresh.access_token.clone();
    keep.held.services.insert(url.to_owned(), fresh);
    keep.write()?;
    Ok(token)
}

impl SignIn {
    fn of(tokens: &Value) -> anyhow::Result<Self> {
        let text = |key: &str| tokens[key].as_str().map(str::to_owned).context("the service answered with no tokens");
        let seconds = tokens["expires_in"].as_u64().unwrap_or(0);
        Ok(Self {
            access_token: text("access_token")?,
            expires_at: now() + seconds,
            refresh_token: text("refresh_token")?,
        })
    }
}

impl Keep {
    fn open() -> anyhow::Result<Self> {
        let folder = folder()?;
        fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
        let lock_path = folder.join("login.lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&lock_path);
        let lock = lock.with_context(|| format!("cannot open `{}`", lock_path.display()))?;
        // Whoever has it holds it for one call of the service.
        lock.lock().with_context(|| format!("cannot lock `{}`", lock_path.display()))?;
        let path = folder.join("login.json");
        let held = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("`{}` is damaged", path.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => SignIns::default(),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        Ok(Self { path, _lock: lock, held })
    }

    /// All of it or nothing, and for this person alone.
    fn write(&self) -> anyhow::Result<()> {
        let aside = self.path.with_extension("new");
        let written = (|| {
            let mut file = OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&aside)?;
            file.write_all(serde_json::to_string_pretty(&self.held)?.as_bytes())?;
            file.sync_all()?;
            fs::rename(&aside, &self.path)
        })();
        written.with_context(|| format!("cannot write `{}`", self.path.display()))
    }
}

/// The person's folder for settings of this program.
fn folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = set("XDG_CONFIG_HOME").or_else(|| Some(set("HOME")?.join(".config")));
    Ok(folder.context("set `HOME`, or `XDG_CONFIG_HOME`: sign-ins are kept there")?.join("flowetl"))
}

/// A line that is typed, unseen where it `is_secret`.
fn asked(question: &str, is_secret: bool) -> anyhow::Result<String> {
    let is_terminal = io::stdin().is_terminal();
    if is_terminal {
        write!(io::stderr(), "{question}").and_then(|()| io::stderr().flush()).context("cannot ask")?;
    }
    let hides = is_secret && is_terminal && echo(false);
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    if hides {
        echo(true);
        show::note("");
    }
    read.context("cannot read what is typed")?;
    let line = line.trim_end_matches(['\r', '\n']).to_owned();
    ensure!(!line.is_empty(), "nothing was typed");
    Ok(line)
}

/// Lets the terminal show what is typed, or not. False where it cannot be told.
fn echo(is_on: bool) -> bool {
    let word = if is_on { "echo" } else { "-echo" };
    Command::new("stty").arg(word).status().is_ok_and(|status| status.success())
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
