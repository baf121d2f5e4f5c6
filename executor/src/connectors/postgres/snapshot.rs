//! One state of the database for all reads of an opened system.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::quote::literal;
use super::settings::Settings;
use super::wire::{Client, Side};
use crate::{Error, Result};

/// Idle connections kept for the next read: as many as usually read at once.
const IDLE_MAX: usize = 8;
/// How sessions that read call themselves.
const APPLICATION: &str = "flowetl";

/// Gives connections that all see the database as it was when the first of them was asked for.
///
/// The leader's open transaction keeps that state alive; it runs nothing, and holds no lock on any table. Dropping the
/// last clone ends it. In another process the state is [joined](Self::join), and lasts as long as it does in the first.
#[derive(Debug)]
pub(super) struct Snapshots {
    settings: Arc<Settings>,
    leader: OnceCell<Leader>,
    idle: Mutex<Vec<Client>>,
}

#[derive(Debug)]
struct Leader {
    /// Held, not used: its transaction ends with it. `None` where another process holds it.
    _client: Option<Client>,
    snapshot: String,
}

impl Snapshots {
    pub(super) fn new(settings: Arc<Settings>) -> Arc<Self> {
        Arc::new(Self { settings, leader: OnceCell::new(), idle: Mutex::default() })
    }

    /// The state that another process has exported.
    pub(super) fn join(settings: Arc<Settings>, snapshot: String) -> Arc<Self> {
        let leader = OnceCell::new_with(Some(Leader { _client: None, snapshot }));
        Arc::new(Self { settings, leader, idle: Mutex::default() })
    }

    /// The pipeline's name for the database.
    pub(super) fn connection(&self) -> &str {
        &self.settings.connection
    }

    /// Makes sure that other processes can join.
    pub(super) async fn export(&self) -> Result<()> {
        self.leader.get_or_try_init(|| self.lead()).await.map(|_| ())
    }

    /// What other processes join; `None` before the first read.
    pub(super) fn exported(&self) -> Option<&str> {
        self.leader.get().map(|leader| leader.snapshot.as_str())
    }

    /// A connection outside of any transaction, for the catalogue.
    pub(super) async fn plain(&self) -> Result<Client> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        match idle {
            Some(client) => Ok(client),
            None => Client::connect(&self.settings, Side::Source, APPLICATION).await,
        }
    }

    /// A connection inside a read-only transaction on the snapshot.
    pub(super) async fn reader(&self) -> Result<Client> {
        let leader = self.leader.get_or_try_init(|| self.lead()).await?;
        let mut client = self.plain().await?;
        let begin = format!("{BEGIN}; set transaction snapshot {}", literal(&leader.snapshot));
        client.execute(&begin).await.map_err(|error| {
            let message = format!("connection `{}`: the snapshot of this run is gone", self.settings.connection);
            Error::new(Side::Source.transient(), message).because(error)
        })?;
        Ok(client)
    }

    /// A connection inside a read-only transaction on a state of its own.
    pub(super) async fn alone(&self) -> Result<Client> {
        let mut client = self.plain().await?;
        client.execute(BEGIN).await?;
        Ok(client)
    }

    /// Takes a reader back for the next read. One that cannot end its transaction is dropped.
    pub(super) async fn release(&self, mut client: Client) {
        if !client.is_idle() || client.execute("rollback").await.is_err() {
            return;
        }
        self.keep(client);
    }

    /// Takes back a connection that is in no transaction.
    pub(super) fn keep(&self, client: Client) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if client.is_idle() && idle.len() < IDLE_MAX {
            idle.push(client);
        }
    }

    async fn lead(&self) -> Result<Leader> {
        let mut client = self.plain().await?;
        let rows = client.query(&format!("{BEGIN}; select pg_catalog.pg_export_snapshot()")).await?;
        let snapshot = rows.into_iter().flatten().flatten().next();
        let snapshot = snapshot.ok_or_else(|| Error::internal("the server exported no snapshot"))?;
        Ok(Leader { _client: Some(client), snapshot })
    }
}

const BEGIN: &str = "begin isolation level repeatable read read only";
