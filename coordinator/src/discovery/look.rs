//! The job of looking at one connection: tables come in pages, are kept, and count once all are there.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flowetl_proto::pipeline::{ConnectionSpec, Unsealed};
use flowetl_proto::run::Timestamp;
use flowetl_proto::tables::Table;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::drift::{Comparison, shape};
use super::{Found, Turn};
use crate::connections::Connection;
use crate::fleet::Roster;
use crate::store::{News, Store};
use crate::{Error, Result, clock};

/// Tables of one connection: more than anybody's database has, and some hundred megabytes to keep.
const TABLES_MAX: u64 = 100_000;
/// Pages that wait to be kept.
const WAITING_MAX: usize = 2;
/// After how many tables whoever watches is told again.
const TELL_EVERY: u64 = 2_000;
/// Tables that are kept in one transaction: it lets others write in between.
const WRITE_AT_ONCE: usize = 100;

pub(super) struct Job {
    pub store: Store,
    pub roster: Arc<dyn Roster>,
    pub connection: Connection,
    pub turn: Turn,
}

/// Why a look ended early.
enum Broken {
    /// In words for whoever asked.
    Said(String),
    Failed(Error),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl Job {
    pub(super) async fn run(self, spec: ConnectionSpec, secrets: Unsealed) {
        let Some(detail) = self.look(spec, secrets).await else { return };
        let news = self.news("discovery.ended", detail);
        let Self { store, connection, turn, .. } = self;
        // Whoever is told may begin the next at once.
        drop(turn);
        let told = async {
            let mut directory = store.change_directory().await?;
            directory.tell(&connection.organization, news);
            directory.commit().await
        };
        if let Err(error) = told.await {
            tracing::warn!(error = %error.chain(), "nobody is told of the end of a look at a connection");
        }
    }

    /// Looks, and keeps what came of it. Gives what is told of its end.
    async fn look(&self, spec: ConnectionSpec, secrets: Unsealed) -> Option<Value> {
        let _place = self.turn.looks.places.acquire().await.ok()?;
        let (pages, told) = mpsc::channel(WAITING_MAX);
        let look = clock::new_id();
        let asked = self.roster.discover(&self.connection.name, &spec, &secrets, pages);
        let (asked, kept) = tokio::join!(asked, self.keep(&look, told));
        let ended = match (kept, asked) {
            (Ok(_), Err(failure)) => self.fail(&failure.message).await,
            (Ok(found), Ok(())) => self.done(found).await,
            (Err(Broken::Said(message)), _) => self.fail(&message).await,
            (Err(Broken::Failed(error)), _) => {
                tracing::warn!(error = %error.chain(), "what lies behind a connection is not kept");
                self.fail("the metadata database did not take what was found").await
            }
        };
        let ended = ended.inspect_err(|error| {
            tracing::warn!(error = %error.chain(), "the end of a look at a connection is not kept");
        });
        ended.ok()
    }

    /// Keeps every page, and compares it with what was there.
    async fn keep(&self, look: &str, mut told: mpsc::Receiver<Vec<Table>>) -> Result<Found, Broken> {
        let id = &self.connection.id;
        let before = self.store.directory().await?.look(id).await?.and_then(|look| look.found);
        let mut comparison = match &before {
            Some(before) => {
                let shapes = self.store.directory().await?.shapes(id, &before.look).await?;
                Some(Comparison::new(shapes, before.at))
            }
            None => None,
        };
        let mut count = 0;
        while let Some(page) = told.recv().await {
            for tables in page.chunks(WRITE_AT_ONCE) {
                let tables: Vec<_> = tables.iter().map(|table| (table.clone(), shape(table))).collect();
                let told_at = count / TELL_EVERY;
                count += tables.len() as u64;
                if count > TABLES_MAX {
                    let message =
                        format!("there are more than {TABLES_MAX} tables: narrow what the connection may see");
                    return Err(Broken::Said(message));
                }
                let mut directory = self.store.change_directory().await?;
                directory.add_tables(id, look, &tables).await?;
                if let (Some(comparison), Some(before)) = (&mut comparison, &before) {
                    for (table, shape) in &tables {
                        if comparison.found(table, shape)
                            && let Some(was) =
                                directory.found_table(id, &before.look, (&table.schema, &table.name)).await?
                        {
                            comparison.changed(&was, table);
                        }
                    }
                }
                if count / TELL_EVERY > told_at {
                    directory.tell(
                        &self.connection.organization,
                        self.news("discovery.progress", json!({ "tables": count })),
                    );
                }
                directory.commit().await?;
                self.turn.found.store(count, Ordering::Relaxed);
            }
        }
        let drift = comparison.map(Comparison::end);
        let tables = i64::try_from(count).unwrap_or(i64::MAX);
        Ok(Found { look: look.to_owned(), at: Timestamp(clock::now()), tables, drift })
    }

    async fn done(&self, found: Found) -> Result<Value> {
        let id = &self.connection.id;
        let mut directory = self.store.change_directory().await?;
        directory.look_done(id, &found).await?;
        directory.keep_look(id, &found.look).await?;
        directory.commit().await?;
        let drift = found.drift.as_ref();
        Ok(json!({
            "success": true, "tables": found.tables,
            "tables_added": drift.map(|drift| drift.tables_added),
            "tables_removed": drift.map(|drift| drift.tables_removed),
            "tables_changed": drift.map(|drift| drift.tables_changed),
        }))
    }

    async fn fail(&self, message: &str) -> Result<Value> {
        let id = &self.connection.id;
        let mut directory = self.store.change_directory().await?;
        directory.look_failed(id, clock::now(), message).await?;
        let counts = directory.look(id).await?.and_then(|look| look.found).map(|found| found.look);
        directory.keep_look(id, counts.as_deref().unwrap_or_default()).await?;
        directory.commit().await?;
        Ok(json!({ "success": false, "message": message }))
    }

    fn news(&self, kind: &str, detail: Value) -> News {
        News { kind: kind.to_owned(), subject: self.connection.id.clone(), detail, at: clock::now() }
    }
}
