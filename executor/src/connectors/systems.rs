//! The systems that one attempt has opened: each connection once, so that all its reads see one state.

use std::collections::HashMap;
use std::sync::Arc;

use flowetl_proto::pipeline::{ConnectionSpec, Secrets};
use indexmap::IndexMap;
use tokio::sync::Mutex;

use super::{OpenContext, System, for_scheme};
use crate::{Error, Result};

/// Opens connections by name, at the first use.
pub(crate) struct Systems {
    connections: IndexMap<String, ConnectionSpec>,
    secrets: Arc<dyn Secrets + Send + Sync>,
    context: OpenContext,
    open: Mutex<HashMap<String, Arc<dyn System>>>,
}

impl Systems {
    pub(crate) fn new(
        connections: IndexMap<String, ConnectionSpec>,
        secrets: Arc<dyn Secrets + Send + Sync>,
        context: OpenContext,
    ) -> Self {
        Self { connections, secrets, context, open: Mutex::default() }
    }

    /// What systems are told of their surroundings when they are opened.
    pub(crate) fn context(&self) -> &OpenContext {
        &self.context
    }

    /// The system behind `connection`; its secrets are resolved now and forgotten with it.
    pub(crate) async fn get(&self, connection: &str) -> Result<Arc<dyn System>> {
        let mut open = self.open.lock().await;
        if let Some(system) = open.get(connection) {
            return Ok(Arc::clone(system));
        }
        let spec = self
            .connections
            .get(connection)
            .ok_or_else(|| Error::internal(format!("connection `{connection}` is not in the attempt")))?;
        let connector = for_scheme(&spec.scheme).ok_or_else(|| {
            Error::user(format!("connection `{connection}`: there is no connector for `{}://`", spec.scheme))
        })?;
        let resolved = spec.resolve(connection, self.secrets.as_ref()).map_err(Error::from)?;
        let system = connector.open(resolved, self.context.clone()).await?;
        open.insert(connection.to_owned(), Arc::clone(&system));
        Ok(system)
    }
}
