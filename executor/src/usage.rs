//! What attempts use of this process: its CPU time and memory, shared out among those that are under way.

use std::collections::BTreeMap;
use std::fs;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flowetl_proto::control::Cost;

use crate::meter::BlockMeter;

/// Linux counts CPU time for programs in hundredths of a second on every architecture we run on (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The accounts of one process.
#[derive(Debug, Default)]
pub(crate) struct Usage(Mutex<Ledger>);

impl Usage {
    /// Opens an account: from now on it bears its share of what the process uses, until it is dropped.
    pub(crate) fn open(self: &Arc<Self>) -> Account {
        let number = self.ledger().open(Reading::now());
        Account { usage: Arc::clone(self), number }
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one attempt, or one task of another executor's attempt, has used here.
#[derive(Debug)]
pub(crate) struct Account {
    usage: Arc<Usage>,
    number: u64,
}

impl Account {
    /// From now on its share of CPU time is that of these blocks' computing.
    pub(crate) fn weigh_by(&self, meters: Vec<Arc<BlockMeter>>) {
        self.usage.ledger().weigh_by(self.number, meters);
    }

    /// So far.
    pub(crate) fn cost(&self) -> Cost {
        self.usage.ledger().cost(self.number, Reading::now())
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        self.usage.ledger().close(self.number, Reading::now());
    }
}

/// What the system tells of this process. Zero where it does not (only Linux does, in `/proc`).
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    /// Of all threads, user and system, since the process began.
    cpu: Duration,
    /// Resident bytes now, and the most there ever were.
    resident: u64,
    most: u64,
}

impl Reading {
    fn now() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let bytes = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
        };
        Self {
            cpu: process_cpu(),
            resident: bytes("VmRSS:").unwrap_or_default(),
            most: bytes("VmHWM:").unwrap_or_default(),
        }
    }
}

/// CPU time that this process has used since it began; zero where the system does not tell.
pub(crate) fn process_cpu() -> Duration {
    cpu().unwrap_or_default()
}

fn cpu() -> Option<Duration> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold blanks; the fields after it are the 3rd and on.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(TICK * ticks)
}

/// The accounts that are open. Pure: what the system tells comes in.
#[derive(Debug, Default)]
struct Ledger {
    accounts: BTreeMap<u64, Entry>,
    /// Of the newest account.
    number: u64,
    /// What the process had used when it was looked at last.
    seen: Duration,
}

#[derive(Debug)]
struct Entry {
    cpu: Duration,
    peak_bytes: u64,
    /// The most resident bytes there ever were before.
    most_before: u64,
    meters: Vec<Arc<BlockMeter>>,
    /// What its blocks had computed when the process was looked at last.
    computed: Duration,
}

impl Entry {
    fn computes(&self) -> Duration {
        self.meters.iter().map(|meter| meter.computed()).sum()
    }
}

impl Ledger {
    fn open(&mut self, now: Reading) -> u64 {
        self.share_out(now);
        self.number += 1;
        let entry = Entry {
            cpu: Duration::ZERO,
            peak_bytes: now.resident,
            most_before: now.most,
            meters: Vec::new(),
            computed: Duration::ZERO,
        };
        self.accounts.insert(self.number, entry);
        self.number
    }

    fn weigh_by(&mut self, number: u64, meters: Vec<Arc<BlockMeter>>) {
        if let Some(entry) = self.accounts.get_mut(&number) {
            entry.meters = meters;
            entry.computed = entry.computes();
        }
    }

    fn cost(&mut self, number: u64, now: Reading) -> Cost {
        self.share_out(now);
        let Some(entry) = self.accounts.get(&number) else { return Cost::default() };
        Cost { cpu_ms: entry.cpu.as_millis().try_into().unwrap_or(u64::MAX), peak_bytes: entry.peak_bytes }
    }

    fn close(&mut self, number: u64, now: Reading) {
        self.share_out(now);
        self.accounts.remove(&number);
    }

    /// Charges the open accounts with what the process has used since it was looked at last: by what their blocks computed
    /// meanwhile, and equally where none did. Nobody is charged with what was used while none was open.
    fn share_out(&mut self, now: Reading) {
        let used = now.cpu.saturating_sub(std::mem::replace(&mut self.seen, now.cpu));
        let mut computed = Vec::with_capacity(self.accounts.len());
        for entry in self.accounts.values_mut() {
            let before = entry.computed;
            entry.computed = entry.computes();
            computed.push(entry.computed.saturating_sub(before).as_secs_f64());
        }
        let (all, equally) = (computed.iter().sum::<f64>(), 1.0 / computed.len() as f64);
        for (entry, computed) in self.accounts.values_mut().zip(&computed) {
            let share = if all > 0.0 { computed / all } else { equally };
            entry.cpu += used.mul_f64(share);
            entry.peak_bytes = entry.peak_bytes.max(now.resident);
            if now.most > entry.most_before {
                entry.peak_bytes = entry.peak_bytes.max(now.most);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(cpu_ms: u64, resident: u64, most: u64) -> Reading {
        Reading { cpu: Duration::from_millis(cpu_ms), resident, most }
    }

    #[test]
    fn what_a_process_uses_is_shared_out() {
        let mut ledger = Ledger::default();
        // Before anything was open, nobody is charged.
        let first = ledger.open(reading(500, 10, 40));
        assert_eq!(ledger.cost(first, reading(520, 10, 40)), Cost { cpu_ms: 20, peak_bytes: 10 });
        let second = ledger.open(reading(520, 12, 40));
        // Nothing is known of what they compute.
        assert_eq!(ledger.cost(first, reading(560, 20, 40)), Cost { cpu_ms: 40, peak_bytes: 20 });
        let meters = [Arc::new(BlockMeter::default()), Arc::new(BlockMeter::default())];
        ledger.weigh_by(first, vec![Arc::clone(&meters[0])]);
        ledger.weigh_by(second, vec![Arc::clone(&meters[1])]);
        meters[0].add_computed(Duration::from_millis(900));
        meters[1].add_computed(Duration::from_millis(300));
        assert_eq!(ledger.cost(first, reading(760, 15, 40)).cpu_ms, 40 + 150);
        assert_eq!(ledger.cost(second, reading(760, 15, 50)), Cost { cpu_ms: 20 + 50, peak_bytes: 50 });
        ledger.close(first, reading(760, 15, 50));
        assert_eq!(ledger.cost(second, reading(800, 15, 50)).cpu_ms, 70 + 40);
        assert_eq!(ledger.cost(first, reading(900, 15, 50)), Cost::default());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_what_this_process_uses() {
        let account = Arc::new(Usage::default()).open();
        let begin = std::time::Instant::now();
        while account.cost().cpu_ms == 0 {
            assert!(begin.elapsed() < Duration::from_secs(60), "computing costs nothing");
        }
        assert!(account.cost().peak_bytes > 1 << 20);
    }
}
