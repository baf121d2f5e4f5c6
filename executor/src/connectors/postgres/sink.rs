//! A table as a sink: which way its rows go, the private place they wait in, and what must be true before they may be seen.

use std::sync::Arc;

use async_trait::async_trait;
use flowetl_proto::control::{AttemptId, Part, Position};
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{Reference, WriteMode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Mutex;

use super::catalog::{Relation, text};
use super::commit;
use super::pool::{Session, Sessions};
use super::quote::{identifier, list, literal};
use super::stage::{APPLICATION, Back, CopyWriter, Incoming, Names, ORDER, Seats};
use super::swap;
use super::target::{self, Target};
use super::wire::{Client, Side};
use crate::blocks::Made;
use crate::connectors::{Committed, InDatabaseRequest, OpenContext, Sink, SinkRequest, SinkWriter};
use crate::{Error, Result};

/// How rows become visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Way {
    /// The staging table takes the target's name and place.
    Swap,
    /// The target is emptied and filled from the staging table, because something hangs on it.
    Refill,
    /// Rows go from the staging table into the target.
    Insert,
    /// One COPY into the target itself, in the transaction that is committed.
    Direct,
    /// Rows with known keys change, others come in.
    Merge,
    /// No rows: the target is a view of a query from then on.
    View,
}

/// What `commit` must know, also in another process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Staged {
    pub way: Way,
    pub rows: u64,
    /// The target that the staging table was made after; null for a new one.
    pub target_oid: Option<u32>,
    /// Indexes of the staging table that get the target's names: theirs, the target's, whether a constraint owns it.
    pub indexes: Vec<StagedIndex>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct StagedIndex {
    pub staged: String,
    pub name: String,
    pub is_constraint: bool,
}

/// One load of one attempt.
#[derive(Debug)]
pub(super) struct Load {
    pub seats: Seats,
    pub attempt: AttemptId,
    pub block: BlockId,
    pub write: WriteMode,
    pub key: Vec<String>,
    pub target: Target,
    pub incoming: Vec<Incoming>,
    pub way: Way,
    pub names: Names,
    /// The select statement of an `in_database` block.
    pub query: Option<String>,
    parallelism: usize,
    /// Of the direct way: the session whose transaction holds the rows.
    held: Arc<Mutex<Option<Session>>>,
}

/// Checks the target and decides the way; changes nothing.
pub(super) async fn open(
    sessions: Arc<Sessions>,
    context: &OpenContext,
    request: SinkRequest,
) -> Result<Arc<dyn Sink>> {
    let (seats, mut session) = Seats::take(sessions).await?;
    let (schema, table) = place(request.to)?;
    let target = target::find(&mut session, schema, &table).await?;
    let incoming = target::incoming(&mut session, &target, &request.schema).await?;
    seats.leave(session);
    if incoming.is_empty() {
        return Err(Error::user(format!("there are no columns to write to `{}`", target.place())));
    }
    if let Some(missing) = request.key.iter().find(|k| !incoming.iter().any(|c| c.name == **k)) {
        let names: Vec<String> = incoming.iter().map(|c| c.name.clone()).collect();
        let hint = super::catalog::nearest(missing, &names);
        return Err(Error::user(format!("key column `{missing}` is not among the columns of the rows{hint}")));
    }
    let way = way(&request.write, &target, &incoming);
    let names = Names::new(&target.schema, &request.attempt, &request.block);
    Ok(Arc::new(Load {
        seats,
        attempt: request.attempt,
        block: request.block,
        write: request.write,
        key: request.key,
        target,
        incoming,
        way,
        names,
        query: None,
        parallelism: context.parallelism.max(1),
        held: Arc::default(),
    }))
}

