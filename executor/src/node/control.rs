//! The control thread: the node's actors live here, and no row ever does.

use std::thread;

use actix::System;
use tokio::sync::oneshot;

use crate::{Error, Result};

/// A thread with an actor system of its own. Dropping it ends the actors.
pub(super) struct ControlThread {
    system: System,
}

impl ControlThread {
    /// Starts the thread and, on it, whatever `first` starts.
    pub(super) async fn start<T: Send + 'static>(first: impl FnOnce() -> T + Send + 'static) -> Result<(Self, T)> {
        let (sender, receiver) = oneshot::channel();
        let body = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let runner = System::with_tokio_rt(|| runtime);
            let started = runner.block_on(async { first() });
            if sender.send(Ok((System::current(), started))).is_ok()
                && let Err(error) = runner.run()
            {
                tracing::error!(%error, "the control thread failed");
            }
        };
        let failed = |e: std::io::Error| Error::internal("cannot start the control thread").because(e);
        thread::Builder::new().name("flowetl-node".into()).spawn(body).map_err(failed)?;
        let gone = |_| Error::internal("the control thread ended at once");
        let (system, started) = receiver.await.map_err(gone)?.map_err(failed)?;
        Ok((Self { system }, started))
    }
}

impl Drop for ControlThread {
    fn drop(&mut self) {
        self.system.stop();
    }
}
