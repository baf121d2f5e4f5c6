//! The service that consoles and scripts speak: REST under `/api/v1`, described by OpenAPI, refused as problem+json.
//!
//! [`listen`] takes connections, [`headers`] stands around every answer, [`routes`] has every endpoint with what it needs,
//! [`gate`] asks for that; one file per resource holds the handlers, [`body`] reads and writes for them, [`problem`] makes
//! all errors.

mod audit;
mod auth;
mod body;
mod docs;
mod gate;
mod headers;
mod health;
mod keys;
mod listen;
mod members;
mod once;
mod openapi;
mod organizations;
mod pipelines;
mod problem;
mod routes;
mod runs;
mod schedules;
#[cfg(test)]
mod tests;

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use flowetl_proto::trust::Certificate;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{OnceCell, watch};

pub use self::headers::{Origin, WrongOrigin};
use self::problem::Problem;
use crate::accounts::{Accounts, Doors};
use crate::grpc::Seat;
use crate::{Handle, Result};

/// Settings of the service.
#[derive(Clone, Debug, Default)]
pub struct HttpConfig {
    /// Encrypts what goes over its connections.
    pub certificate: Option<Certificate>,
    /// Where pages lie that may call it from browsers, beside its own.
    pub origins: Vec<Origin>,
    pub auth: Auth,
}

/// Whether anybody has to sign in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Auth {
    #[default]
    On,
    /// Whoever reaches the service may do what an owner of the default organization may: for a try on one's own machine.
    Off,
}

/// What every call is answered with. Cheap to clone.
#[derive(Clone)]
struct Site {
    seat: watch::Receiver<Seat>,
    origins: Arc<[Origin]>,
    auth: Auth,
    doors: Doors,
    /// Those of the metadata database, once they were asked for.
    accounts: Arc<OnceCell<Accounts>>,
    /// Where everything is done that is more than reading a call and writing its answer.
    runtime: runtime::Handle,
}

impl Site {
    /// The coordinator, where it is this process that leads.
    fn handle(&self) -> Result<Handle, Problem> {
        let leads = self.seat.borrow().leads();
        leads.map(|(handle, _)| handle).map_err(|leader| Problem::stands_by(leader.as_deref()))
    }

    /// People and organizations, where it is this process that leads.
    async fn accounts(&self) -> Result<Accounts, Problem> {
        let handle = self.handle()?;
        let opened = self.accounts.get_or_try_init(|| Accounts::open(handle.store(), &self.doors)).await;
        Ok(opened?.clone())
    }

    /// Does on the process's own threads what must not end half way when its caller goes away: the call is dropped then, this
    /// is not.
    fn whole<W>(&self, work: W) -> impl Future<Output = Result<W::Output, Problem>> + use<W>
    where
        W: Future + Send + 'static,
        W::Output: Send + 'static,
    {
        let done = self.runtime.spawn(work);
        async { done.await.map_err(|e| Problem::internal(&e.to_string())) }
    }

    /// That of a call.
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        request.app_data::<Self>().cloned().ok_or_else(|| Problem::internal("a call came to no site"))
    }
}

impl FromRequest for Site {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// Serves as what `seat` says until `stop`, then lets calls under way end. Must be called on the runtime that everything else
/// of the coordinator is done on.
pub async fn serve(
    listener: TcpListener,
    seat: watch::Receiver<Seat>,
    config: HttpConfig,
    stop: impl Future<Output = ()> + Send,
) -> Result<()> {
    let site = Site {
        seat,
        origins: config.origins.into(),
        auth: config.auth,
        doors: Doors::new(),
        accounts: Arc::default(),
        runtime: runtime::Handle::current(),
    };
    listen::serve(listener, config.certificate.as_ref(), site, stop).await
}
