//! A way to servers that only another machine reaches: a connection's bytes go through an `ssh` of its own, which signs in
//! there and connects onwards.
//!
//! The program is OpenSSH's, so that keys, algorithms and what servers ask for are what people know. One a connection is no
//! more than a connection costs anyway: it ends with it, also where this process is killed, and its cipher has a core to itself.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll, ready};

use flowetl_proto::pipeline::Secret;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Handle;
use tokio_util::task::AbortOnDropHandle;

use super::pem::Pem;
use crate::{Error, Result};

/// SSH's usual port.
const PORT: u16 = 22;
/// Seconds for the connection to the SSH server: less than a test of a connection takes, so that its words come through.
const CONNECT_SECONDS: u64 = 4;
/// A dead SSH server is noticed after three times so many seconds.
const ALIVE_SECONDS: u64 = 10;
/// Of what `ssh` says, so many lines of so many bytes are kept.
const LINES_MAX: usize = 4;
const LINE_BYTES_MAX: usize = 512;
/// How the data of an OpenSSH key begins that no passphrase encrypts: its mark, and the cipher `none`.
const PLAIN_KEY: &str = "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU";
/// What `ssh` says where another try does not help.
const SETTLED: [&str; 6] =
    ["Permission denied", "host key", "Host key", "administratively prohibited", "invalid format", "libcrypto"];

/// What it says also where all is well.
const ASIDES: [&str; 4] = ["Authenticated to ", "Transferred: ", "Bytes per second: ", "**"];

/// The keys of a connection that lead through an SSH server.
#[derive(JsonSchema)]
#[expect(dead_code, reason = "only its schema is used; values come from the connection")]
struct Keys {
    /// SSH server to go through: its name or address. `host` and `port` are then as that machine sees them.
    #[schemars(title = "SSH host")]
    ssh_host: Option<String>,
    /// 22 where it is left out.
    #[schemars(title = "SSH port", range(min = 1, max = 65535))]
    ssh_port: Option<u16>,
    /// Who signs in there.
    #[schemars(title = "SSH user")]
    ssh_user: Option<String>,
    /// Private key to sign in with, not encrypted: a file, or its text.
    #[schemars(title = "SSH key", extend("writeOnly" = true))]
    ssh_key: Option<String>,
    /// Public key of the SSH server, as its `ssh_host_ed25519_key.pub` or `ssh-keyscan` has it. Without it, a test of the
    /// connection tells the key's fingerprint.
    #[schemars(title = "SSH host key")]
    ssh_host_key: Option<String>,
}

/// The JSON Schema of a connector's keys, with those of a tunnel.
pub(super) fn with_keys(mut schema: Value) -> Value {
    let keys: Value = schemars::schema_for!(Keys).into();
    let own = keys["properties"].as_object().cloned().unwrap_or_default();
    if let Some(properties) = schema["properties"].as_object_mut() {
        properties.extend(own);
    }
    schema
}

/// An SSH server that leads to others, and how to sign in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Gateway {
    host: String,
    port: u16,
    user: String,
    key: Pem,
    /// `ssh-ed25519 AAAA...`, perhaps of several types.
    host_keys: Vec<String>,
}

impl Gateway {
    /// Takes what is its own out of a connection's options; `None` where nothing is.
    pub(super) fn take(connection: &str, options: &mut IndexMap<String, Secret>) -> Result<Option<Self>> {
        let wrong = |what: String| Error::user(format!("connection `{connection}`: {what}"));
        if options.contains_key("ssh_password") {
            return Err(wrong("there is no `ssh_password`: sign in to the SSH server by `ssh_key`".into()));
        }
        let mut own = |key: &str| options.shift_remove(key).filter(|value| !value.reveal().trim().is_empty());
        let (port, user, key) = (own("ssh_port"), own("ssh_user"), own("ssh_key"));
        let (host, host_key) = (own("ssh_host"), own("ssh_host_key"));
        let Some(host) = host else {
            let others = [(port.is_some(), "ssh_port"), (user.is_some(), "ssh_user"), (key.is_some(), "ssh_key")];
            let other = others.into_iter().chain([(host_key.is_some(), "ssh_host_key")]).find(|(is_said, _)| *is_said);
            return match other {
                Some((_, key)) => {
                    Err(wrong(format!("`{key}` says how to get through an SSH server, and `ssh_host` is missing")))
                }
                None => Ok(None),
            };
        };
        let missing = |key: &str| wrong(format!("`ssh_host` needs `{key}`"));
        let port = port.map(|port| port.reveal().trim().parse().ok().filter(|port| *port > 0)).unwrap_or(Some(PORT));
        let gateway = Self {
            host: host.reveal().trim().to_owned(),
            port: port.ok_or_else(|| wrong("`ssh_port` takes a number from 1 to 65535".into()))?,
            user: user.ok_or_else(|| missing("ssh_user"))?.reveal().trim().to_owned(),
            key: Pem::new(key.ok_or_else(|| missing("ssh_key"))?),
            host_keys: host_key.map(|key| host_keys(key.reveal())).unwrap_or_default(),
        };
        for (key, text) in [("ssh_host", &gateway.host), ("ssh_user", &gateway.user)] {
            // Whatever `ssh` would take for something else than a name.
            if text.starts_with('-') || text.contains(|c: char| c.is_whitespace() || "@/%\"'".contains(c)) {
                return Err(wrong(format!("`{key}` is a name alone, and `{text}` is none")));
            }
        }
        Ok(Some(gateway))
    }

