//! The service that consoles and scripts speak: REST under `/api/v1`, described by OpenAPI, refused as problem+json.
//!
//! [`listen`] takes connections, [`headers`] stands around every answer, [`routes`] has every endpoint; one file per
//! resource holds the handlers, [`body`] reads and writes for them, [`problem`] makes all errors.

mod body;
mod docs;
mod headers;
mod health;
mod listen;
mod openapi;
mod problem;
mod routes;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use flowetl_proto::trust::Certificate;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use self::headers::{Origin, WrongOrigin};
use crate::Result;
use crate::grpc::Seat;

/// Settings of the service.
#[derive(Clone, Debug, Default)]
pub struct HttpConfig {
    /// Encrypts what goes over its connections.
    pub certificate: Option<Certificate>,
    /// Where pages lie that may call it from browsers, beside its own.
    pub origins: Vec<Origin>,
}

/// What every call is answered with. Cheap to clone.
#[derive(Clone)]
struct Site {
    seat: watch::Receiver<Seat>,
    origins: Arc<[Origin]>,
}

/// Serves as what `seat` says until `stop`, then lets calls under way end.
pub async fn serve(
    listener: TcpListener,
    seat: watch::Receiver<Seat>,
    config: HttpConfig,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let site = Site { seat, origins: config.origins.into() };
    listen::serve(listener, config.certificate.as_ref(), routes::router(site), stop).await
}
