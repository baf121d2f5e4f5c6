//! How a run's actor turns messages into decisions: decide, write, then perform.

use actix::{ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use flowetl_proto::id::Token;
use flowetl_proto::trace;
use tokio::task::JoinError;

use super::machine::{Command, Event, step};
use super::messages::Happened;
use super::{RunActor, save, traced};
use crate::{Result, clock};

impl Handler<Happened> for RunActor {
    type Result = ();

    fn handle(&mut self, Happened(event): Happened, ctx: &mut Context<Self>) {
        self.happen(event, ctx);
    }
}

impl RunActor {
    /// Decides, and keeps the mailbox closed until the decision is written: no event is judged by a state that may
    /// still be lost.
    pub(super) fn happen(&mut self, event: Event, ctx: &mut Context<Self>) {
        let log = event.describe();
        let moment = clock::moment();
        let attempts = self.state.attempts.iter();
        let under_way: Vec<_> = attempts.filter(|(_, a)| a.ended_at.is_none()).map(|(token, _)| *token).collect();
        let decision = step(&mut self.state, moment, event);
        if decision.changes.is_empty() {
            self.perform(decision.commands, ctx);
            self.publish_soon(ctx);
            self.wake_in_time(ctx);
            self.await_unlock(ctx);
            self.await_turn(ctx);
            return;
        }
        let record = self.state.record(decision.changes, log, moment.now);
        let tokens_missing = self.state.tokens.len() < self.state.parallel_segments && !self.state.phase.is_terminal();
        let saving = self.around.runtime.spawn(save(self.around.store.clone(), record, tokens_missing));
        let commands = decision.commands;
        self.busy = true;
        let saved = saving.into_actor(self).map(move |outcome, actor, ctx| {
            if matches!(outcome, Ok(Ok(_))) {
                // Of those that go on there is nothing to tell yet.
                under_way.into_iter().for_each(|token| trace::tell(|| traced::attempt(&actor.state, token)));
            }
            actor.written(outcome, commands, ctx);
        });
        ctx.wait(saved);
    }

    fn written(
        &mut self,
        outcome: Result<Result<Vec<Token>>, JoinError>,
        commands: Vec<Command>,
        ctx: &mut Context<Self>,
    ) {
        self.busy = false;
        match outcome {
            Ok(Ok(tokens)) => {
                self.state.tokens.extend(tokens);
                self.saved(commands, ctx);
            }
            Ok(Err(error)) => self.interrupt(error.chain(), error.is_takeover(), ctx),
            Err(error) => self.interrupt(error.to_string(), false, ctx),
        }
    }

    /// The newest decision is durable.
    pub(super) fn saved(&mut self, commands: Vec<Command>, ctx: &mut Context<Self>) {
        #[cfg(test)]
        if self.crashes(&commands, ctx) {
            return;
        }
        self.perform(commands, ctx);
        if self.state.phase.is_terminal() {
            self.tidy_and_end(ctx);
        } else {
            self.publish();
            self.wake_in_time(ctx);
            self.await_unlock(ctx);
            self.await_turn(ctx);
        }
    }
}
