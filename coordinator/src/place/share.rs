//! Who gets which slot: the next attempt to start, and the helpers of those that run.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use flowetl_proto::control::Helper;
use flowetl_proto::id::{ExecutorId, RunId, Token};

use super::attempt::Attempt;
use super::{Action, Job, Placement};

/// Executors that help with one attempt: each reads from each other, so that what they hold on the way grows with the square.
const HELPERS_MAX: usize = 31;

impl Placement {
    /// Slots of an executor that are taken, for attempts that it leads or helps with.
    pub(super) fn busy(&self, id: &ExecutorId) -> u32 {
        self.attempts.values().filter(|attempt| attempt.is_running() && attempt.works(id)).count() as u32
    }

    fn free(&self, id: &ExecutorId) -> u32 {
        let slots = self.members.get(id).filter(|member| member.takes_new()).map_or(0, |member| member.slots);
        slots.saturating_sub(self.busy(id))
    }

    /// The attempt that starts next, and where: on the executor with most free slots. It is one of the run that has fewest
    /// slots, and of those the one that has waited longest, so that no run keeps another out.
    pub(super) fn next_start(&self) -> Option<(Token, ExecutorId)> {
        let rooms = self.members.keys().map(|id| (self.free(id), Reverse(id)));
        let (_, Reverse(to)) = rooms.filter(|(free, _)| *free > 0).max()?;
        let mut taken = BTreeMap::<&RunId, usize>::new();
        for attempt in self.attempts.values().filter(|attempt| attempt.is_running()) {
            *taken.entry(&attempt.spec.id.run).or_default() += 1 + attempt.spec.helpers.len();
        }
        let waiting = self.attempts.iter().filter(|(_, attempt)| attempt.is_due() && attempt.needs_slot());
        let next = waiting.min_by_key(|(token, attempt)| {
            (taken.get(&attempt.spec.id.run).copied().unwrap_or_default(), attempt.asked_at, **token)
        });
        next.map(|(token, _)| (*token, to.clone()))
    }

    /// Names helpers to every leader that has asked for some, oldest attempts first: executors with slots that are free once
    /// nobody waits to start, as many as there are. A leader that gets none goes on alone: in a busy cluster that wastes least.
    pub(super) fn name_helpers(&mut self) {
        let asking = self.attempts.iter().filter_map(|(token, attempt)| Some((*token, attempt.asks_for()?)));
        for (token, most) in asking.collect::<Vec<_>>() {
            let Some((leader, helpers)) = self.attempts.get(&token).and_then(|a| self.helpers(a, most)) else {
                continue;
            };
            if let Some(attempt) = self.attempts.get_mut(&token) {
                let spec = attempt.call_for_help(helpers);
                self.actions.push(Action::Call(leader, Job::Help(spec)));
            }
        }
    }

    /// The leader of an attempt and those that may help it; `None` while the leader is out of reach.
    fn helpers(&self, attempt: &Attempt, most: usize) -> Option<(ExecutorId, Vec<Helper>)> {
        let leader = attempt.on.as_ref()?;
        let leads = self.members.get(leader).filter(|member| member.is_open())?;
        let avoided = |url: &str| attempt.spec.avoided.contains(url.trim_end_matches('/'));
        // Whoever is lost on the way is left out. After another loss, or where others lose the leader, it may be the network.
        if attempt.spec.avoided.len() > 1 || avoided(&leads.url) {
            return Some((leader.clone(), Vec::new()));
        }
        let others = self.members.iter().filter(|(id, member)| *id != leader && !avoided(&member.url));
        let mut free: Vec<_> = others.map(|(id, member)| (Reverse(self.free(id)), id, &member.url)).collect();
        free.retain(|(Reverse(free), ..)| *free > 0);
        free.sort();
        let named = free.into_iter().take(most.min(HELPERS_MAX));
        Some((leader.clone(), named.map(|(_, id, url)| Helper { id: id.clone(), url: url.clone() }).collect()))
    }
}
