//! One state of the database for all reads of an opened system.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use super::pool::{Seat, Session, Sessions};
use super::quote::literal;
use super::wire::Side;
use crate::{Error, Result};

/// How sessions that read call themselves.
const APPLICATION: &str = "flowetl";

/// Gives sessions that all see the database as it was when the first of them was asked for.
///
/// The leader's open transaction keeps that state alive; it runs nothing, and holds no lock on any table. Dropping the
/// last clone ends it. In another process the state is [joined](Self::join), and lasts as long as it does in the first.
#[derive(Debug)]
pub(super) struct Snapshots {
    sessions: Arc<Sessions>,
    /// `None` where another process leads.
    seats: Option<OnceCell<Seats>>,
    leader: OnceCell<Leader>,
}

/// Taken together: who had one and waited for the other could wait for somebody who does the same.
#[derive(Debug)]
struct Seats {
    leader: Mutex<Option<Seat>>,
    table: Mutex<Option<Seat>>,
}

#[derive(Debug)]
struct Leader {
    /// Held, not used: its transaction ends with it. `None` where another process holds it.
    _session: Option<Session>,
    snapshot: String,
}

impl Snapshots {
    pub(super) fn new(sessions: Arc<Sessions>) -> Arc<Self> {
        Arc::new(Self { sessions, seats: Some(OnceCell::new()), leader: OnceCell::new() })
    }

    /// The state that another process has exported.
    pub(super) fn join(sessions: Arc<Sessions>, snapshot: String) -> Arc<Self> {
        let leader = OnceCell::new_with(Some(Leader { _session: None, snapshot }));
        Arc::new(Self { sessions, seats: None, leader })
    }

    /// The pipeline's name for the database.
    pub(super) fn connection(&self) -> &str {
        &self.sessions.settings().connection
    }

    /// Makes sure that other processes can join.
    pub(super) async fn export(&self) -> Result<()> {
        self.leader().await.map(|_| ())
    }

    /// What other processes join; `None` before the first read.
    pub(super) fn exported(&self) -> Option<&str> {
        self.leader.get().map(|leader| leader.snapshot.as_str())
    }

    /// A session outside of any transaction, for the catalogue.
    pub(super) async fn plain(&self) -> Result<Session> {
        self.sessions.session(Side::Source, APPLICATION).await
    }

    /// The seat of a table that is to be read, for its first reader.
    pub(super) async fn seat(&self) -> Result<Seat> {
        let first = self.seats().await?.and_then(|seats| take(&seats.table));
        match first {
            Some(seat) => Ok(seat),
            None => self.sessions.seats(Side::Source).await.map(|[seat]| seat),
        }
    }

    /// A seat for one more reader of a table, where one is free.
    pub(super) fn free_seat(&self) -> Option<Seat> {
        self.sessions.free_seats(1).pop()
    }

    /// Whether a reader that is not the only one of its table should leave its seat to others.
    pub(super) fn is_waited_for(&self) -> bool {
        self.sessions.is_waited_for()
    }

    /// A session inside a read-only transaction on the snapshot.
    pub(super) async fn reader(&self, seat: Seat) -> Result<Session> {
        let leader = self.leader().await?;
        let mut session = seat.session(Side::Source, APPLICATION).await?;
        let begin = format!("{BEGIN}; set transaction snapshot {}", literal(&leader.snapshot));
        session.execute(&begin).await.map_err(|error| {
            let message = format!("connection `{}`: the snapshot of this run is gone", self.connection());
            Error::new(Side::Source.transient(), message).because(error)
        })?;
        Ok(session)
    }

    /// A session inside a read-only transaction on a state of its own.
    pub(super) async fn alone(&self) -> Result<Session> {
        let mut session = self.plain().await?;
        session.execute(BEGIN).await?;
        Ok(session)
    }

    /// Takes a reader back, and gives its seat. A session that cannot end its transaction is closed.
    pub(super) async fn release(&self, mut session: Session) -> Seat {
        if session.is_idle()
            && let Err(error) = session.execute("rollback").await
        {
            tracing::debug!(connection = self.connection(), %error, "a reader could not end its transaction");
        }
        session.into_seat()
    }

    async fn seats(&self) -> Result<Option<&Seats>> {
        let Some(seats) = &self.seats else { return Ok(None) };
        let taken = seats.get_or_try_init(|| async {
            let [leader, table] = self.sessions.seats(Side::Source).await?;
            Ok::<_, Error>(Seats { leader: Mutex::new(Some(leader)), table: Mutex::new(Some(table)) })
        });
        taken.await.map(Some)
    }

    async fn leader(&self) -> Result<&Leader> {
        self.leader.get_or_try_init(|| self.lead()).await
    }

    async fn lead(&self) -> Result<Leader> {
        let seat = match self.seats().await?.and_then(|seats| take(&seats.leader)) {
            Some(seat) => seat,
            // An earlier try has failed with it.
            None => self.sessions.seats(Side::Source).await.map(|[seat]| seat)?,
        };
        let mut session = seat.session(Side::Source, APPLICATION).await?;
        let rows = session.query(&format!("{BEGIN}; select pg_catalog.pg_export_snapshot()")).await?;
        let snapshot = rows.into_iter().flatten().flatten().next();
        let snapshot = snapshot.ok_or_else(|| Error::internal("the server exported no snapshot"))?;
        Ok(Leader { _session: Some(session), snapshot })
    }
}

fn take(seat: &Mutex<Option<Seat>>) -> Option<Seat> {
    seat.lock().unwrap_or_else(PoisonError::into_inner).take()
}

const BEGIN: &str = "begin isolation level repeatable read read only";
