//! The election's key in etcd: made by one who leads, under a lease that ends with it.

use std::time::Duration;

use etcd_client::{Client, Compare, CompareOp, ConnectOptions, PutOptions, Txn, TxnOp};
use flowetl_proto::etcd::Etcd;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::tenure::known_until;
use super::{LEASE, LEASE_MARGIN, Leader, RENEW_EVERY, Tenure};
use crate::etcd::{asked, connect};
use crate::fleet::FleetConfig;

/// One process's part in the election. Cheap to clone.
#[derive(Clone)]
pub(super) struct Election {
    etcd: Etcd,
    client: Client,
    key: String,
    own: Leader,
}

/// What the election's key says.
pub(super) enum Key {
    Won(Won),
    Held(Leader),
}

/// The key is this process's.
pub(super) struct Won {
    /// At which the key was made: greater than that of any election before.
    pub(super) revision: i64,
    pub(super) lease: i64,
    /// How long the lease is known to last.
    pub(super) until: Instant,
}

impl Election {
    pub(super) async fn open(fleet: &FleetConfig, own: Leader) -> Result<Self, String> {
        let client = connect(&fleet.etcd, ConnectOptions::new()).await?;
        let key = format!("{}/leader", fleet.prefix);
        let mut election = Self { etcd: fleet.etcd.clone(), client, key, own };
        // The client connects when it is first used.
        election.leader().await?;
        Ok(election)
    }

    pub(super) fn is_own(&self, leader: &Leader) -> bool {
        *leader == self.own
    }

    /// Makes the key if it is not there.
    pub(super) async fn campaign(&mut self) -> Result<Key, String> {
        if let Some(leader) = self.leader().await? {
            return Ok(Key::Held(leader));
        }
        let asked_at = Instant::now();
        let seconds = i64::try_from(LEASE.as_secs()).map_err(|e| e.to_string())?;
        let lease = asked(self.client.lease_grant(seconds, None)).await?.id();
        let until = known_until(asked_at, LEASE, LEASE_MARGIN);
        let value = serde_json::to_string(&self.own).map_err(|e| e.to_string())?;
        let absent = Compare::create_revision(self.key.as_str(), CompareOp::Equal, 0);
        let put = TxnOp::put(self.key.as_str(), value, Some(PutOptions::new().with_lease(lease)));
        let done = asked(self.client.txn(Txn::new().when([absent]).and_then([put]))).await?;
        if done.succeeded() {
            let revision = done.header().map_or(0, |header| header.revision());
            return Ok(Key::Won(Won { revision, lease, until }));
        }
        self.resign(lease).await;
        self.leader().await?.map(Key::Held).ok_or_else(|| "the leader changes just now".to_owned())
    }

    /// Whether the key is still the one made at `revision`.
    pub(super) async fn holds(&self, revision: i64) -> Result<bool, String> {
        let found = asked(self.client.clone().get(self.key.as_str(), None)).await?;
        Ok(found.kvs().first().is_some_and(|pair| pair.create_revision() == revision))
    }

    /// Renews the lease for as long as it is there, and `tenure` with it. `Ok` where it has run out. `is_down` is reset once
    /// etcd answers.
    pub(super) async fn renew(&mut self, lease: i64, tenure: &Tenure, is_down: &mut bool) -> Result<(), String> {
        // A connection of its own: the one before may be what does not answer.
        self.client = connect(&self.etcd, ConnectOptions::new()).await?;
        let (mut keeper, mut renewals) = asked(self.client.lease_keep_alive(lease)).await?;
        let mut due = interval(RENEW_EVERY);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            due.tick().await;
            let asked_at = Instant::now();
            asked(keeper.keep_alive()).await?;
            let Some(renewal) = asked(renewals.message()).await? else {
                return Err("etcd has ended the stream".into());
            };
            let Some(ttl) = u64::try_from(renewal.ttl()).ok().filter(|ttl| *ttl > 0) else { return Ok(()) };
            tenure.extend(known_until(asked_at, Duration::from_secs(ttl), LEASE_MARGIN));
            if std::mem::take(is_down) {
                tracing::info!("etcd answers again, the lead is renewed");
            }
        }
    }

    /// Ends a lease, and what was made under it; else it runs out.
    pub(super) async fn resign(&mut self, lease: i64) {
        if let Err(reason) = asked(self.client.lease_revoke(lease)).await {
            tracing::warn!(%reason, "a lease could not be given back; it runs out by itself");
        }
    }

    async fn leader(&mut self) -> Result<Option<Leader>, String> {
        let found = asked(self.client.get(self.key.as_str(), None)).await?;
        let read = |pair: &etcd_client::KeyValue| {
            let read = serde_json::from_slice(pair.value());
            read.map_err(|e| format!("`{}` in etcd cannot be read: {e}", self.key))
        };
        found.kvs().first().map(read).transpose()
    }
}
