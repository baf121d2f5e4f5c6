//! What this process has used of the machine.

/// CPU seconds of all threads, user and system, and the greatest resident memory in bytes. Zero where the system does
/// not tell (only Linux does, in `/proc`), and for a run of another process.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Usage {
    pub cpu_seconds: f64,
    pub peak_memory_bytes: u64,
}

/// Linux counts CPU time for programs in hundredths of a second on every architecture we run on (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

pub fn so_far() -> Usage {
    Usage { cpu_seconds: cpu_seconds().unwrap_or_default(), peak_memory_bytes: peak_memory().unwrap_or_default() }
}

fn cpu_seconds() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    // The name in parentheses may hold blanks; the fields after it are the 3rd and on.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: f64 = fields.get(11)?.parse::<f64>().ok()? + fields.get(12)?.parse::<f64>().ok()?;
    Some(ticks / TICKS_PER_SECOND)
}

fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    Some(line.trim().trim_end_matches("kB").trim().parse::<u64>().ok()? * 1024)
}
