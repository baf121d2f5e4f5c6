//! Who is announced in etcd. While etcd does not answer everything stays as it is: nobody is taken for dead.

use std::sync::Arc;
use std::time::Duration;

use etcd_client::{Client, ConnectOptions, EventType, GetOptions, KeyValue, WatchOptions};
use flowetl_proto::announcement::{Announcement, folder};
use flowetl_proto::id::ExecutorId;
use tokio::time::sleep;

use super::{Desk, FleetConfig};
use crate::etcd::{asked, connect};

/// How often an open watch is asked whether etcd is still there, and how long that may take. Etcd closes the connections of
/// who asks more often than every 5 s.
const KEEPALIVE: Duration = Duration::from_secs(10);
const KEEPALIVE_LIMIT: Duration = Duration::from_secs(5);
/// The pause before etcd is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// All announcements of one moment.
pub(super) struct Listed {
    client: Client,
    pub(super) announced: Vec<Announcement>,
    revision: i64,
}

/// Who is announced now.
pub(super) async fn list(config: &FleetConfig) -> Result<Listed, String> {
    let options = ConnectOptions::new().with_keep_alive(KEEPALIVE, KEEPALIVE_LIMIT).with_keep_alive_while_idle(true);
    let mut client = connect(&config.etcd, options).await?;
    let all = asked(client.get(folder(&config.prefix), Some(GetOptions::new().with_prefix()))).await?;
    let revision = all.header().map_or(0, |header| header.revision());
    Ok(Listed { client, announced: all.kvs().iter().filter_map(announcement).collect(), revision })
}

/// Tells the fleet of every change since `listed`, for as long as the fleet is there.
pub(super) async fn watch(desk: Arc<Desk>, config: FleetConfig, listed: Listed) {
    let watching = Box::pin(async {
        let mut listed = Some(listed);
        let mut is_down = false;
        loop {
            let now = match listed.take() {
                Some(first) => Ok(first),
                None => Box::pin(list(&config)).await,
            };
            let ended = match now {
                Ok(now) => {
                    if std::mem::take(&mut is_down) {
                        tracing::info!("etcd answers again");
                    }
                    desk.listed(&now.announced).await;
                    Box::pin(follow(&desk, &config, now)).await
                }
                Err(reason) => Err(reason),
            };
            if let Err(reason) = ended
                && !std::mem::replace(&mut is_down, true)
            {
                tracing::warn!(%reason, "executors cannot be watched: those that are known keep working");
            }
            sleep(RETRY_PAUSE).await;
        }
    });
    let _: Option<()> = desk.end.clone().run_until_cancelled(watching).await;
}

/// Passes on changes until the watch ends.
async fn follow(desk: &Arc<Desk>, config: &FleetConfig, listed: Listed) -> Result<(), String> {
    let Listed { mut client, revision, .. } = listed;
    let options = WatchOptions::new().with_prefix().with_start_revision(revision + 1);
    let mut changes = asked(client.watch(folder(&config.prefix), Some(options))).await?;
    while let Some(change) = changes.message().await.map_err(|e| format!("etcd: {e}"))? {
        if change.canceled() {
            // Most likely the revision was compacted away: list again.
            return Err(format!("etcd has ended the watch: {}", change.cancel_reason()));
        }
        for event in change.events() {
            match (event.event_type(), event.kv()) {
                (EventType::Put, Some(pair)) => {
                    if let Some(announcement) = announcement(pair) {
                        desk.announced(announcement).await;
                    }
                }
                (EventType::Delete, Some(pair)) => {
                    let key = String::from_utf8_lossy(pair.key());
                    if let Some(id) = key.strip_prefix(&folder(&config.prefix)) {
                        desk.withdrawn(ExecutorId::new(id)).await;
                    }
                }
                (_, None) => {}
            }
        }
    }
    Err("etcd has ended the watch".into())
}

fn announcement(pair: &KeyValue) -> Option<Announcement> {
    let read = serde_json::from_slice(pair.value());
    read.inspect_err(|error| {
        tracing::warn!(key = %String::from_utf8_lossy(pair.key()), %error, "an announcement cannot be read");
    })
    .ok()
}
