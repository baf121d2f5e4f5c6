//! The service that consoles and scripts speak: REST under `/api/v1`, described by OpenAPI, refused as problem+json.
//!
//! [`listen`] takes connections, [`headers`] stands around every answer, [`routes`] has every endpoint with what it needs,
//! [`gate`] asks for that; one file per resource holds the handlers, [`body`] reads and writes for them, [`problem`] makes
//! all errors.

mod alerts;
mod audit;
mod auth;
mod backups;
mod body;
mod catalogue;
mod connections;
mod console;
mod dashboard;
mod discovery;
mod docs;
mod download;
mod events;
mod executors;
mod files;
mod gate;
mod headers;
mod health;
mod keys;
mod lineage;
mod listen;
mod logs;
mod members;
mod oidc;
mod once;
mod openapi;
mod organizations;
mod page;
mod pipeline_looks;
mod pipelines;
mod places;
mod problem;
mod quarantine;
mod rates;
mod routes;
mod run_detail;
mod runs;
mod schedules;
mod stream;
#[cfg(test)]
mod tests;
mod transformations;
mod triggers;
mod upload;
mod vault;

use std::future::{Ready, ready};
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{HOST, ORIGIN};
use actix_web::{FromRequest, HttpRequest};
use flowetl_proto::trust::Certificate;
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::{OnceCell, Semaphore, watch};
use tokio_util::sync::CancellationToken;

pub use self::headers::{Origin, WrongOrigin};
use self::places::Places;
use self::problem::Problem;
use self::rates::Rates;
use crate::accounts::{Accounts, Doors};
use crate::fleet::Roster;
use crate::grpc::Seat;
use crate::oidc::{Oidc, OidcConfig};
use crate::{Handle, Result};

/// Settings of the service.
#[derive(Clone, Debug)]
pub struct HttpConfig {
    /// Encrypts what goes over its connections.
    pub certificate: Option<Certificate>,
    /// Where pages lie that may call it from browsers, beside its own.
    pub origins: Vec<Origin>,
    pub auth: Auth,
    /// Where people may sign in too.
    pub oidc: Option<OidcConfig>,
    /// Calls a second of each person, each API key, and each address from which nobody has signed in; ten times as many may
    /// come at once.
    pub rate: NonZeroU32,
    /// How often whoever listens for what happens gets a sign of life, and it is asked whether they still may; and how long they
    /// may take to take what is sent.
    pub patience: Duration,
}

/// More than a console and some scripts ask, far less than what keeps a machine busy.
pub const RATE: NonZeroU32 = NonZeroU32::MIN.saturating_add(99);

impl Default for HttpConfig {
    fn default() -> Self {
        Self {
            certificate: None,
            origins: Vec::new(),
            auth: Auth::On,
            oidc: None,
            rate: RATE,
            patience: Duration::from_secs(20),
        }
    }
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
    oidc: Option<Arc<Oidc>>,
    rates: Arc<Mutex<Rates>>,
    /// For whoever listens for what happens.
    places: Places,
    patience: Duration,
    /// For whoever uploads.
    pieces: Arc<Semaphore>,
    /// Tells them that the service ends.
    stopping: CancellationToken,
}

/// Uploads at once: each holds a piece of 8 MiB in memory.
const UPLOADS_MAX: usize = 16;

impl Site {
    /// The coordinator, where it is this process that leads.
    fn handle(&self) -> Result<Handle, Problem> {
        let leads = self.seat.borrow().leads();
        leads.map(|(handle, _)| handle).map_err(|leader| Problem::stands_by(leader.as_deref()))
    }

    /// The executors, where it is this process that leads.
    fn roster(&self) -> Result<Arc<dyn Roster>, Problem> {
        let leads = self.seat.borrow().leads();
        leads.map(|(_, roster)| roster).map_err(|leader| Problem::stands_by(leader.as_deref()))
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

    /// Whether a call is made by no page of a browser, or by one of this service or of an origin that may: browsers ask
    /// nobody before they open a WebSocket.
    fn is_own_page(&self, request: &HttpRequest) -> bool {
        let headers = request.headers();
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let host = origin.to_str().ok().and_then(|origin| Some(origin.split_once("://")?.1));
        let own = headers.get(HOST).and_then(|host| host.to_str().ok());
        (host.is_some() && host == own) || self.origins.iter().any(|allowed| allowed.is(origin))
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
    let oidc = config.oidc.map(Oidc::new).transpose()?.map(Arc::new);
    let site = Site {
        seat,
        origins: config.origins.into(),
        auth: config.auth,
        doors: Doors::new(),
        accounts: Arc::default(),
        runtime: runtime::Handle::current(),
        oidc,
        rates: Arc::new(Mutex::new(Rates::new(config.rate))),
        places: Places::default(),
        patience: config.patience,
        pieces: Arc::new(Semaphore::new(UPLOADS_MAX)),
        stopping: CancellationToken::new(),
    };
    listen::serve(listener, config.certificate.as_ref(), site, stop).await
}
