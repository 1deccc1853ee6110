//! The storage backend: redb's own file backend over a descriptor that we opened (close-on-exec,
//! registered with the fork rule), with an optional countdown to failure for tests.

use crate::failure::Failure;
use crate::fork;
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug)]
pub struct Backend {
    // Dropped before `file`, so that the descriptor is forgotten while it is still ours.
    _registered: fork::Registered,
    file: FileBackend,
    /// Operations until every further one fails; u64::MAX: never.
    left: AtomicU64,
}

pub fn open(path: &str, write: bool, mode: u32, fail_after: u64) -> Result<Backend, Failure> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_CLOEXEC);
    if write {
        options.write(true).create(true).truncate(false).mode(mode);
    }
    let file = options.open(path)?;
    let registered = fork::register(file.as_raw_fd())?;
    let left = if cfg!(feature = "fault") && fail_after > 0 { fail_after } else { u64::MAX };
    Ok(Backend {
        _registered: registered,
        file: FileBackend::new(file)?,
        left: AtomicU64::new(left),
    })
}

impl Backend {
    fn count_down(&self) -> io::Result<()> {
        if self.left.load(Ordering::Relaxed) == u64::MAX {
            return Ok(());
        }
        let step = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match step {
            Ok(_) => Ok(()),
            Err(_) => Err(io::Error::other("injected fault")),
        }
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.count_down()?;
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.count_down()?;
        self.file.read(offset, out)
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.count_down()?;
        self.file.set_len(len)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.count_down()?;
        self.file.sync_data()
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.count_down()?;
        self.file.write(offset, data)
    }
    fn close(&self) -> io::Result<()> {
        self.file.close()
    }
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.try_lock_range(start, end)
    }
    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.file.try_lock_shared_range(start, end)
    }
    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.unlock_range(start, end)
    }
    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_range(start, end)
    }
    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.file.lock_shared_range(start, end)
    }
    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.file.query_lock_range(start, end)
    }
}
