//! The fork rule: a child must neither use nor release what its parent opened.
//!
//! A `pthread_atfork` child handler raises the epoch and closes the inherited descriptors, so that
//! the child can release no lock of the parent's. Handles remember their epoch.

use crate::failure::{Code, Failure};
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::Once;

/// Open databases in one process; more than any agent opens.
const DESCRIPTORS_MAX: usize = 4096;

static EPOCH: AtomicU64 = AtomicU64::new(1);
static DESCRIPTORS: [AtomicI32; DESCRIPTORS_MAX] = [const { AtomicI32::new(-1) }; DESCRIPTORS_MAX];
static INSTALL: Once = Once::new();

extern "C" fn in_child() {
    // Async-signal-safe: atomics and close() only.
    EPOCH.fetch_add(1, Ordering::SeqCst);
    for slot in &DESCRIPTORS {
        let fd = slot.swap(-1, Ordering::SeqCst);
        if fd >= 0 {
            // SAFETY: the descriptor was registered open and belongs to this process image alone.
            unsafe { libc::close(fd) };
        }
    }
}

pub fn epoch() -> u64 {
    EPOCH.load(Ordering::SeqCst)
}

/// The error of a handle that was inherited over fork().
pub fn check(handle_epoch: u64) -> Result<(), Failure> {
    if handle_epoch == epoch() {
        return Ok(());
    }
    Err(Failure::new(Code::Invalid, "this handle was inherited over fork()"))
}

/// A descriptor that the child handler closes; forgotten when dropped.
#[derive(Debug)]
pub struct Registered {
    slot: usize,
}

pub fn register(fd: RawFd) -> Result<Registered, Failure> {
    INSTALL.call_once(|| {
        // SAFETY: in_child is async-signal-safe and lives for ever.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    });
    for (slot, entry) in DESCRIPTORS.iter().enumerate() {
        if entry.compare_exchange(-1, fd, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            return Ok(Registered { slot });
        }
    }
    Err(Failure::new(Code::Unsupported, "too many open databases in this process"))
}

impl Drop for Registered {
    fn drop(&mut self) {
        DESCRIPTORS[self.slot].store(-1, Ordering::SeqCst);
    }
}