    /// Begins to connect to `host` as the SSH server sees it. Whether that works shows where bytes are to come from there.
    pub(super) fn open(&self, host: &str, port: u16) -> io::Result<Tunnel> {
        let files = self.files()?;
        let mut child = self.command(files.path(), host, port).spawn().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                wrong("the program `ssh` is not there: install `openssh-client` where the executor runs".into())
            }
            _ => error,
        })?;
        let (Some(input), Some(output), Some(said)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("`ssh` was started without its pipes"));
        };
        let said = AbortOnDropHandle::new(Handle::current().spawn(listen(said)));
        Ok(Tunnel { input, output, said: Some(said), files: Some(files), gateway: self.clone(), _child: child })
    }

    /// The key and the known hosts, in a folder that nobody else may enter.
    fn files(&self) -> io::Result<TempDir> {
        let key = self.key.read().map_err(|why| wrong(format!("`ssh_key`: {why}")))?;
        let body: String = key.reveal().lines().filter(|line| !line.starts_with("-----")).collect();
        let is_openssh = key.reveal().contains("OPENSSH PRIVATE KEY");
        if key.reveal().contains("ENCRYPTED") || (is_openssh && !body.starts_with(PLAIN_KEY)) {
            let way = "a copy without one is made by `ssh-keygen -p`";
            return Err(wrong(format!("`ssh_key` has a passphrase, and nobody is here to be asked for it; {way}")));
        }
        let folder = tempfile::Builder::new()
            .prefix("flowetl-ssh-")
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .tempdir()?;
        write(&folder.path().join("key"), key.reveal())?;
        let known: String = self.host_keys.iter().map(|key| format!("* {key}\n")).collect();
        write(&folder.path().join("known"), &known)?;
        Ok(folder)
    }

    fn command(&self, files: &Path, host: &str, port: u16) -> Command {
        let mut command = Command::new("ssh");
        // Nothing of this machine's own settings counts, and nobody is asked. The first level of debugging tells the host key.
        command.args(["-F", "none", "-T", "-o", "BatchMode=yes", "-o", "LogLevel=DEBUG1"]);
        command.args(["-o", "StrictHostKeyChecking=yes", "-o", "GlobalKnownHostsFile=/dev/null"]);
        command.args(["-o", "CheckHostIP=no", "-o", "UpdateHostKeys=no"]);
        command.args(["-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"]);
        command.args(["-o", "PreferredAuthentications=publickey", "-o", "ControlMaster=no", "-o", "ControlPath=none"]);
        command.args(["-o", &format!("ConnectTimeout={CONNECT_SECONDS}")]);
        command.args(["-o", &format!("ServerAliveInterval={ALIVE_SECONDS}"), "-o", "ServerAliveCountMax=3"]);
        command.args(["-o", &format!("UserKnownHostsFile=\"{}\"", files.join("known").display())]);
        command.arg("-i").arg(files.join("key"));
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        command.args([
            "-p",
            &self.port.to_string(),
            "-l",
            &self.user,
            "-W",
            &format!("{host}:{port}"),
            "--",
            &self.host,
        ]);
        // Ctrl-C in a terminal is for this process, which ends in its own order.
        command.process_group(0).kill_on_drop(true);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// What `ssh` said when it ended, and what to do; `None` where it ended because the other end did.
    fn told(&self, words: &Words) -> Option<io::Error> {
        if words.lines.is_empty() {
            return None;
        }
        let said = words.lines.join("; ");
        let place = format!("`ssh` to `{}:{}`", self.host, self.port);
        let is_host_key = said.contains("host key") || said.contains("Host key");
        let message = match &words.host_key {
            Some(shown) if is_host_key && self.host_keys.is_empty() => format!(
                "{place}: the server shows the host key {shown}, and there is no `ssh_host_key` to know it by; if \
                 `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` (or another type) tells the same there, set \
                 `ssh_host_key` to what is in that file"
            ),
            Some(shown) if is_host_key => format!(
                "{place}: the server shows the host key {shown}, which is not that of `ssh_host_key`; either it has a new one, \
                 or somebody stands between"
            ),
            _ => format!("{place} said: {said}"),
        };
        let is_settled = SETTLED.iter().any(|settled| said.contains(settled));
        Some(if is_settled { wrong(message) } else { io::Error::other(message) })
    }
}

