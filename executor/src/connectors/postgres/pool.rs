//! The sessions that this process has at a connection: at most `pool_size` of them, whoever opened it. Who is done leaves
//! its session to the next, and what nobody wants for a while is closed.
//!
//! A session needs a seat. Seats that are kept while rows flow are taken before they do: the snapshot's and the first
//! table's both at once, one for each further table, one for a sink. Once rows flow, more readers and writers take what is
//! free, and never wait: a reader that waited for a seat could keep the very one from being left that it waits for. So
//! the partitions of a scan read in turn where seats are few. Attempts that each keep some seats and want more have a
//! limit to wait, and are tried again.

use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until, timeout};

use super::settings::Settings;
use super::wire::{Client, Side};
use crate::{Error, Result};

/// How long a seat is waited for: longer than a look takes, and shorter than a person waits before wondering.
const SEAT_TIMEOUT: Duration = Duration::from_secs(30);
/// A session that nobody wants for so long is closed.
const IDLE_MAX: Duration = Duration::from_secs(60);
/// The pools that somebody uses, or that have idle sessions.
static POOLS: Mutex<Vec<Weak<Pool>>> = Mutex::new(Vec::new());

/// All sessions with the same settings, resolved secrets among them: whoever has another password has another pool.
#[derive(Debug)]
struct Pool {
    settings: Arc<Settings>,
    seats: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Mutex<Idle>,
}

#[derive(Debug, Default)]
struct Idle {
    /// With when they were left; the last one is the youngest.
    sessions: Vec<(Client, Instant)>,
    /// Whether somebody will come and close them.
    is_watched: bool,
}

impl Pool {
    fn of(settings: Settings) -> Arc<Self> {
        let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
        pools.retain(|pool| pool.strong_count() > 0);
        let known = pools.iter().filter_map(Weak::upgrade).find(|pool| *pool.settings == settings);
        known.unwrap_or_else(|| {
            let pool = Arc::new(Self {
                seats: Arc::new(Semaphore::new(settings.pool_size)),
                settings: Arc::new(settings),
                waiting: AtomicUsize::new(0),
                idle: Mutex::default(),
            });
            pools.push(Arc::downgrade(&pool));
            pool
        })
    }

    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An idle session that still works, or a new one. Whoever calls has a seat, so that no more are open than there are seats.
    async fn client(&self, side: Side, application: &str) -> Result<Client> {
        let idle = self.idle().sessions.pop();
        if let Some((mut client, _)) = idle {
            if client.renew(side, application).await.is_ok() {
                return Ok(client);
            }
            // What has ended one session has most likely ended all that were left.
            self.idle().sessions.clear();
        }
        Client::connect(&self.settings, side, application).await
    }

    fn leave(self: &Arc<Self>, client: Client) {
        let (Some(client), Ok(runtime)) = (client.into_rested(), Handle::try_current()) else { return };
        let mut idle = self.idle();
        idle.sessions.push((client, Instant::now()));
        if !std::mem::replace(&mut idle.is_watched, true) {
            runtime.spawn(Arc::clone(self).watch());
        }
    }

    /// Closes sessions that are idle for too long, until there are none.
    async fn watch(self: Arc<Self>) {
        while let Some(next) = self.close_idle(Instant::now()) {
            sleep_until(next).await;
        }
    }

    /// Closes sessions that at `now` are idle for too long; says when that is to be done again, if ever.
    fn close_idle(&self, now: Instant) -> Option<Instant> {
        let mut idle = self.idle();
        idle.sessions.retain(|(_, since)| now.duration_since(*since) < IDLE_MAX);
        let next = idle.sessions.first().map(|(_, oldest)| *oldest + IDLE_MAX);
        idle.is_watched = next.is_some();
        next
    }
}

/// One opened connection's way to its sessions.
#[derive(Debug)]
pub(super) struct Sessions {
    pool: Arc<Pool>,
    /// Seats that are kept here while rows flow.
    kept: AtomicUsize,
}

impl Sessions {
    pub(super) fn new(settings: Settings) -> Arc<Self> {
        Arc::new(Self { pool: Pool::of(settings), kept: AtomicUsize::new(0) })
    }

    pub(super) fn settings(&self) -> &Arc<Settings> {
        &self.pool.settings
    }

    /// A session for a moment, in which its user waits for nothing else.
    pub(super) async fn session(self: &Arc<Self>, side: Side, application: &str) -> Result<Session> {
        self.session_within(SEAT_TIMEOUT, side, application).await
    }

