//! What lies behind connections: found by executors in the background, kept here so that it is searched in a moment.
//!
//! [`Discovery`] is how the outside asks, `look` is the job behind it, [`drift`] what has changed, [`model`] what is shown.

mod drift;
mod look;
mod model;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flowetl_proto::catalogue::Places;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::pipeline::Reference;
use tokio::sync::Semaphore;

use self::look::Job;
pub(crate) use self::model::{
    Found, Look, LookView, RowsView, SchemaItem, TableDetail, TableItem, TableQuery, kind_word, words_of,
};
use crate::accounts::{Caller, Change, Refusal, Tenant};
use crate::connections::{Connection, Connections};
use crate::store::Store;
use crate::{Result, clock};

/// Looks at once: each keeps a session of its system and a writer of the metadata database busy. Others wait.
const AT_ONCE: usize = 4;
/// Rows of a preview.
const ROWS_MAX: usize = 100;

/// The looks that are under way in this process.
pub(crate) struct Looks {
    /// By connection, with the tables found so far.
    running: Mutex<BTreeMap<String, Arc<AtomicU64>>>,
    places: Semaphore,
}

impl Default for Looks {
    fn default() -> Self {
        Self { running: Mutex::default(), places: Semaphore::new(AT_ONCE) }
    }
}

/// The right to look at a connection, which no other has.
pub(crate) struct Turn {
    looks: Arc<Looks>,
    connection: String,
    found: Arc<AtomicU64>,
}

impl Looks {
    /// `None` where somebody looks already.
    fn begin(self: &Arc<Self>, connection: &str) -> Option<Turn> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if running.contains_key(connection) {
            return None;
        }
        let found = Arc::<AtomicU64>::default();
        running.insert(connection.to_owned(), Arc::clone(&found));
        Some(Turn { looks: Arc::clone(self), connection: connection.to_owned(), found })
    }

    fn progress(&self, connection: &str) -> Option<u64> {
        let running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.get(connection).map(|found| found.load(Ordering::Relaxed))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.looks.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.connection);
    }
}

/// What lies behind the connections of all organizations. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Discovery {
    connections: Connections,
    looks: Arc<Looks>,
}

impl Discovery {
    pub(crate) fn new(connections: Connections, looks: &Arc<Looks>) -> Self {
        Self { connections, looks: Arc::clone(looks) }
    }

    fn store(&self) -> &Store {
        self.connections.store()
    }

    /// Begins to look at a connection, unless somebody looks already. What was found before counts until the end.
    pub(crate) async fn start(&self, caller: &Caller, tenant: &Tenant, id: &str) -> Result<LookView, Refusal> {
        let connection = self.connections.get(tenant, id).await?;
        let (spec, secrets) = self.connections.opened_spec(&connection).await?;
        let Some(turn) = self.looks.begin(id) else { return self.view(id).await };
        let mut directory = self.store().change_directory().await?;
        directory.look_started(id, clock::now()).await?;
        let change = Change {
            organization: Some(&tenant.organization.id),
            action: "discovery.started",
            subject: id,
            before: None,
            after: None,
        };
        directory.audit(&caller.entry(change)).await?;
        directory.commit().await?;
        let job = Job { store: self.store().clone(), roster: self.connections.roster(), connection, turn };
        tokio::spawn(job.run(spec, secrets));
        self.view(id).await
    }

    /// How it stands with looking at a connection.
    pub(crate) async fn status(&self, tenant: &Tenant, id: &str) -> Result<LookView, Refusal> {
        self.connections.get(tenant, id).await?;
        self.view(id).await
    }

    async fn view(&self, id: &str) -> Result<LookView, Refusal> {
        // Before what is kept: a look that ends in between is shown as under way.
        let progress = self.looks.progress(id);
        let look = self.store().directory().await?.look(id).await?;
        Ok(LookView::new(id, look, progress))
    }

    /// What was found behind a connection.
    async fn found(&self, tenant: &Tenant, id: &str) -> Result<(Connection, Found), Refusal> {
        let connection = self.connections.get(tenant, id).await?;
        let look = self.store().directory().await?.look(id).await?;
        let nothing =
            || Refusal::Conflict("nobody has looked yet at what lies behind this connection: discover it".into());
        let found = look.and_then(|look| look.found).ok_or_else(nothing)?;
        Ok((connection, found))
    }

    pub(crate) async fn schemas(&self, tenant: &Tenant, id: &str) -> Result<(Found, Vec<SchemaItem>), Refusal> {
        let (_, found) = self.found(tenant, id).await?;
        let schemas = self.store().directory().await?.found_schemas(id, &found.look).await?;
        Ok((found, schemas))
    }

    pub(crate) async fn tables(
        &self,
        tenant: &Tenant,
        id: &str,
        query: &TableQuery,
    ) -> Result<(Found, Vec<TableItem>), Refusal> {
        let (_, found) = self.found(tenant, id).await?;
        let tables = self.store().directory().await?.found_tables(id, &found.look, query).await?;
        Ok((found, tables))
    }

    pub(crate) async fn table(
        &self,
        tenant: &Tenant,
        id: &str,
        (schema, name): (&str, &str),
    ) -> Result<TableDetail, Refusal> {
        let (connection, found) = self.found(tenant, id).await?;
        let table = self.store().directory().await?.found_table(id, &found.look, (schema, name)).await?;
        let table = table.ok_or_else(|| Refusal::NotFound(format!("there is no table `{name}` in `{schema}`")))?;
        let reference = self.reference(&connection, schema, name)?.to_string();
        Ok(TableDetail::new(table, reference, found.at))
    }

    /// The first rows of a table, read by an executor; whether anybody has looked at it before does not matter.
    pub(crate) async fn rows(
        &self,
        tenant: &Tenant,
        id: &str,
        (schema, name): (&str, &str),
        count: Option<usize>,
    ) -> Result<RowsView, Refusal> {
        let connection = self.connections.get(tenant, id).await?;
        let from = self.reference(&connection, schema, name)?;
        let (spec, secrets) = self.connections.opened_spec(&connection).await?;
        let count = count.unwrap_or(ROWS_MAX).min(ROWS_MAX);
        let sampled = self.connections.roster().sample(&spec, &from, count, &secrets).await;
        Ok(sampled.map_err(refusal)?.into())
    }

    /// How a pipeline names a table of a connection.
    fn reference(&self, connection: &Connection, schema: &str, name: &str) -> Result<Reference, Refusal> {
        let catalogue = self.connections.catalogue()?;
        let places = catalogue.connector_for_scheme(&connection.kind).map(|connector| connector.places);
        let connection = connection.name.clone();
        Ok(match places {
            Some(Places::Paths) => {
                let path = if schema == "/" { name.to_owned() } else { format!("{schema}/{name}") };
                Reference::Path { connection, path, format: None }
            }
            _ => Reference::Table { connection, schema: Some(schema.to_owned()), table: name.to_owned() },
        })
    }
}

/// Why an executor did not see what it was to look at, in its words.
pub(crate) fn refusal(failure: Failure) -> Refusal {
    match failure.class {
        Class::LostExecutor => Refusal::NoExecutor,
        Class::User => Refusal::wrong("table", failure.message),
        Class::SourceTransient => Refusal::Unavailable(failure.message),
        _ => Refusal::Conflict(failure.message),
    }
}
