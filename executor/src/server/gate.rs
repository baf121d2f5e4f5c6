//! Who may call this server: whoever shows a pass of the cluster, for what it asks.

#[cfg(test)]
mod tests;

use std::time::{SystemTime, UNIX_EPOCH};

use flowetl_proto::trust::{ClusterKey, Pass, Refused, Subject};
use tonic::service::Interceptor;
use tonic::{Code, Request, Status};

/// Stands before all services of a server, and lets through whoever has a valid pass; each call asks [`Self::permits`]
/// whether it is the right one. Without a key of the cluster everyone may call.
#[derive(Clone, Debug)]
pub(super) struct Gate {
    key: Option<ClusterKey>,
}

impl Gate {
    pub(super) fn new(key: Option<ClusterKey>) -> Self {
        Self { key }
    }

    /// Refuses a call whose pass, which the gate has opened, is for something else than `subject` in `term`.
    pub(super) fn permits<T>(&self, request: &Request<T>, subject: &Subject, term: i64) -> Result<(), Status> {
        if self.key.is_none() {
            return Ok(());
        }
        let pass = request.extensions().get::<Pass>().ok_or(Refused::Missing);
        pass.and_then(|pass| pass.permits(subject, term)).map_err(status)
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
