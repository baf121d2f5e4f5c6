//! Who may call this executor: whoever shows a pass of the cluster, for what it asks. And how executors call each other.

#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use flowetl_proto::trust::{ClusterKey, Pass, Refused, Subject};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::Channel;
use tonic::{Code, Request, Status};

/// What stands in the passes of executors: they act for an attempt, whoever leads by now.
pub(crate) const NO_TERM: i64 = 0;

/// Stands before all services of a server, and lets through whoever has a valid pass; each call asks [`Self::permits`]
/// whether it is the right one. Without a key of the cluster everyone may call.
#[derive(Clone, Debug)]
pub(crate) struct Gate {
    key: Option<ClusterKey>,
}

impl Gate {
    pub(crate) fn new(key: Option<ClusterKey>) -> Self {
        Self { key }
    }

    /// Refuses a call whose pass, which the gate has opened, is for something else than `subject` in `term`.
    pub(crate) fn permits<T>(&self, request: &Request<T>, subject: &Subject, term: i64) -> Result<(), Status> {
        self.allows(shown(request), subject, term)
    }

    /// The same where the call itself is gone by now, and `pass` is what it had shown.
    pub(crate) fn allows(&self, pass: Option<&Pass>, subject: &Subject, term: i64) -> Result<(), Status> {
        if self.key.is_none() {
            return Ok(());
        }
        pass.ok_or(Refused::Missing).and_then(|pass| pass.permits(subject, term)).map_err(status)
    }
}

impl Interceptor for Gate {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.key {
            let pass = key.shown(&request, now()).map_err(status)?;
            request.extensions_mut().insert(pass);
        }
        Ok(request)
    }
}

/// The pass of a call that the gate has let through.
pub(crate) fn shown<T>(request: &Request<T>) -> Option<&Pass> {
    request.extensions().get()
}

/// Shows another executor a pass in each call, for what the call says it is about.
#[derive(Clone)]
pub(crate) struct Caller {
    key: Option<ClusterKey>,
}

/// A connection to another executor.
pub(crate) type Link = InterceptedService<Channel, Caller>;

impl Caller {
    pub(crate) fn new(key: Option<ClusterKey>) -> Self {
        Self { key }
    }
}

impl Interceptor for Caller {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(key) = &self.key {
            key.stamp_own(&mut request, NO_TERM, now());
        }
        Ok(request)
    }
}

fn status(refused: Refused) -> Status {
    tracing::info!(reason = %refused, "a call was refused");
    let code = if refused == Refused::Other { Code::PermissionDenied } else { Code::Unauthenticated };
    Status::new(code, refused.to_string())
}

/// Milliseconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