/// A table or a view made by the database itself from a select statement. It replaces either: a view has no rows to lose, and
/// those of a table are replaced.
pub(super) async fn open_in_database(sessions: Arc<Sessions>, request: InDatabaseRequest) -> Result<Arc<dyn Sink>> {
    let (seats, mut session) = Seats::take(sessions).await?;
    let (schema, table) = place(request.to)?;
    let mut target = target::find_any(&mut session, schema, &table).await?;
    if target.relation.as_ref().is_some_and(Relation::is_view) {
        (target.relation, target.dependants) = (None, Vec::new());
    }
    // What stands before it counts for the place of an error.
    let query = request.sql.trim_end().trim_end_matches(';').to_owned();
    if session.describe(&query).await.map_err(|e| target::located(e, &query))?.is_none() {
        return Err(Error::user("the statement gives no rows; `in:` needs one select statement"));
    }
    seats.leave(session);
    let way = match request.made {
        Made::View => Way::View,
        Made::Table if target.dependants.is_empty() => Way::Swap,
        Made::Table => Way::Refill,
    };
    let names = Names::new(&target.schema, &request.attempt, &request.block);
    Ok(Arc::new(Load {
        seats,
        attempt: request.attempt,
        block: request.block,
        write: WriteMode::Replace,
        key: Vec::new(),
        target,
        incoming: Vec::new(),
        way,
        names,
        query: Some(query),
        parallelism: 0,
        held: Arc::default(),
    }))
}

fn place(to: Reference) -> Result<(Option<String>, String)> {
    match to {
        Reference::Table { schema, table, .. } => Ok((schema, table)),
        Reference::Query { .. } => Err(Error::user("a query cannot be written to; name a table")),
        Reference::Path { path, .. } => {
            Err(Error::user(format!("`{path}` is a path; a database has tables: `connection.schema.table`")))
        }
    }
}

fn way(write: &WriteMode, target: &Target, incoming: &[Incoming]) -> Way {
    // A COPY into the target locks it against changes of its columns, so that those go the other way.
    let needs_staging = incoming.iter().any(|c| c.is_new || c.writing.lands_as.is_some());
    match (write, &target.relation) {
        (WriteMode::Merge, _) => Way::Merge,
        (_, None) => Way::Swap,
        (WriteMode::Replace, Some(_)) if target.dependants.is_empty() => Way::Swap,
        (WriteMode::Replace, Some(_)) => Way::Refill,
        (WriteMode::Append, Some(_)) if needs_staging => Way::Insert,
        (WriteMode::Append, Some(_)) => Way::Direct,
    }
}

impl Load {
    pub(super) async fn session(&self) -> Result<Session> {
        self.seats.session(&self.names.session).await
    }

    pub(super) fn is_in_database(&self) -> bool {
        self.query.is_some()
    }

    fn lands(&self) -> bool {
        self.incoming.iter().any(|c| c.writing.lands_as.is_some())
    }

    /// The statements that make the staging tables.
    fn create(&self, version: u32) -> String {
        let definitions = |of: fn(&Incoming) -> String| self.incoming.iter().map(of).collect::<Vec<_>>().join(", ");
        let order = if self.way == Way::Merge { format!(", {} bigint", identifier(ORDER)) } else { String::new() };
        let staging = self.names.staging();
        let mut sql = match (&self.target.relation, self.way) {
            (Some(_), Way::Swap) => {
                let compression = if version >= 140_000 { " including compression" } else { "" };
                let mut sql = format!(
                    "create table {staging} (like {} including defaults including constraints including comments \
                     including storage including generated{compression})",
                    self.target.sql()
                );
                for column in self.incoming.iter().filter(|c| c.is_new) {
                    sql.push_str(&format!("; alter table {staging} add column {}", column.definition()));
                }
                sql
            }
            (None, Way::Swap) => format!("create table {staging} ({})", definitions(Incoming::definition)),
            // Unlogged tables are empty after a crash of the server: the count of their rows tells at commit.
            _ => format!("create unlogged table {staging} ({}{order})", definitions(Incoming::definition)),
        };
        if self.lands() {
            let landing = self.names.landing();
            let columns = definitions(Incoming::landing_definition);
            sql.push_str(&format!("; create unlogged table {landing} ({columns}{order})"));
        }
        sql
    }

