//! How long etcd may take, and what it is called when it takes longer.

use std::time::Duration;

use etcd_client::{Client, ConnectOptions};
use tokio::time::timeout;

/// How long etcd may take to answer: shorter than what is left of a lease after two renewals.
const CALL_LIMIT: Duration = Duration::from_secs(3);

/// A connection to any of these endpoints.
pub(crate) async fn connect(endpoints: &[String], options: ConnectOptions) -> Result<Client, String> {
    asked(Client::connect(endpoints, Some(options.with_connect_timeout(CALL_LIMIT)))).await
}

/// What etcd answered in time.
pub(crate) async fn asked<T>(call: impl Future<Output = Result<T, etcd_client::Error>>) -> Result<T, String> {
    match timeout(CALL_LIMIT, call).await {
        Ok(answer) => answer.map_err(|e| format!("etcd: {e}")),
        Err(_) => Err(format!("etcd did not answer within {} s", CALL_LIMIT.as_secs())),
    }
}
