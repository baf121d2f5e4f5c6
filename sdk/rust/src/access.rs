//! What a client shows to coordinators, and whom it believes to be one.

use std::net::IpAddr;

use flowetl_proto::trust::{Authority, HANDSHAKE_LIMIT};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::transport::{ClientTlsConfig, Endpoint};
use tonic::{Request, Status};

use crate::{Error, Result};

/// Nothing at first: certificates are those that this machine trusts, and no token is sent.
#[derive(Clone, Debug, Default)]
pub struct Access {
    authority: Option<Authority>,
    bearer: Bearer,
}

/// The token that every call carries.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        if let Some(value) = &self.0 {
            request.metadata_mut().insert("authorization", value.clone());
        }
        Ok(request)
    }
}

impl Access {
    /// Believes `https://` coordinators whose certificates these authorities signed, instead of those that this machine
    /// trusts: PEM text.
    pub fn tls_ca(mut self, pem: impl AsRef<[u8]>) -> Result<Self> {
        self.authority = Some(Authority::new(pem.as_ref()).map_err(Error::Authority)?);
        Ok(self)
    }

    /// Sends this token with every call: to `https://` coordinators, and to those of this machine.
    pub fn token(mut self, token: &str) -> Result<Self> {
        let token = token.trim();
        let is_word = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        let value = is_word.then(|| MetadataValue::try_from(format!("Bearer {token}")).ok()).flatten();
        let mut value = value.ok_or(Error::Token)?;
        // Neither shown by anything that shows requests, nor kept by what compresses headers.
        value.set_sensitive(true);
        self.bearer = Bearer(Some(value));
        Ok(self)
    }

    pub(crate) fn bearer(&self) -> Bearer {
        self.bearer.clone()
    }

    /// The way to the coordinator at `url`.
    pub(crate) fn endpoint(&self, url: &str) -> Result<Endpoint> {
        let address = || Error::Address(url.to_owned());
        let endpoint = Endpoint::from_shared(url.to_owned()).map_err(|_| address())?;
        if url.starts_with("https://") {
            let system = || ClientTlsConfig::new().with_native_roots().timeout(HANDSHAKE_LIMIT);
            let tls = self.authority.as_ref().map_or_else(system, Authority::client);
            return endpoint.tls_config(tls).map_err(|source| Error::Tls { url: url.to_owned(), source });
        }
        // Anything else would be sent in the clear all the same.
        if !url.starts_with("http://") {
            return Err(address());
        }
        if self.bearer.0.is_some() && !is_here(endpoint.uri().host().unwrap_or_default()) {
            return Err(Error::Clear(url.to_owned()));
        }
        Ok(endpoint)
    }
}

/// Whether a host is this machine, so that what is sent there stays in it.
fn is_here(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || address.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}
