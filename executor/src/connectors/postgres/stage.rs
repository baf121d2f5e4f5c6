//! The private place of an attempt's rows: its names, its tables, and the writers that fill them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use flowetl_proto::control::{AttemptId, Part};
use flowetl_proto::id::BlockId;
use serde_json::Value;
use tokio::sync::Mutex;

use super::encode::{Encoder, Rows};
use super::quote::{identifier, qualified};
use super::types::Writing;
use super::wire::Client;
use crate::connectors::SinkWriter;
use crate::{Error, Result};

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

/// Writes one partition by one COPY.
pub(super) struct CopyWriter {
    client: Client,
    /// Where the connection goes back to when the target itself was written: its transaction goes on until the commit.
    back: Option<Arc<Mutex<Option<Client>>>>,
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
        mut client: Client,
        table: &str,
        incoming: &[Incoming],
        uri: String,
        order_of: Option<usize>,
        back: Option<Arc<Mutex<Option<Client>>>>,
    ) -> Result<Self> {
        let mut columns: Vec<String> = incoming.iter().map(|c| identifier(&c.name)).collect();
        if order_of.is_some() {
            columns.push(identifier(ORDER));
        }
        client.copy_in(&format!("copy {table} ({}) from stdin (format binary)", columns.join(", "))).await?;
        let names = incoming.iter().map(|c| c.name.clone()).collect();
        let encoder = Encoder::new(names, incoming.iter().map(|c| c.writing.codec.clone()).collect());
        let order = order_of.map(|partition| partition as i64 * ORDER_PER_WRITER);
        Ok(Self { client, back, encoder, uri, order, rows: 0, bytes: 0 })
    }

    async fn send(&mut self) -> Result<()> {
        let message = self.encoder.message();
        self.bytes += message.len() as u64;
        self.client.copy_send(message).await?;
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
            self.client.copy_send(message).await?;
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
        let taken = self.client.copy_finish().await?;
        if taken != self.rows {
            let message = format!("the server took {taken} of {} rows into {}", self.rows, self.uri);
            return Err(Error::new(flowetl_proto::code::Class::Truncated, message));
        }
        if let Some(back) = self.back {
            *back.lock().await = Some(self.client);
        }
        Ok(vec![Part { uri: self.uri, rows: self.rows, bytes: self.bytes, crc: 0, note: Value::Null }])
    }
}
