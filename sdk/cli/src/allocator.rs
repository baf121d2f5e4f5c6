//! The C library's allocator, told to keep pieces as large as a batch instead of giving each back to the system, to share
//! what is free among threads, and to give all back when an attempt is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Free memory at the end of an arena that stays ours, in bytes: what a few batches need next.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 16 * 1024 * 1024;

/// Pieces from this size come from the system and go back to it; the greatest that the library takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES: libc::c_int = 32 * 1024 * 1024;

/// Arenas that threads of each processor share: with the library's eight, what one thread has freed and another needs is taken
/// from the system once more, and a run under a small ceiling grows by a third.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const ARENAS_PER_PROCESSOR: usize = 1;

/// Sets the thresholds. By itself the library maps, clears and returns the pages of each batch again, which cost a tenth
/// of the time of a copy of CSV to Parquet.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no safe crate offers mallopt; it takes numbers and is called before any thread starts")]
pub fn keep_batches() {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let arenas = libc::c_int::try_from(ARENAS_PER_PROCESSOR * processors).unwrap_or(libc::c_int::MAX);
    // A refused value leaves the default, which is only slower, or larger.
    unsafe {
        libc::mallopt(libc::M_ARENA_MAX, arenas);
        libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT_BYTES);
        libc::mallopt(libc::M_MMAP_THRESHOLD, MAPPED_BYTES);
    }
}

/// Other allocators are left as they are.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn keep_batches() {}

/// From an attempt's end to the giving back: many small attempts must not pay for it each.
const PAUSE: Duration = Duration::from_secs(1);

/// Gives free memory back to the system, soon after each time that some was `freed`. Without it what one attempt used and
/// the next does not is added to the next one's ceiling.
pub async fn give_back(freed: Arc<Notify>) {
    loop {
        freed.notified().await;
        sleep(PAUSE).await;
        if spawn_blocking(trim).await.is_err() {
            return;
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "no safe crate offers malloc_trim; it takes a number and may be called at any time")]
fn trim() {
    // Whether there was any to give back does not matter.
    unsafe {
        libc::malloc_trim(0);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn trim() {}
