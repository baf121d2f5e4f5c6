//! The private place of an attempt's rows: its names, its tables, its sessions, and the writers that fill them.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::array::RecordBatch;
use async_trait::async_trait;
use flowetl_proto::control::{AttemptId, Part};
use flowetl_proto::id::BlockId;
use serde_json::Value;
use tokio::sync::Mutex as AsyncMutex;

use super::encode::{Encoder, Rows};
use super::pool::{Seat, Session, Sessions};
use super::quote::{identifier, qualified};
use super::types::Writing;
use super::wire::Side;
use crate::connectors::SinkWriter;
use crate::{Error, Result};

/// How sessions that look at targets and tidy up call themselves.
pub(super) const APPLICATION: &str = "flowetl";
/// The staging column that says in which order rows arrived.
pub(super) const ORDER: &str = "_flowetl_order";
/// Bytes of a block's name that staging names keep: with everything else a name stays below PostgreSQL's 63 bytes.
const BLOCK_BYTES: usize = 12;
/// Rows that one writer may number before it would reach the numbers of the next.
const ORDER_PER_WRITER: i64 = 1 << 44;

/// What an attempt's tables and sessions are called: by its run, block and token, so that no two attempts ever share one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Names {
    pub schema: String,
    /// Rows in their final types.
    pub staging: String,
    /// Rows with some columns as text, which the server must cast.
    pub landing: String,
    /// The sessions' `application_name`.
    pub session: String,
}

impl Names {
    pub(super) fn new(schema: &str, attempt: &AttemptId, block: &BlockId) -> Self {
        let run = fnv64(&[&attempt.pipeline, attempt.run.as_str(), block.as_str()]);
        let mut short = block.as_str();
        while short.len() > BLOCK_BYTES {
            short = &short[..short.floor_char_boundary(short.len() - 1)];
        }
        let name = format!("_flowetl_{run:016x}_{short}_t{}", attempt.token);
        Self {
            schema: schema.to_owned(),
            landing: format!("{name}_l"),
            session: name.trim_start_matches('_').to_owned(),
            staging: name,
        }
    }

    pub(super) fn staging(&self) -> String {
        qualified(&self.schema, &self.staging)
    }

    pub(super) fn landing(&self) -> String {
        qualified(&self.schema, &self.landing)
    }

    /// A name for the `n`th index of the staging table.
    pub(super) fn index(&self, n: usize) -> String {
        format!("{}_{n}", self.staging)
    }
}

/// FNV-1a: the same for all time, unlike the standard library's hash.
fn fnv64(parts: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    // A byte that no text holds keeps ("a", "bc") apart from ("ab", "c").
    for byte in parts.iter().flat_map(|p| p.bytes().chain([0xff])) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

/// A column of the rows that come in, and how it reaches its column of the target.
#[derive(Clone, Debug)]
pub(super) struct Incoming {
    pub name: String,
    /// The target column's type.
    pub sql: String,
    pub writing: Writing,
    /// Whether the target lacks it.
    pub is_new: bool,
}

impl Incoming {
    /// `"a" int4`, as the staging table has it.
    pub(super) fn definition(&self) -> String {
        format!("{} {}", identifier(&self.name), self.sql)
    }

    /// `"a" text`, as the landing table has it.
    pub(super) fn landing_definition(&self) -> String {
        format!("{} {}", identifier(&self.name), self.writing.lands_as.unwrap_or(&self.sql))
    }

    /// From the landing table to the staging table.
    pub(super) fn landed(&self) -> String {
        match self.writing.lands_as {
            Some(_) => format!("{}::{}", identifier(&self.name), self.sql),
            None => identifier(&self.name),
        }
    }
}

/// The seats that a sink keeps from its opening on, so that its commit never waits for others. At first there is one.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    sessions: Arc<Sessions>,
    free: Arc<Mutex<Vec<Seat>>>,
    /// How many writers have a seat, once that is asked for.
    writers: Arc<OnceLock<usize>>,
}

impl Seats {
    /// Opens the first session, which is there to look at the target.
    pub(super) async fn take(sessions: Arc<Sessions>) -> Result<(Self, Session)> {
        let [seat] = sessions.seats(Side::Sink).await?;
        let session = seat.session(Side::Sink, APPLICATION).await?;
        Ok((Self { sessions, free: Arc::default(), writers: Arc::default() }, session))
    }

