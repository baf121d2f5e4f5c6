//! How etcd is reached, how long it may take, and what it is called when it takes longer.

use std::time::Duration;

use etcd_client::{Client, ConnectOptions};
use flowetl_proto::etcd::Etcd;
use tokio::time::timeout;

/// How long etcd may take to answer: shorter than what is left of a lease after two renewals.
const CALL_LIMIT: Duration = Duration::from_secs(3);

/// A connection to any of its endpoints.
pub(crate) async fn connect(etcd: &Etcd, options: ConnectOptions) -> Result<Client, String> {
    // What etcd gives for a password holds for minutes only.
    let mut options = options.with_connect_timeout(CALL_LIMIT).with_auto_token_refresh(true);
    if let Some(tls) = etcd.tls() {
        options = options.with_tls(tls);
    }
    if let Some((name, password)) = &etcd.user {
        options = options.with_user(name, password.reveal());
    }
    asked(Client::connect(&etcd.endpoints, Some(options))).await
}

/// What etcd answered in time.
pub(crate) async fn asked<T>(call: impl Future<Output = Result<T, etcd_client::Error>>) -> Result<T, String> {
    match timeout(CALL_LIMIT, call).await {
        Ok(answer) => answer.map_err(|e| format!("etcd: {e}")),
        Err(_) => Err(format!("etcd did not answer within {} s", CALL_LIMIT.as_secs())),
    }
}
