//! Connections are tested on a timer: one that leads nowhere any more is known before a run needs it.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use tokio::sync::watch;

use super::{Connection, Connections};
use crate::grpc::{Seat, while_leading};
use crate::{Handle, Result, clock};

/// How often it is looked for connections whose time has come, where they are tested less often than that.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// Tests at once: each may wait 5 s for nothing, and executors have other work.
const AT_ONCE: usize = 4;
/// Connections that are looked at together.
const PAGE: i64 = 200;

/// Tests every connection that was not tested for so long, for as long as this process leads; never returns.
pub async fn check_connections(seat: watch::Receiver<Seat>, every: Duration) {
    let check = |handle: Handle, roster| async move {
        let before = clock::now() - i64::try_from(every.as_millis()).unwrap_or(i64::MAX);
        Connections::new(handle.vault(), roster).check(before).await
    };
    while_leading(seat, every.min(LOOK_EVERY), "connections are not checked", check).await;
}

impl Connections {
    /// Tests the connections of all organizations that were not tested since `before`. Those behind a locked vault wait.
    pub(super) async fn check(&self, before: i64) -> Result<()> {
        let mut after = String::new();
        loop {
            let page = self.store().directory().await?.untested_connections(before, &after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.id);
            stream::iter(page).for_each_concurrent(AT_ONCE, |connection| self.check_one(connection)).await;
        }
    }

    async fn check_one(&self, connection: Connection) {
        let is_locked = !connection.sealed.is_empty() && self.is_locked(&connection.organization).await.unwrap_or(true);
        if is_locked {
            return;
        }
        if let Err(refusal) = self.test_kept(&connection).await {
            tracing::debug!(connection = connection.id, %refusal, "a connection is not checked");
        }
    }
}
