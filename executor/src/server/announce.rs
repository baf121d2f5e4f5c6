//! Keeps this process's announcement in etcd, under a lease that is kept alive; without etcd, work goes on and the
//! announcement is made as soon as it can be.

use std::time::Duration;

use etcd_client::{Client, ConnectOptions, PutOptions};
use flowetl_proto::announcement::{Announcement, key};
use flowetl_proto::etcd::Etcd;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// How long the announcement of a process that has died stays. A lost executor's work is to restart within 15 s.
const LEASE_SECONDS: i64 = 10;
/// How often the lease is renewed: twice may fail.
const RENEW_EVERY: Duration = Duration::from_secs(3);
/// How long etcd may take to answer: shorter than what is left of a lease after two renewals.
pub(super) const CALL_LIMIT: Duration = Duration::from_secs(3);
/// The pause before etcd is tried again.
const RETRY_PAUSE: Duration = Duration::from_secs(1);

/// Announces until `end`, then withdraws.
pub(super) async fn announce(
    etcd: Etcd,
    prefix: String,
    mut announcement: watch::Receiver<Announcement>,
    end: CancellationToken,
) {
    let mut is_down = false;
    loop {
        let mut has_begun = false;
        match Box::pin(session(&etcd, &prefix, &mut announcement, &end, &mut has_begun)).await {
            Ok(()) => return,
            Err(reason) if !is_down || has_begun => {
                tracing::warn!(%reason, "this executor is not announced, trying again");
            }
            Err(reason) => tracing::debug!(%reason, "this executor is still not announced"),
        }
        is_down = true;
        tokio::select! {
            () = sleep(RETRY_PAUSE) => {}
            () = end.cancelled() => return,
        }
    }
}

/// One lease, from its grant to its end. `has_begun` is set once the announcement is made.
async fn session(
    etcd: &Etcd,
    prefix: &str,
    announcement: &mut watch::Receiver<Announcement>,
    end: &CancellationToken,
    has_begun: &mut bool,
) -> Result<(), String> {
    let mut client = connect(etcd).await?;
    let lease = asked(client.lease_grant(LEASE_SECONDS, None)).await?.id();
    put(&mut client, prefix, announcement, lease).await?;
    *has_begun = true;
    let (mut keeper, mut renewals) = asked(client.lease_keep_alive(lease)).await?;
    let mut due = interval(RENEW_EVERY);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = due.tick() => {
                asked(keeper.keep_alive()).await?;
                let renewed = asked(renewals.message()).await?;
                if renewed.is_none_or(|renewal| renewal.ttl() <= 0) {
                    return Err("etcd has ended the lease".into());
                }
            }
            changed = announcement.changed() => match changed {
                Ok(()) => put(&mut client, prefix, announcement, lease).await?,
                Err(_) => return withdraw(&mut client, lease).await,
            },
            () = end.cancelled() => return withdraw(&mut client, lease).await,
        }
    }
}

async fn connect(etcd: &Etcd) -> Result<Client, String> {
    // What etcd gives for a password holds for minutes only.
    let mut options = ConnectOptions::new().with_connect_timeout(CALL_LIMIT).with_auto_token_refresh(true);
    if let Some(tls) = etcd.tls() {
        options = options.with_tls(tls);
    }
    if let Some((name, password)) = &etcd.user {
        options = options.with_user(name, password.reveal());
    }
    asked(Client::connect(&etcd.endpoints, Some(options))).await
}

async fn put(
    client: &mut Client,
    prefix: &str,
    announcement: &mut watch::Receiver<Announcement>,
    lease: i64,
) -> Result<(), String> {
    let (key, value) = {
        let announcement = announcement.borrow_and_update();
        (key(prefix, &announcement.id), serde_json::to_string(&*announcement).map_err(|e| e.to_string())?)
    };
    asked(client.put(key, value, Some(PutOptions::new().with_lease(lease)))).await.map(|_| ())
}

/// Ends the lease, and the announcement with it.
async fn withdraw(client: &mut Client, lease: i64) -> Result<(), String> {
    asked(client.lease_revoke(lease)).await.map(|_| ())
}

/// What etcd answered in time.
async fn asked<T>(call: impl Future<Output = Result<T, etcd_client::Error>>) -> Result<T, String> {
    match timeout(CALL_LIMIT, call).await {
        Ok(answer) => answer.map_err(|e| format!("etcd: {e}")),
        Err(_) => Err(format!("etcd did not answer within {} s", CALL_LIMIT.as_secs())),
    }
}
