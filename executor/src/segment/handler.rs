//! What a segment's actor does with messages, and how it performs the brain's commands.

use std::future::Future;
use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::AttemptEventKind;
use flowetl_proto::id::BlockId;
use flowetl_proto::trace;

use super::machine::{Command, Event};
use super::messages::{Cancel, OperatorEnded};
use super::watch::Watch;
use super::{SegmentActor, work};
use crate::node::AttemptOver;
use crate::operator::OperatorActor;
use crate::{Result, figures};

impl Handler<OperatorEnded> for SegmentActor {
    type Result = ();

    fn handle(&mut self, message: OperatorEnded, context: &mut Self::Context) {
        let event = match message.outcome {
            Ok(written) => Event::OperatorDone(written),
            Err(failure) => Event::OperatorFailed { partition: message.partition, failure },
        };
        self.on(event, context);
    }
}

impl Handler<Cancel> for SegmentActor {
    type Result = ();

    fn handle(&mut self, _: Cancel, context: &mut Self::Context) {
        self.all.cancel();
        self.on(Event::Cancel, context);
    }
}

impl SegmentActor {
    pub(super) fn on(&mut self, event: Event, context: &mut Context<Self>) {
        let commands = self.machine.step(event);
        self.perform(commands, context);
    }

    pub(super) fn perform(&mut self, commands: Vec<Command>, context: &mut Context<Self>) {
        for command in commands {
            match command {
                Command::Plan(thrift) => {
                    self.operators = self.all.child_token();
                    self.says.planning(&self.spec, thrift);
                    let (spec, surroundings) = (self.spec.clone(), Arc::clone(&self.surroundings));
                    let help = Arc::clone(&self.help);
                    let planning = async move { work::plan(spec, &surroundings, &help, thrift).await };
                    self.run("plan", planning, context, |actor, work| {
                        let (partitions, spread) = (work.partitions(), work.is_spread());
                        actor.says.planned(&actor.spec, &work);
                        actor.account.weigh_by(work.block_meters());
                        actor.work = Some(Arc::new(work));
                        actor.watch = Watch::begin();
                        Event::Planned { partitions, spread }
                    });
                }
                Command::StartOperators(partitions) => {
                    let Some(work) = &self.work else { continue };
                    for partition in 0..partitions {
                        OperatorActor::new(
                            partition,
                            Arc::clone(work),
                            self.operators.child_token(),
                            self.surroundings.data.clone(),
                            context.address().recipient(),
                        )
                        .start();
                    }
                }
                Command::StopOperators => self.operators.cancel(),
                Command::Clear => {
                    let work = self.work.take();
                    self.given_up = self.given_up.and(work.as_ref().map(|w| w.helpers_cost()).unwrap_or_default());
                    let clearing = async move {
                        match work {
                            Some(work) => work::clear(work).await,
                            None => Ok(()),
                        }
                    };
                    self.run("clear", clearing, context, |_, ()| Event::Cleared);
                }
                Command::Prepare(written) => {
                    let Some(work) = self.work.clone() else { continue };
                    self.says.written(&written);
                    let preparing = async move { work::prepare(&work, written).await };
                    self.run("prepare", preparing, context, |actor, prepared| {
                        actor.outcome = Some(AttemptEventKind::Prepared(Box::new(prepared)));
                        Event::Prepared
                    });
                }
                Command::Finish => {
                    if let Some(outcome) = self.outcome.take() {
                        self.end(outcome, context);
                    }
                }
                Command::Fail(failure) => self.end(AttemptEventKind::Failed(failure), context),
            }
        }
    }

    /// Runs a step on the data runtime; its result, or its panic, comes back as an event. Cancelling drops the step.
    fn run<T: Send + 'static>(
        &self,
        name: &'static str,
        step: impl Future<Output = Result<T>> + Send + 'static,
        context: &mut Context<Self>,
        event: impl FnOnce(&mut Self, T) -> Event + 'static,
    ) {
        let (cancel, work) = (self.all.clone(), trace::Work::begin(&self.spec.id, name));
        let task = self.surroundings.data.spawn(async move {
            let done = tokio::select! {
                biased;
                () = cancel.cancelled() => Err(Failure::new(Class::Cancelled, "the run was cancelled")),
                done = step => done.map_err(|e| e.to_failure()),
            };
            work.end(done.as_ref().err().map(|failure| failure.class));
            done
        });
        context.spawn(task.into_actor(self).map(|joined, actor, context| {
            // A panic between the blocks is the root's, after which the segment is called.
            let root = BlockId::new(actor.spec.segment.id.as_str());
            let event = match joined.unwrap_or_else(|e| Err(crate::operator::ended_early(e).in_block(&root))) {
                Ok(value) => event(actor, value),
                Err(failure) => Event::Failed(failure),
            };
            actor.on(event, context);
        }));
    }

    /// The last word: first the node learns what it must keep for the commit, then the coordinator is told.
    fn end(&mut self, outcome: AttemptEventKind, context: &mut Context<Self>) {
        figures::ended(&outcome);
        self.says.ended(&outcome);
        let is_failure = matches!(&outcome, AttemptEventKind::Failed(f) if f.class != Class::Cancelled);
        let is_published = self.spec.segment.output.publishes();
        let sink = match &outcome {
            AttemptEventKind::Prepared(_) if is_published => self.work.as_ref().and_then(|w| w.sink.clone()),
            _ => None,
        };
        let over = AttemptOver { token: self.spec.id.token, sink };
        let (node, events, event) = (self.node.clone(), self.events.clone(), self.event(outcome));
        let failed = self.work.take().filter(|_| is_failure);
        let telling = async move {
            if let Some(work) = failed {
                work.keep_quarantines().await;
            }
            if node.send(over).await.is_err() || events.send(event).await.is_err() {
                tracing::warn!("an attempt ended after its node");
            }
        };
        context.spawn(telling.into_actor(self).map(|(), _, context| context.stop()));
    }
}