/// Settings that cannot work.
fn wrong(message: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

/// A file that only its owner may read.
fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())
}

/// The keys in lines such as `ssh-ed25519 AAAA... comment`, with or without a host before them.
fn host_keys(text: &str) -> Vec<String> {
    let key = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| ["ssh-", "ecdsa-", "sk-"].iter().any(|start| word.starts_with(start)))?;
        Some(format!("{} {}", words[at], words.get(at + 1)?))
    };
    text.lines().filter(|line| !line.trim_start().starts_with('#')).filter_map(key).collect()
}

/// What `ssh` said.
#[derive(Debug, Default)]
struct Words {
    /// The last lines that are for people.
    lines: Vec<String>,
    /// The type and fingerprint of the server's key.
    host_key: Option<String>,
}

impl Words {
    fn line(&mut self, line: &[u8]) {
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if let Some(debug) = line.strip_prefix("debug1: ") {
            if let Some(key) = debug.strip_prefix("Server host key: ") {
                self.host_key.get_or_insert_with(|| key.to_owned());
            }
        } else if line.chars().any(char::is_alphanumeric) && !ASIDES.iter().any(|aside| line.starts_with(aside)) {
            if self.lines.len() == LINES_MAX {
                self.lines.remove(0);
            }
            self.lines.push(line.to_owned());
        }
    }
}

/// Hears what `ssh` says to its end, for a pipe that nobody reads would stop it.
async fn listen(mut said: ChildStderr) -> Words {
    let (mut words, mut line, mut bytes) = (Words::default(), Vec::new(), [0; 1024]);
    while let Ok(read @ 1..) = said.read(&mut bytes).await {
        for &byte in &bytes[..read] {
            if byte == b'\n' {
                words.line(&line);
                line.clear();
            } else if line.len() < LINE_BYTES_MAX {
                line.push(byte);
            }
        }
    }
    words.line(&line);
    words
}

/// An open connection's bytes through an SSH server. Dropping it ends its `ssh`.
#[derive(Debug)]
pub(super) struct Tunnel {
    input: ChildStdin,
    output: ChildStdout,
    said: Option<AbortOnDropHandle<Words>>,
    /// Until the other end has answered, and `ssh` has read them.
    files: Option<TempDir>,
    gateway: Gateway,
    _child: Child,
}

impl Tunnel {
    /// Why `ssh` has ended, once that is known; `otherwise` where it has nothing to say.
    fn poll_end<T>(&mut self, cx: &mut Context<'_>, otherwise: io::Result<T>) -> Poll<io::Result<T>> {
        let Some(said) = &mut self.said else { return Poll::Ready(otherwise) };
        let words = ready!(Pin::new(said).poll(cx)).unwrap_or_default();
        self.said = None;
        self.files = None;
        Poll::Ready(match self.gateway.told(&words) {
            Some(error) => Err(error),
            None => otherwise,
        })
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(cx, buf))?;
        if buf.filled().len() == before && buf.remaining() > 0 {
            return self.poll_end(cx, Ok(()));
        }
        self.files = None;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.input).poll_write(cx, buf)) {
            Ok(written) => Poll::Ready(Ok(written)),
            Err(error) => self.poll_end(cx, Err(error)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}
