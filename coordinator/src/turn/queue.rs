//! Who comes next: the brain. Pure.
//!
//! Of an organization: the greatest priority first, and of those whoever has waited longest. Between organizations, where all
//! of them together are limited: the one that has fewest runs under way.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use flowetl_proto::id::RunId;

use super::model::{Entry, Priority};

/// Runs under way and runs that wait. `B` is what calls one whose turn has come.
#[derive(Debug)]
pub(super) struct Queue<B> {
    /// Runs of all organizations together.
    most: Option<usize>,
    /// By organization; one that is not here has no limit.
    limits: BTreeMap<String, usize>,
    /// With their organizations.
    going: BTreeMap<RunId, String>,
    waiting: BTreeMap<Place, (Entry, B)>,
    /// Of the next to come.
    number: u64,
}

/// First the greatest priority, then the smallest number.
type Place = (Reverse<Priority>, u64);

impl<B> Default for Queue<B> {
    fn default() -> Self {
        Self::new(None)
    }
}

impl<B> Queue<B> {
    pub(super) fn new(most: Option<usize>) -> Self {
        Self { most, limits: BTreeMap::new(), going: BTreeMap::new(), waiting: BTreeMap::new(), number: 0 }
    }

    pub(super) fn limit(&mut self, organization: &str, most: Option<usize>) {
        match most {
            Some(most) => self.limits.insert(organization.to_owned(), most.max(1)),
            None => self.limits.remove(organization),
        };
    }

    pub(super) fn enter(&mut self, entry: Entry, goes: bool, bell: B) {
        self.number += 1;
        match goes {
            true => drop(self.going.insert(entry.run, entry.organization)),
            false => drop(self.waiting.insert((Reverse(entry.priority), self.number), (entry, bell))),
        }
    }

    pub(super) fn leave(&mut self, run: &RunId) {
        self.going.remove(run);
        self.waiting.retain(|_, (entry, _)| entry.run != *run);
    }

    pub(super) fn goes(&self, run: &RunId) -> bool {
        self.going.contains_key(run)
    }

    /// Gives turns to whoever can have one now; what calls them.
    pub(super) fn admit(&mut self) -> Vec<B> {
        let mut called = Vec::new();
        while let Some((entry, bell)) = self.next().and_then(|place| self.waiting.remove(&place)) {
            self.going.insert(entry.run, entry.organization);
            called.push(bell);
        }
        called
    }

    fn next(&self) -> Option<Place> {
        if self.waiting.is_empty() || self.most.is_some_and(|most| self.going.len() >= most) {
            return None;
        }
        let mut going = BTreeMap::<&str, usize>::new();
        for organization in self.going.values() {
            *going.entry(organization).or_default() += 1;
        }
        let going = |organization: &str| going.get(organization).copied().unwrap_or_default();
        let has_room =
            |entry: &Entry| self.limits.get(&entry.organization).is_none_or(|m| going(&entry.organization) < *m);
        // Of each organization the first: its place is the smallest that it has.
        let mut firsts = BTreeMap::<&str, Place>::new();
        for (place, (entry, _)) in self.waiting.iter().filter(|(_, (entry, _))| has_room(entry)) {
            firsts.entry(&entry.organization).or_insert(*place);
        }
        firsts
            .into_iter()
            .min_by_key(|(organization, (_, number))| (going(organization), *number))
            .map(|(_, place)| place)
    }

    /// What a run that waits does wait for.
    pub(super) fn reason(&self, run: &RunId) -> Option<String> {
        let (place, (entry, _)) = self.waiting.iter().find(|(_, (entry, _))| entry.run == *run)?;
        let own = |other: &str| other == entry.organization;
        let going = self.going.values().filter(|other| own(other)).count();
        let ahead =
            self.waiting.iter().filter(|(other, (entry, _))| *other < place && own(&entry.organization)).count();
        let whose = match self.limits.get(&entry.organization) {
            Some(limit) if going >= *limit => format!("{going} of {limit} runs of the organization are under way"),
            _ => format!("{} runs of all organizations are under way", self.going.len()),
        };
        Some(match ahead {
            0 => format!("{whose}, and this one comes next"),
            1 => format!("{whose}, and 1 comes before it"),
            ahead => format!("{whose}, and {ahead} come before it"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(run: &str, organization: &str, limit: Option<usize>, priority: Priority) -> Entry {
        Entry { run: run.into(), organization: organization.into(), limit, priority }
    }

    /// Runs come, and those under way leave one after the other; the order in which turns come.
    fn order(
        most: Option<usize>,
        limits: &[(&str, usize)],
        entries: &[(&'static str, &str, Priority)],
    ) -> Vec<&'static str> {
        let mut queue = Queue::new(most);
        limits.iter().for_each(|(organization, most)| queue.limit(organization, Some(*most)));
        let mut called = Vec::new();
        for (run, organization, priority) in entries {
            queue.enter(entry(run, organization, None, *priority), false, *run);
            called.extend(queue.admit());
        }
        let mut left = 0;
        while left < called.len() {
            queue.leave(&called[left].into());
            left += 1;
            called.extend(queue.admit());
        }
        called
    }

    #[test]
    fn x18_priority_counts_then_who_came_first() {
        use Priority::{High, Low, Normal};
        let entries = [("a", "o", Low), ("b", "o", Low), ("c", "o", Normal), ("d", "o", High), ("e", "o", Normal)];
        assert_eq!(order(None, &[("o", 1)], &entries), ["a", "d", "c", "e", "b"]);
        assert_eq!(order(None, &[("o", 2)], &entries), ["a", "b", "d", "c", "e"]);
        assert_eq!(order(None, &[], &entries), ["a", "b", "c", "d", "e"]);
    }

    #[test]
    fn x18_organizations_share_what_all_have() {
        let normal = |run, organization| (run, organization, Priority::Normal);
        let entries = ["a1", "a2", "a3", "a4"].map(|run| normal(run, "a"));
        let entries: Vec<_> = entries.into_iter().chain([normal("b1", "b"), normal("b2", "b")]).collect();
        assert_eq!(order(Some(2), &[], &entries), ["a1", "a2", "b1", "a3", "b2", "a4"]);
        assert_eq!(order(Some(9), &[("a", 1)], &entries), ["a1", "b1", "b2", "a2", "a3", "a4"]);
    }

    #[test]
    fn a_run_says_what_it_waits_for() {
        let mut queue = Queue::new(Some(3));
        queue.limit("o", Some(2));
        for run in ["a", "b", "c", "d"] {
            queue.enter(entry(run, "o", Some(2), Priority::Normal), false, ());
        }
        queue.enter(entry("goes on", "p", None, Priority::Normal), true, ());
        queue.enter(entry("other", "p", None, Priority::Low), false, ());
        queue.admit();
        let reason = |run: &str| queue.reason(&run.into());
        assert_eq!((reason("a"), reason("goes on")), (None, None));
        let under_way = "2 of 2 runs of the organization are under way";
        assert_eq!(reason("c").unwrap(), format!("{under_way}, and this one comes next"));
        assert_eq!(reason("d").unwrap(), format!("{under_way}, and 1 comes before it"));
        assert_eq!(reason("other").unwrap(), "3 runs of all organizations are under way, and this one comes next");
        // A limit that is raised counts at once.
        queue.limit("o", None);
        queue.most = None;
        assert_eq!(queue.admit().len(), 3);
    }
}
