//! A segment's tasks on other executors, and the rows that travel between them.
//!
//! ```text
//!   the executor that leads                         another executor
//!     plan ── stage ── task ──Host: plan──────────► task ──► plan of its own meters
//!      ▲                 ▲ counters once a second ◄──┘ ▲
//!      │                 └ the stream ends: so does the task
//!      └── DoGet(ticket of a partition) ◄── rows ──────┘
//! ```
//!
//! [`host`] keeps the tasks that are done here, [`task`] does one of them, [`hosting`] takes it from the executor that
//! leads ([`service`] is what that one calls), and [`flight`] gives its rows to whoever holds a ticket. [`peers`] is the other end: the executors of one attempt
//! as the engine asks them, by [`far`] over the network and by [`near`] in this process. A partition's last message says how
//! many rows there were ([`outgoing`] counts, [`incoming`] checks), so that no fault on the way passes for its end. What either
//! holds is a [`share`] of the run's memory.

#[cfg(feature = "bench")]
pub mod bench;
mod failure;
mod far;
mod flight;
mod framing;
mod guard;
mod host;
mod hosting;
mod incoming;
mod near;
mod outgoing;
mod peers;
mod service;
mod share;
mod task;
#[cfg(test)]
mod tests;
mod texts;

use std::time::Duration;

use flowetl_proto::control::AttemptId;
use flowetl_proto::id::BlockId;
use flowetl_proto::pipeline::{ConnectionSpec, Unsealed};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tonic::codegen::http::HeaderValue;

pub(crate) use self::flight::RowService;
pub(crate) use self::host::Host;
pub(crate) use self::peers::Peers;
pub(crate) use self::service::TaskService;
use crate::destination::Destination;
use crate::plan::{Needs, Thrift};

/// Where Arrow Flight's `DoGet` is called.
const DO_GET: &str = "/arrow.flight.protocol.FlightService/DoGet";
/// What calls and answers of gRPC say that they are.
const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");

/// How long an executor that is there may take to take up a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(2);
/// How long it may take to say who it is, connection included.
const GREET_LIMIT: Duration = Duration::from_secs(3);
/// How long it may take to begin with an answer, however busy it is.
const OPEN_LIMIT: Duration = Duration::from_secs(10);
/// How long a task may be asked for rows before its plan is here, and a plan be on its way: they come from different
/// executors, in any order.
const PLAN_LIMIT: Duration = Duration::from_secs(30);
/// How long an executor may take to tell its last counters.
const GOODBYE_LIMIT: Duration = Duration::from_secs(5);
/// How often a task's counters are told.
const COUNT_INTERVAL: Duration = Duration::from_secs(1);
/// How often an open connection is asked whether its other end is still there, and how long that may take: together less
/// than a lease in etcd lasts, as it is between coordinator and executors.
const KEEPALIVE: Duration = Duration::from_secs(3);
const KEEPALIVE_LIMIT: Duration = Duration::from_secs(5);

/// Bytes of a plan in one message: any client of gRPC takes 4 MiB.
const PLAN_PIECE_BYTES: usize = 1 << 20;
/// Bytes of one plan: a scan of a hundred thousand files, with room to spare.
const PLAN_BYTES_MAX: u64 = 64 << 20;
/// Messages of a partition that are ready and not sent yet: whoever makes them and whoever sends them wake each other less
/// often than with one.
const MESSAGES_READY_MAX: usize = 2;
/// Bytes of all partitions on their way through one connection: as many as the protocol allows, for a partition that is not
/// read yet (the larger side of a join) must never hold up another. Each is limited by itself.
const CONNECTION_WINDOW: u32 = (1 << 31) - 1;
/// Streams of one connection: a partition each, of every stage between two executors of 64 cores in a few attempts.
pub(crate) const STREAMS_MAX: u32 = 1 << 16;
/// Streams that a caller may give up before they were looked at: all partitions of an attempt end together.
pub(crate) const RESETS_MAX: usize = 1 << 12;

/// What another executor must know to do a task: whose it is, how to sign in, what it reads and what it may use.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Errand {
    pub(crate) attempt: AttemptId,
    pub(crate) connections: IndexMap<String, ConnectionSpec>,
    /// What the connections name in a service's vault.
    pub(crate) secrets: Unsealed,
    /// What the task's plan names: it must be there before the plan is read.
    pub(crate) needs: Needs,
    /// Where the attempt's rows go, should the task write some.
    pub(crate) to: Destination,
    /// What those rows look like, as [`crate::schema::schema_to_json`] says it.
    pub(crate) rows: Value,
    /// Bytes, as [`flowetl_proto::control::AttemptSpec::memory`].
    pub(crate) memory: Option<u64>,
    /// Streams of a stage on each executor: those of the leader.
    pub(crate) parallelism: usize,
    pub(crate) thrift: Thrift,
    /// Whom the task works for above its own markers; unknown before it is cut.
    pub(crate) owner: Option<BlockId>,
}
