//! One task of a segment on this node: owns the task that moves one partition's rows, and its cancel token.

use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Recipient, WrapFuture};
use flowetl_proto::code::{Class, Failure};
use tokio::runtime::Handle;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;

use crate::segment::OperatorEnded;
use crate::segment::work::{self, Work};

/// After a cancel a task has so long to reach its next await; then it is aborted and reported as ended all the same.
const CANCEL_LIMIT: Duration = Duration::from_secs(3);

/// The actor of one partition. Rows never pass through it: they flow in the task on the data runtime.
pub(crate) struct OperatorActor {
    partition: usize,
    work: Option<Arc<Work>>,
    cancel: CancellationToken,
    data: Handle,
    segment: Recipient<OperatorEnded>,
}

impl OperatorActor {
    pub(crate) fn new(
        partition: usize,
        work: Arc<Work>,
        cancel: CancellationToken,
        data: Handle,
        segment: Recipient<OperatorEnded>,
    ) -> Self {
        Self { partition, work: Some(work), cancel, data, segment }
    }
}

impl Actor for OperatorActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let Some(work) = self.work.take() else { return };
        let root = work.root().clone();
        let (partition, cancel, segment) = (self.partition, self.cancel.clone(), self.segment.clone());
        let token = cancel.clone();
        let mut task = self.data.spawn(async move { work::operate(&work, partition, token).await });
        let watching = async move {
            let joined = tokio::select! {
                joined = &mut task => joined,
                () = overdue(&cancel) => {
                    task.abort();
                    Ok(Err(crate::Error::new(Class::Cancelled, "the operator did not end in time and was left behind")))
                }
            };
            // A panic outside all blocks is the target's, and the target belongs to the root.
            let outcome = match joined {
                Ok(done) => done.map_err(|e| e.to_failure()),
                Err(error) => Err(ended_early(error).in_block(&root)),
            };
            if segment.send(OperatorEnded { partition, outcome }).await.is_err() {
                tracing::debug!(partition, "an operator ended after its segment");
            }
        };
        context.spawn(watching.into_actor(self).map(|(), _, context| context.stop()));
    }
}

async fn overdue(cancel: &CancellationToken) {
    cancel.cancelled().await;
    tokio::time::sleep(CANCEL_LIMIT).await;
}

/// A task that panicked or was aborted, as a failure.
pub(crate) fn ended_early(error: JoinError) -> Failure {
    if !error.is_panic() {
        return Failure::new(Class::Cancelled, "the run was cancelled");
    }
    let panic = error.into_panic();
    let text = crate::meter::panic_text(panic.as_ref());
    Failure::new(Class::Panic, format!("panic in an operator: {text}"))
}
