//! Who watches an organization: one task each, that hands on what happens as long as they may see it and take it.

use std::sync::Arc;

use actix_web::ResponseError;
use actix_web::http::StatusCode;
use flowetl_proto::run::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::time::{Instant, interval_at};

use super::gate::Ticket;
use super::problem::Problem;
use crate::accounts::Tenant;
use crate::news::{Happening, Watcher};
use crate::{Error, clock};

/// What waits to be written to one connection.
const LINES_MAX: usize = 64;

/// What is sent to whoever watches.
#[derive(Debug)]
pub(super) enum Line {
    /// The first is of the kind `hello`: from its number on everything is told.
    Happening(Arc<Happening>),
    /// A sign of life.
    Beat,
    /// Comes last. Whoever took things too slowly may not get it.
    Over(Over),
}

/// Why nothing more is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Over {
    /// The service ends, or another coordinator leads: ask again, there.
    Away,
    /// The token does not count any more.
    Unknown,
    /// The organization or the role there was lost.
    Forbidden,
    /// They did not take what was sent.
    Slow,
    /// They are so far behind that not all is kept.
    Forgotten,
    /// The fault is ours.
    Failed,
}

impl Over {
    /// The code that a WebSocket is closed with, and its reason.
    pub(super) fn code(self) -> (u16, &'static str) {
        match self {
            Self::Away => (1001, "the service ends here: connect again"),
            Self::Failed => (1011, "the coordinator could not do this; its log says why"),
            Self::Unknown => (4401, "the token does not count any more"),
            Self::Forbidden => (4403, "this is not allowed any more"),
            Self::Slow => (4408, "what is sent was not taken in time"),
            Self::Forgotten => (4410, "not all that happened since then is kept"),
        }
    }
}

/// Begins to hand on what happens in an organization after the number `after`, or else from now on; ends once nobody takes it.
pub(super) async fn begin(ticket: Ticket, tenant: Tenant, after: Option<i64>) -> Result<mpsc::Receiver<Line>, Problem> {
    let site = ticket.site.clone();
    let place = site.places.take(&tenant.organization.id, &ticket.caller).map_err(Problem::crowded)?;
    let handle = site.handle()?;
    let watcher = site.whole(async move { handle.watch(tenant.organization.id, after).await }).await??;
    let (lines, taken) = mpsc::channel(LINES_MAX);
    site.runtime.spawn(async move {
        let over = hand_on(&ticket, watcher, &lines).await;
        // Who is slow hears it by the end alone.
        let _ = lines.try_send(Line::Over(over));
        drop(place);
    });
    Ok(taken)
}

async fn hand_on(ticket: &Ticket, mut watcher: Watcher, lines: &mpsc::Sender<Line>) -> Over {
    let mut next = Line::Happening(Arc::new(hello(watcher.last())));
    let patience = ticket.site.patience;
    let mut asks = interval_at(Instant::now() + patience, patience);
    loop {
        if lines.send_timeout(next, patience).await.is_err() {
            return Over::Slow;
        }
        next = tokio::select! {
            () = ticket.site.stopping.cancelled() => return Over::Away,
            () = lines.closed() => return Over::Away,
            _ = asks.tick() => match ticket.ask(watcher.organization()).await {
                Ok(()) => Line::Beat,
                Err(problem) => return refused(&problem),
            },
            happening = watcher.next() => match happening {
                Ok(happening) => Line::Happening(happening),
                Err(Error::Deposed) => return Over::Away,
                Err(Error::Forgotten { .. }) => return Over::Forgotten,
                Err(error) => {
                    tracing::error!(error = %error.chain(), "what happens can not be told any more");
                    return Over::Failed;
                }
            },
        };
    }
}

fn refused(problem: &Problem) -> Over {
    match problem.status_code() {
        StatusCode::UNAUTHORIZED => Over::Unknown,
        StatusCode::FORBIDDEN | StatusCode::NOT_FOUND => Over::Forbidden,
        StatusCode::SERVICE_UNAVAILABLE => Over::Away,
        _ => Over::Failed,
    }
}

fn hello(number: i64) -> Happening {
    let (kind, at) = ("hello".to_owned(), Timestamp(clock::now()));
    Happening { number: Some(number), kind, subject: String::new(), detail: Value::Null, at }
}