    pub(super) async fn session_within(
        self: &Arc<Self>,
        limit: Duration,
        side: Side,
        application: &str,
    ) -> Result<Session> {
        let permit = self.permits(1, limit, side).await?;
        Seat { sessions: Arc::clone(self), _permit: permit, is_kept: false }.session(side, application).await
    }

    /// Seats to keep while rows flow, all at once. What can never be had is refused without a wait.
    pub(super) async fn seats<const COUNT: usize>(self: &Arc<Self>, side: Side) -> Result<[Seat; COUNT]> {
        let (kept, size) = (self.kept.load(Ordering::Relaxed), self.settings().pool_size);
        if kept + COUNT > size {
            return Err(Error::user(format!(
                "connection `{}`: what is read and written at once needs {} sessions, and `pool_size` allows {size}: one \
                 keeps the state that is read, and each table and each target needs one",
                self.settings().connection,
                kept + COUNT
            )));
        }
        let mut permits = self.permits(COUNT, SEAT_TIMEOUT, side).await?;
        let mut seats = Vec::with_capacity(COUNT);
        while let Some(permit) = permits.split(1) {
            seats.push(self.keep(permit));
        }
        seats.try_into().map_err(|_| Error::internal("other seats than were asked for"))
    }

    /// As many seats as are free now, `most` of them at most.
    pub(super) fn free_seats(self: &Arc<Self>, most: usize) -> Vec<Seat> {
        let free = || Arc::clone(&self.pool.seats).try_acquire_owned().ok();
        std::iter::from_fn(free).take(most).map(|permit| self.keep(permit)).collect()
    }

    /// How many seats nobody has.
    pub(super) fn free(&self) -> usize {
        self.pool.seats.available_permits()
    }

    #[cfg(test)]
    pub(super) fn close_idle(&self, now: Instant) {
        self.pool.close_idle(now);
    }

    /// Whether somebody waits for a seat.
    pub(super) fn is_waited_for(&self) -> bool {
        self.pool.waiting.load(Ordering::Relaxed) > 0
    }

    fn keep(self: &Arc<Self>, permit: OwnedSemaphorePermit) -> Seat {
        self.kept.fetch_add(1, Ordering::Relaxed);
        Seat { sessions: Arc::clone(self), _permit: permit, is_kept: true }
    }

    async fn permits(&self, count: usize, limit: Duration, side: Side) -> Result<OwnedSemaphorePermit> {
        let number = u32::try_from(count).map_err(|e| Error::internal("too many sessions").because(e))?;
        let _waiting = Waiting::new(&self.pool.waiting);
        match timeout(limit, Arc::clone(&self.pool.seats).acquire_many_owned(number)).await {
            Ok(permits) => permits.map_err(|e| Error::internal("a pool was closed").because(e)),
            Err(_) => {
                let Settings { connection, pool_size, .. } = &**self.settings();
                let message = format!(
                    "connection `{connection}`: its {pool_size} sessions are in use, and after {limit:?} still none was free; \
                     `pool_size` allows more, and fewer runs at once need less"
                );
                Err(Error::new(side.transient(), message))
            }
        }
    }
}

/// Counts who waits, for as long as it lives.
struct Waiting<'c>(&'c AtomicUsize);

impl<'c> Waiting<'c> {
    fn new(count: &'c AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The right to one session.
#[derive(Debug)]
pub(super) struct Seat {
    sessions: Arc<Sessions>,
    /// Held, not used: dropping it leaves the seat.
    _permit: OwnedSemaphorePermit,
    is_kept: bool,
}

impl Seat {
    pub(super) async fn session(self, side: Side, application: &str) -> Result<Session> {
        let client = self.sessions.pool.client(side, application).await?;
        Ok(Session { client, seat: self })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_kept {
            self.sessions.kept.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// A session in use. Where it is dropped it is closed, as what failed should be; [`Self::leave`] keeps it for the next.
#[derive(Debug)]
pub(super) struct Session {
    client: Client,
    seat: Seat,
}

impl Session {
    /// Leaves it to whoever comes next, unless it is in a transaction or in the middle of something.
    pub(super) fn leave(self) {
        self.into_seat();
    }

    /// Leaves it and keeps the seat.
    pub(super) fn into_seat(self) -> Seat {
        self.seat.sessions.pool.leave(self.client);
        self.seat
    }
}

impl Deref for Session {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

impl DerefMut for Session {
    fn deref_mut(&mut self) -> &mut Client {
        &mut self.client
    }
}