    /// Casts what arrived as text, where all errors are still private.
    async fn land(&self, client: &mut Client, rows: u64) -> Result<()> {
        let mut names: Vec<String> = self.incoming.iter().map(|c| identifier(&c.name)).collect();
        let mut values: Vec<String> = self.incoming.iter().map(Incoming::landed).collect();
        if self.way == Way::Merge {
            names.push(identifier(ORDER));
            values.push(identifier(ORDER));
        }
        let (staging, landing) = (self.names.staging(), self.names.landing());
        let overriding = if self.way == Way::Swap { " overriding system value" } else { "" };
        let sql = format!(
            "insert into {staging} ({}){overriding} select {} from {landing}",
            names.join(", "),
            values.join(", ")
        );
        // Again after an earlier `prepare` that was not heard of: the staging table is filled, the landing table gone.
        let exists = format!("select pg_catalog.to_regclass({}) is null", literal(&landing));
        if text(client.query(&exists).await?.first().unwrap_or(&Vec::new()), 0)? == "t" {
            return Ok(());
        }
        client.execute("begin").await?;
        let taken = client.execute(&sql).await?;
        if taken != rows {
            return Err(Error::new(Side::Sink.transient(), format!("{landing} holds {taken} of {rows} rows")));
        }
        client.execute(&format!("drop table {landing}; commit")).await?;
        Ok(())
    }

    async fn refuse_null_keys(&self, client: &mut Client) -> Result<()> {
        let any_null = self.key.iter().map(|k| format!("{} is null", identifier(k))).collect::<Vec<_>>().join(" or ");
        let sql = format!("select count(*) from {} where {any_null}", self.names.staging());
        let rows = client.query(&sql).await?;
        let nulls = text(rows.first().unwrap_or(&Vec::new()), 0)?.to_owned();
        if nulls == "0" {
            return Ok(());
        }
        let key = self.key.join("`, `");
        Err(Error::user(format!("{nulls} rows have no value in the key `{key}`, so they cannot be merged")))
    }

    /// What is made of an `in_database` block's statement.
    pub(super) fn sort(&self) -> &'static str {
        if self.way == Way::View { "view" } else { "table" }
    }

    /// Runs an `in_database` block's statement and gives the number of its rows.
    async fn create_as(&self, client: &mut Client, query: &str) -> Result<u64> {
        let (staging, sort) = (self.names.staging(), self.sort());
        // Again, after an earlier `prepare` that was not heard of.
        client.execute(&format!("drop {sort} if exists {staging}")).await?;
        client.execute(&format!("create {sort} {staging} as {query}")).await
    }
}

#[async_trait]
impl Sink for Load {
    fn writers_max(&self) -> usize {
        match self.way {
            _ if self.query.is_some() => 0,
            Way::Direct => 1,
            _ => self.seats.writers(self.parallelism),
        }
    }

    fn is_shared(&self) -> bool {
        self.way != Way::Direct
    }

    async fn exists(&self) -> Result<bool> {
        Ok(self.target.relation.is_some())
    }

    async fn begin(&self) -> Result<()> {
        if self.query.is_some() {
            return Ok(());
        }
        let mut session = self.session().await?;
        if self.way == Way::Direct {
            commit::make_records(&mut session, self).await?;
            session.execute("begin").await?;
            *self.held.lock().await = Some(session);
            return Ok(());
        }
        let create = self.create(session.version());
        session.execute(&create).await?;
        self.seats.leave(session);
        Ok(())
    }

