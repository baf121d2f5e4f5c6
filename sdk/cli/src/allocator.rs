//! The C library's allocator, told to keep pieces as large as a batch instead of giving each back to the system, and to give
//! all back when an attempt is over.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

/// Free memory at the end of an arena that stays ours, in bytes: what a few batches need next.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_BYTES: libc::c_int = 64 * 1024 * 1024;

/// Pieces from this size come from the system and go back to it; the greatest that the library takes.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const MAPPED_BYTES: libc::c_int = 32 * 1024 * 1024;

/// Sets the thresholds. By itself the library maps, clears and returns the pages of each batch again, which cost a tenth
/// of the time of a copy of CSV to Parquet.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(
    unsafe_code,
    reason = "no safe crate offers mallopt; it takes two numbers and is called before any thread starts"
)]
pub fn keep_batches() {
    // A refused value leaves the default, which is only slower.
    unsafe {
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
