//! The surroundings of a local run: the data runtime, the home folder, the coordinator and this process's executor.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use flowetl_coordinator::vault::Keyring;
use flowetl_coordinator::{Config, Coordinator, Handle, Space, Warehouse};
use flowetl_executor::inspect::Here;
use flowetl_executor::storage::Storage;
use flowetl_executor::{Node, NodeConfig};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Connection, ConnectionSpec, Secrets};
use serde_json::Value;
use thread_priority::ThreadPriority;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc;

use crate::{allocator, files, mail, trust};

/// Events between executor and coordinator: progress of a few segments a second, and one end each.
const EVENTS_WAITING_MAX: usize = 256;

/// Where the metadata database is, which may hold its password.
pub const DATABASE_URL: &str = "FLOWETL_DATABASE_URL";

/// The process's environment, as the only place that reads secrets from it.
#[derive(Clone, Copy, Debug)]
pub struct Environment;

impl Secrets for Environment {
    fn env(&self, name: &str) -> Option<String> {
        // Whoever may run a pipeline is not to learn what lets others in.
        if trust::is_own(name) {
            return None;
        }
        std::env::var(name).ok()
    }

    fn file(&self, path: &str) -> io::Result<String> {
        let own = key_file().canonicalize();
        if own.is_ok_and(|own| Path::new(path).canonicalize().is_ok_and(|path| path == own)) {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        std::fs::read_to_string(path)
    }
}

/// How much rows count beside answers where cores are scarce, of 100: half of it is what other threads have. About 9 as `nice`
/// has it, with which a thread that answers gets some eight times as much.
const ROWS_PRIORITY: u8 = 25;

/// The runtime on which everything is done that is not said otherwise: one thread a core.
pub fn runtime() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().thread_name("flowetl").build().context("cannot start the runtime")
}

/// The runtime on which rows move in a process that answers others too: one thread a core, which stands behind those that
/// answer.
pub fn data_runtime() -> anyhow::Result<Runtime> {
    let behind = || {
        let is_behind = ThreadPriority::try_from(ROWS_PRIORITY).map(ThreadPriority::set_for_current);
        if !matches!(is_behind, Ok(Ok(()))) {
            tracing::debug!("threads that move rows are as important as those that answer: {is_behind:?}");
        }
    };
    let builder = &mut Builder::new_multi_thread();
    builder.enable_all().thread_name("flowetl-data").on_thread_start(behind).build().context("cannot start the runtime")
}

/// Streams that work at once.
pub fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(1, Into::into)
}

/// `FLOWETL_HOME`, or `.flowetl` in the working folder.
pub fn folder() -> PathBuf {
    std::env::var_os("FLOWETL_HOME").map_or_else(|| PathBuf::from(".flowetl"), PathBuf::from)
}

/// What the executor is told at its start. Makes the home folder.
pub fn node_config() -> anyhow::Result<NodeConfig> {
    let home = std::path::absolute(folder()).context("`FLOWETL_HOME` is not a path")?;
    let spill_folder = home.join("spill");
    std::fs::create_dir_all(&spill_folder).with_context(|| format!("cannot make `{}`", spill_folder.display()))?;
    Ok(NodeConfig {
        parallelism: parallelism(),
        storage: Storage::open(&storage(&home)?.1)?,
        spill_folder,
        secrets: Arc::new(Environment),
        stall_limit: NodeConfig::STALL_LIMIT,
        deadlock_limit: NodeConfig::DEADLOCK_LIMIT,
        share_bytes: NodeConfig::SHARE_BYTES,
        freed: Arc::default(),
    })
}

