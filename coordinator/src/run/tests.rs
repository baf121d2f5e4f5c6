//! Tests of the brain, and the crash that simulations ask the shell for.

use actix::{ActorContext, Context};

use super::{Command, RunActor};

/// Makes an actor stop as if its process had died, once a number of decisions were written: before or after the last
/// one's commands are performed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Crash {
    pub saves: usize,
    pub perform: bool,
}

impl RunActor {
    pub(super) fn crashes(&mut self, commands: &[Command], ctx: &mut Context<Self>) -> bool {
        let mut crash = self.around.crash.lock().unwrap();
        let Some(planned) = crash.as_mut() else { return false };
        if planned.saves > 0 {
            planned.saves -= 1;
            return false;
        }
        let perform = planned.perform;
        drop(crash);
        if perform {
            self.perform(commands.to_vec(), ctx);
        }
        self.around.remove(&self.state.id);
        ctx.stop();
        true
    }
}
