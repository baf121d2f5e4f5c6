//! The control thread: actors live here, and nothing that computes or waits for a disk or a network.

use std::thread::{self, JoinHandle};

use actix::{ArbiterHandle, System};
use tokio::sync::oneshot;

use crate::{Error, Result};

/// A thread with an actor system of its own. Dropping it ends the actors.
pub(crate) struct ControlThread {
    system: System,
    thread: Option<JoinHandle<()>>,
}

impl ControlThread {
    pub(crate) async fn start() -> Result<Self> {
        let (sender, receiver) = oneshot::channel();
        let body = move || {
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(sender.send(Err(error))),
            };
            let runner = System::with_tokio_rt(|| runtime);
            if sender.send(Ok(System::current())).is_ok()
                && let Err(error) = runner.run()
            {
                tracing::error!(%error, "the control thread failed");
            }
        };
        let thread = thread::Builder::new().name("flowetl-control".into()).spawn(body).map_err(Error::Thread)?;
        let gone = |_| Error::Thread(std::io::Error::other("it ended at once"));
        let system = receiver.await.map_err(gone)?.map_err(Error::Thread)?;
        Ok(Self { system, thread: Some(thread) })
    }

    pub(crate) fn arbiter(&self) -> &ArbiterHandle {
        self.system.arbiter()
    }

    /// Ends the actors and waits for that.
    pub(crate) async fn close(mut self) {
        self.system.stop();
        if let Some(thread) = self.thread.take() {
            // Actors hand all work that may block to the data runtime, so the thread ends at once.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for ControlThread {
    fn drop(&mut self) {
        self.system.stop();
    }
}
