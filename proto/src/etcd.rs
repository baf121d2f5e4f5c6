//! Where etcd is, how it is known, and what this process shows there.

use tonic::transport::ClientTlsConfig;

use crate::pipeline::Secret;
use crate::trust::{Authority, Certificate, HANDSHAKE_LIMIT};

/// Etcd as every process of a cluster reaches it.
#[derive(Clone, Debug, Default)]
pub struct Etcd {
    /// All `http://host:port`, or all `https://host:port`.
    pub endpoints: Vec<String>,
    /// Whose signature makes etcd's certificate believed; what this machine trusts where it is left out.
    pub authority: Option<Authority>,
    /// The certificate to show, where etcd asks its clients for one.
    pub own: Option<Certificate>,
    /// Name and password to sign in with.
    pub user: Option<(String, Secret)>,
}

impl Etcd {
    /// Etcd at endpoints that ask for nothing.
    pub fn at(endpoints: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { endpoints: endpoints.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// How connections are encrypted; `None` where they are not.
    pub fn tls(&self) -> Option<ClientTlsConfig> {
        if !self.endpoints.iter().any(|url| url.starts_with("https://")) {
            return None;
        }
        let system = || ClientTlsConfig::new().with_native_roots().timeout(HANDSHAKE_LIMIT);
        let tls = self.authority.as_ref().map_or_else(system, Authority::client);
        Some(match &self.own {
            Some(own) => own.shown(tls),
            None => tls,
        })
    }
}