/// Where boundaries lie: `FLOWETL_STORAGE_URL`, or a folder at home.
fn storage(home: &Path) -> anyhow::Result<(ConnectionSpec, Connection)> {
    let url = match std::env::var("FLOWETL_STORAGE_URL") {
        Ok(url) => url,
        Err(_) => {
            let folder = home.join("storage");
            std::fs::create_dir_all(&folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
            format!("file://{}", folder.display())
        }
    };
    let mut spec = files::connection("storage", &url).context("setting `FLOWETL_STORAGE_URL`")?;
    if spec.scheme == "s3" {
        let settings = [
            ("endpoint", "FLOWETL_S3_ENDPOINT"),
            ("access_key", "AWS_ACCESS_KEY_ID"),
            ("secret_key", "AWS_SECRET_ACCESS_KEY"),
            ("region", "AWS_REGION"),
        ];
        for (option, variable) in settings {
            if !spec.options.contains_key(option) && std::env::var_os(variable).is_some() {
                spec.options.insert(option.to_owned(), format!("${{env:{variable}}}"));
            }
        }
    }
    let connection = spec.resolve("storage", &Environment).context("setting `FLOWETL_STORAGE_URL`")?;
    Ok((spec, connection))
}

/// The coordinator as `serving` says, and this process as its only executor: rows move on `data`.
pub async fn open(serving: Config, data: tokio::runtime::Handle) -> anyhow::Result<Handle> {
    let (events, reports) = mpsc::channel(EVENTS_WAITING_MAX);
    let config = node_config()?;
    tokio::spawn(allocator::give_back(Arc::clone(&config.freed)));
    let node = Node::start(config, data, events).await?;
    Coordinator::open(serving, Arc::new(node), reports).await.map_err(|e| anyhow::anyhow!(e.chain()))
}

/// This process, as it looks into the systems that it reaches.
pub fn inspector(data: tokio::runtime::Handle) -> anyhow::Result<Here> {
    Ok(Here::new(node_config()?, data))
}

/// Whether the metadata database lies in the home folder, which no other machine shares.
pub fn owns_database() -> bool {
    database_url().is_none()
}

/// What the coordinator is told at its start. Where no key is set, one lies at home; unless other coordinators share the
/// database, which have other homes.
pub fn coordinator_config() -> anyhow::Result<Config> {
    let keyring = match trust::keyring()? {
        Some(keyring) => keyring,
        None if owns_database() => Keyring::in_file(key_file()),
        None => Keyring::default(),
    };
    let runs_at_once = runs_at_once()?;
    Ok(Config { database_url: database_url(), keyring, mail: mail::mail()?, runs_at_once, ..Config::new(folder()) })
}

/// How many runs of all organizations go at once.
fn runs_at_once() -> anyhow::Result<Option<usize>> {
    let Ok(text) = std::env::var("FLOWETL_RUNS_AT_ONCE") else { return Ok(None) };
    match text.parse() {
        Ok(most) if most > 0 => Ok(Some(most)),
        _ => anyhow::bail!("`FLOWETL_RUNS_AT_ONCE` is `{text}`: it takes a number of runs, 1 or more"),
    }
}

/// The same for one whose executors keep boundaries elsewhere: it keeps files there, if it is told where that is.
pub fn distant_config() -> anyhow::Result<Config> {
    if std::env::var_os("FLOWETL_STORAGE_URL").is_some() { serving_config() } else { coordinator_config() }
}

/// The same for one that serves, which keeps files where executors keep boundaries.
pub fn serving_config() -> anyhow::Result<Config> {
    let home = std::path::absolute(folder()).context("`FLOWETL_HOME` is not a path")?;
    let (spec, connection) = storage(&home)?;
    let space = Space::open(spec, &connection).map_err(|e| anyhow::anyhow!("setting `FLOWETL_STORAGE_URL`: {e}"))?;
    Ok(Config { space: Some(space), ..coordinator_config()? })
}

/// The built-in warehouse, by its URL.
pub fn warehouse(url: Option<&str>) -> anyhow::Result<Option<Warehouse>> {
    // A file of settings may name it and leave it empty.
    let Some(url) = url.filter(|url| !url.is_empty()) else { return Ok(None) };
    let setting = "setting `--warehouse` (`FLOWETL_WAREHOUSE_URL`)";
    let spec = files::connection("warehouse", url).context(setting)?;
    let connection = spec.resolve("warehouse", &Environment).context(setting)?;
    Warehouse::open(connection).map(Some).map_err(|wrong| anyhow::anyhow!("{setting}: {wrong}"))
}

fn database_url() -> Option<String> {
    std::env::var(DATABASE_URL).ok()
}

/// Where the key of a local installation lies.
fn key_file() -> PathBuf {
    folder().join("vault.key")
}

/// What the extracts of a pipeline read last. Makes nothing.
pub async fn remembered(pipeline: &str) -> anyhow::Result<BTreeMap<BlockId, Value>> {
    let remembered = flowetl_coordinator::remembered(&coordinator_config()?, pipeline).await;
    remembered.map_err(|e| anyhow::anyhow!(e.chain()))
}