    async fn writer(&self, partition: usize) -> Result<Box<dyn SinkWriter>> {
        if self.query.is_some() {
            return Err(Error::internal("a writer for what the database makes by itself"));
        }
        if self.way == Way::Direct {
            let session = self.held.lock().await.take();
            let session = session.ok_or_else(|| Error::internal("a writer before `begin`"))?;
            let uri = self.target.place();
            let back = Back::Held(Arc::clone(&self.held));
            let writer = CopyWriter::start(session, &self.target.sql(), &self.incoming, uri, None, back).await?;
            return Ok(Box::new(writer));
        }
        let table = if self.lands() { self.names.landing() } else { self.names.staging() };
        let order_of = (self.way == Way::Merge).then_some(partition);
        let uri = format!("{}/{partition}", self.names.staging);
        let (session, back) = (self.session().await?, Back::Left(self.seats.clone()));
        Ok(Box::new(CopyWriter::start(session, &table, &self.incoming, uri, order_of, back).await?))
    }

    async fn prepare(&self, parts: &[Part]) -> Result<Value> {
        let mut rows = parts.iter().map(|p| p.rows).sum();
        let mut indexes = Vec::new();
        if self.way != Way::Direct {
            let mut session = self.session().await?;
            if let Some(query) = &self.query {
                rows = self.create_as(&mut session, query).await?;
            }
            if self.lands() {
                self.land(&mut session, rows).await?;
            }
            match (&self.target.relation, self.way) {
                (Some(relation), Way::Swap) => {
                    indexes = swap::build_like(&mut session, self, relation.oid).await?;
                }
                (_, Way::Merge) => self.refuse_null_keys(&mut session).await?,
                _ => {}
            }
            self.seats.leave(session);
        }
        let target_oid = self.target.relation.as_ref().map(|r| r.oid);
        let staged = Staged { way: self.way, rows, target_oid, indexes };
        serde_json::to_value(staged).map_err(|e| Error::internal("notes of a sink cannot be written").because(e))
    }

    async fn commit(&self, staged: &Value, positions: &[(BlockId, Position)]) -> Result<Committed> {
        let staged: Staged = serde_json::from_value(staged.clone())
            .map_err(|e| Error::internal("notes of a sink cannot be read").because(e))?;
        let held = self.held.lock().await.take();
        commit::publish(self, &staged, positions, held).await
    }

    async fn discard(&self) -> Result<()> {
        // Ends the transaction of the direct way, and with it its rows.
        self.held.lock().await.take();
        let mut session = self.seats.session(APPLICATION).await?;
        let others = format!(
            "select pg_catalog.pg_terminate_backend(pid) from pg_catalog.pg_stat_activity
            where application_name = {} and usename = current_user and datname = current_database()",
            literal(&self.names.session)
        );
        session.query(&others).await?;
        let drop = match self.way {
            Way::View => format!("drop view if exists {}", self.names.staging()),
            _ => format!("drop table if exists {}, {}", self.names.landing(), self.names.staging()),
        };
        session.execute(&drop).await?;
        self.seats.leave(session);
        Ok(())
    }

    fn describe(&self) -> String {
        let place = self.target.place();
        let exists = self.target.relation.is_some();
        let key = list(self.key.iter().map(String::as_str));
        let mut text = match (self.write, self.way) {
            (_, Way::View) => format!("make `{place}` a view of the query"),
            (WriteMode::Replace, _) if !exists => format!("replace `{place}`: creates the table"),
            (WriteMode::Append, _) if !exists => format!("append to `{place}`: creates the table"),
            (WriteMode::Merge, _) if !exists => format!("merge into `{place}` by {key}: creates the table"),
            (WriteMode::Replace, Way::Refill) => format!(
                "replace `{place}` by emptying and filling it in one transaction, because it would lose: {}",
                self.target.dependants.join(", ")
            ),
            (WriteMode::Replace, _) => format!("replace `{place}` by swapping a new table in"),
            (WriteMode::Append, Way::Direct) => format!("append to `{place}` by one COPY in one transaction"),
            (WriteMode::Append, _) => format!("append to `{place}`"),
            (WriteMode::Merge, _) => format!("merge into `{place}` by {key}"),
        };
        for column in self.incoming.iter().filter(|c| c.is_new && exists) {
            text.push_str(&format!("; adds column `{}` {}", column.name, column.sql));
        }
        text
    }
}