    /// Up to half of what is free, beside the first; readers want some too.
    pub(super) fn writers(&self, most: usize) -> usize {
        *self.writers.get_or_init(|| {
            let more = self.sessions.free_seats((most - 1).min(self.sessions.free() / 2));
            let writers = 1 + more.len();
            self.free().extend(more);
            writers
        })
    }

    /// A session on one of the seats. Writers that run in another process than the sink was planned in may be more than it
    /// has there; these wait.
    pub(super) async fn session(&self, application: &str) -> Result<Session> {
        let seat = self.free().pop();
        match seat {
            Some(seat) => seat.session(Side::Sink, application).await,
            None => self.sessions.session(Side::Sink, application).await,
        }
    }

    /// Takes a session back that is in no transaction.
    pub(super) fn leave(&self, session: Session) {
        let seat = session.into_seat();
        self.free().push(seat);
    }

    fn free(&self) -> MutexGuard<'_, Vec<Seat>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a writer's session goes when it has finished.
pub(super) enum Back {
    /// To the sink's seats.
    Left(Seats),
    /// To the commit, because the target itself was written and the transaction goes on until then.
    Held(Arc<AsyncMutex<Option<Session>>>),
}

/// Writes one partition by one COPY.
pub(super) struct CopyWriter {
    session: Session,
    back: Back,
    encoder: Encoder,
    uri: String,
    /// The number of the next row, where the staging table keeps the order.
    order: Option<i64>,
    rows: u64,
    bytes: u64,
}

impl CopyWriter {
    /// Starts a COPY into `table`; `uri` names the piece in messages and in the ledger.
    pub(super) async fn start(
        mut session: Session,
        table: &str,
        incoming: &[Incoming],
        uri: String,
        order_of: Option<usize>,
        back: Back,
    ) -> Result<Self> {
        let mut columns: Vec<String> = incoming.iter().map(|c| identifier(&c.name)).collect();
        if order_of.is_some() {
            columns.push(identifier(ORDER));
        }
        session.copy_in(&format!("copy {table} ({}) from stdin (format binary)", columns.join(", "))).await?;
        let names = incoming.iter().map(|c| c.name.clone()).collect();
        let encoder = Encoder::new(names, incoming.iter().map(|c| c.writing.codec.clone()).collect());
        let order = order_of.map(|partition| partition as i64 * ORDER_PER_WRITER);
        Ok(Self { session, back, encoder, uri, order, rows: 0, bytes: 0 })
    }

    async fn send(&mut self) -> Result<()> {
        let message = self.encoder.message();
        self.bytes += message.len() as u64;
        self.session.copy_send(message).await?;
        self.encoder.clear();
        Ok(())
    }
}

#[async_trait]
impl SinkWriter for CopyWriter {
    async fn write(&mut self, batch: RecordBatch) -> Result<()> {
        let columns = self.encoder.columns(&batch)?;
        let mut rows = Rows::new(&columns, &self.encoder, batch.num_rows())?;
        while self.encoder.add(&mut rows, self.order)? {
            let message = self.encoder.message();
            self.bytes += message.len() as u64;
            self.session.copy_send(message).await?;
            self.encoder.clear();
        }
        self.rows += batch.num_rows() as u64;
        if let Some(order) = &mut self.order {
            *order += batch.num_rows() as i64;
        }
        Ok(())
    }

    async fn finish(mut self: Box<Self>) -> Result<Vec<Part>> {
        self.encoder.end();
        self.send().await?;
        let taken = self.session.copy_finish().await?;
        if taken != self.rows {
            let message = format!("the server took {taken} of {} rows into {}", self.rows, self.uri);
            return Err(Error::new(flowetl_proto::code::Class::Truncated, message));
        }
        match self.back {
            Back::Left(seats) => seats.leave(self.session),
            Back::Held(held) => *held.lock().await = Some(self.session),
        }
        Ok(vec![Part { uri: self.uri, rows: self.rows, bytes: self.bytes, crc: 0, note: Value::Null }])
    }
}
