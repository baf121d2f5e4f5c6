//! Certificates: what a process shows, and whose signature it believes.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{RootCertStore, ServerConfig};
use tonic::transport::{Certificate as Pem, ClientTlsConfig, Identity, ServerTlsConfig};

/// The name that executors' certificates carry among theirs. Their addresses change with every start, and work goes to
/// whichever has room: that one belongs to the cluster is what counts.
pub const EXECUTOR_NAME: &str = "executor.flowetl";

/// How long the two ends of a new connection may take to know each other: a few messages and signatures.
pub const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);

/// Why a file of PEM text does not serve.
#[derive(Debug, thiserror::Error)]
pub enum Unfit {
    #[error("no certificate in PEM is there")]
    NoCertificate,
    #[error("a certificate there cannot be read")]
    Certificate(#[source] rustls::Error),
    #[error("no private key in PEM is there")]
    NoKey,
    #[error("the private key does not belong to the certificate")]
    Pair(#[source] rustls::Error),
}

/// Those whose signature makes a certificate believed.
#[derive(Clone)]
pub struct Authority(Pem);

/// A certificate and its private key: who this process is.
#[derive(Clone)]
pub struct Certificate {
    identity: Identity,
    pair: CertifiedKey,
}

/// Certificates on both sides: who has none that `authority` signed is not spoken with.
#[derive(Clone, Debug)]
pub struct Tls {
    pub authority: Authority,
    pub own: Certificate,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate")
    }
}

impl Authority {
    /// One certificate or more, as PEM text.
    pub fn new(pem: &[u8]) -> Result<Self, Unfit> {
        let mut store = RootCertStore::empty();
        for certificate in certificates(pem)? {
            store.add(certificate).map_err(Unfit::Certificate)?;
        }
        Ok(Self(Pem::from_pem(pem)))
    }

    /// For a client that shows no certificate of its own: who answers has one of these, for the name in its URL.
    pub fn client(&self) -> ClientTlsConfig {
        ClientTlsConfig::new().ca_certificate(self.0.clone()).timeout(HANDSHAKE_LIMIT)
    }
}

impl Certificate {
    /// The certificate, with those between it and its authority after it, and its private key, as PEM text.
    pub fn new(chain: &[u8], key: &[u8]) -> Result<Self, Unfit> {
        let certificates = certificates(chain)?;
        let private_key = PrivateKeyDer::from_pem_slice(key).map_err(|_| Unfit::NoKey)?;
        let pair = CertifiedKey::from_der(certificates, private_key, &default_provider()).map_err(Unfit::Pair)?;
        Ok(Self { identity: Identity::from_pem(chain, key), pair })
    }

    /// `tls` of a client that shows this one.
    pub(crate) fn shown(&self, tls: ClientTlsConfig) -> ClientTlsConfig {
        tls.identity(self.identity.clone())
    }

    /// For a server whose clients need none.
    pub fn server(&self) -> ServerTlsConfig {
        ServerTlsConfig::new().identity(self.identity.clone()).timeout(HANDSHAKE_LIMIT)
    }

    /// For a server of HTTP/1.1 whose clients need none.
    pub fn http_server(&self) -> Result<ServerConfig, rustls::Error> {
        let versions =
            ServerConfig::builder_with_provider(Arc::new(default_provider())).with_safe_default_protocol_versions()?;
        let own = Arc::new(SingleCertAndKey::from(self.pair.clone()));
        Ok(versions.with_no_client_auth().with_cert_resolver(own))
    }
}

impl Tls {
    /// For an executor's server.
    pub fn server(&self) -> ServerTlsConfig {
        self.own.server().client_ca_root(self.authority.0.clone())
    }

    /// For whoever calls an executor.
    pub(super) fn client(&self) -> ClientTlsConfig {
        self.own.shown(self.authority.client()).domain_name(EXECUTOR_NAME)
    }
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unfit> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(Unfit::NoCertificate)
}
