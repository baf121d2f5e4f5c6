//! How the processes of a cluster know each other: certificates of one authority for each connection, a pass for each call.

mod pass;
#[cfg(test)]
mod tests;
mod tls;

use tonic::transport::Endpoint;

pub use self::pass::{ClusterKey, KeyLength, Pass, Refused, Subject, about};
pub use self::tls::{Authority, Certificate, EXECUTOR_NAME, HANDSHAKE_LIMIT, Tls, Unfit};

/// What a process of a cluster shows to the others and demands of them; nothing where all who reach it are trusted.
#[derive(Clone, Debug, Default)]
pub struct Trust {
    /// Encrypts, and keeps out whoever has no certificate of the cluster's.
    pub tls: Option<Tls>,
    /// Seals a pass into each call of an executor.
    pub key: Option<ClusterKey>,
}

/// Why no connection to an executor is tried.
#[derive(Debug, thiserror::Error)]
pub enum NoWay {
    #[error("`{url}` does not begin with `{scheme}://`, as the executors' URLs of this cluster do")]
    Scheme { url: String, scheme: &'static str },
    #[error("`{url}` is no address")]
    Address {
        url: String,
        #[source]
        source: tonic::transport::Error,
    },
}

impl Trust {
    /// What the URLs of this process begin with.
    pub fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The way to the executor at `url`. With certificates it ends at an executor of this cluster or nowhere: never in the
    /// clear, whatever was announced.
    pub fn endpoint(&self, url: &str) -> Result<Endpoint, NoWay> {
        let scheme = self.scheme();
        if !url.strip_prefix(scheme).is_some_and(|rest| rest.starts_with("://")) {
            return Err(NoWay::Scheme { url: url.to_owned(), scheme });
        }
        let no_address = |source| NoWay::Address { url: url.to_owned(), source };
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(no_address)?;
        match &self.tls {
            Some(tls) => endpoint.tls_config(tls.client()).map_err(no_address),
            None => Ok(endpoint),
        }
    }
}
