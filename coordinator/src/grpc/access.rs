//! Who may ask this coordinator: its certificate on every connection, and a token in every call.

use std::sync::Arc;

use flowetl_proto::trust::Certificate;
use tokio::sync::watch;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use super::tokens::{Known, Tokens};

/// What a coordinator shows its callers and demands of them; nothing of both where whoever reaches it may ask.
#[derive(Debug, Default)]
pub struct Access {
    /// Encrypts what goes over its connections.
    pub certificate: Option<Certificate>,
    /// Those that calls are taken with.
    pub tokens: Option<Tokens>,
}

/// Stands before all services of a server, and lets through whoever has a token.
#[derive(Clone)]
pub(super) struct Gate {
    known: Option<watch::Receiver<Arc<Known>>>,
}

impl Gate {
    pub(super) fn new(tokens: Option<&Tokens>) -> Self {
        Self { known: tokens.map(Tokens::known) }
    }
}

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        let Some(known) = &self.known else { return Ok(request) };
        let refused = |reason: &str| {
            tracing::info!(reason, "a call was refused");
            Err(Status::unauthenticated(reason))
        };
        let Some(shown) = request.metadata().get("authorization") else {
            return refused("this coordinator answers calls with a token only, and none came with this one");
        };
        let token = shown.to_str().ok().and_then(|shown| shown.strip_prefix("Bearer "));
        match token.and_then(|token| known.borrow().holder(token).map(str::to_owned)) {
            Some(holder) => {
                tracing::debug!(holder, "a call was let through");
                Ok(request)
            }
            None => refused("the token that came with this call is none of this coordinator's"),
        }
    }
}
