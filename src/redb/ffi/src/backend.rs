//! The storage backend: redb's own file backend over a descriptor that we opened (close-on-exec,
//! registered with the fork rule), which looks at each page that it loads, with an optional
//! countdown to failure for tests.

use crate::failure::{is_no_space, Failure, NoSpace};
use crate::fork;
use crate::pages::Pages;
use redb::backends::FileBackend;
use redb::{BackendError, StorageBackend};
use std::fs::OpenOptions;
use std::io;
use std::ops::Bound;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::Arc;

#[derive(Debug)]
pub struct Backend {
    // Dropped before `file`, so that the descriptor is forgotten while it is still ours.
    _registered: fork::Registered,
    file: FileBackend,
    fd: RawFd, // of `file`
    write: bool,
    pages: Arc<Pages>,
    deferred: Arc<AtomicBool>,
    /// Operations until every further one fails; u64::MAX: never.
    left: AtomicU64,
}

/// `deferred`: while it is true a commit leaves its writes with the system.
pub fn open(
    path: &str,
    write: bool,
    mode: u32,
    fail_after: u64,
    pages: Arc<Pages>,
    deferred: Arc<AtomicBool>,
) -> Result<Backend, Failure> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(libc::O_CLOEXEC);
    if write {
        options.write(true).create(true).truncate(false).mode(mode);
    }
    let file = options.open(path)?;
    let fd = file.as_raw_fd();
    let registered = fork::register(fd)?;
    let left = if cfg!(feature = "fault") && fail_after > 0 { fail_after } else { u64::MAX };
    Ok(Backend {
        _registered: registered,
        file: FileBackend::new(file)?,
        fd,
        write,
        pages,
        deferred,
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

impl Backend {
    /// Says what a full disk lacks: the blocks that the file's length has yet to get (a longer file
    /// is made sparse, so that the disk is found full by a later write), or those of this write.
    fn explain(&self, error: io::Error, at_least: u64) -> io::Error {
        if !is_no_space(&error) {
            return error;
        }
        // SAFETY: fstat fills the structure, and the descriptor is open while `file` lives.
        let info = unsafe {
            let mut info = std::mem::zeroed::<libc::stat>();
            libc::fstat(self.fd, &mut info);
            info
        };
        let missing = info.st_size.saturating_sub(info.st_blocks.saturating_mul(512));
        let bytes_needed = u64::try_from(missing).unwrap_or(0).max(at_least);
        io::Error::new(error.kind(), NoSpace { error, bytes_needed })
    }
}

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.count_down()?;
        self.file.len()
    }
    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.count_down()?;
        self.file.read(offset, out)?;
        match self.pages.check(offset, out) {
            Err(damaged) if self.write => Err(io::Error::other(damaged)),
            Err(_) => {
                out.fill(0); // no page, which ends this read; an error would end all that follow
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }
    fn set_len(&self, len: u64) -> io::Result<()> {
        self.count_down()?;
        let grown_by = len.saturating_sub(self.file.len()?);
        self.file.set_len(len).map_err(|error| self.explain(error, grown_by))
    }
    fn sync_data(&self) -> io::Result<()> {
        self.count_down()?;
        if self.deferred.load(Ordering::Relaxed) {
            return Ok(());
        }
        self.file.sync_data().map_err(|error| self.explain(error, 0))
    }
    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.count_down()?;
        self.pages.wrote(offset, data);
        self.file.write(offset, data).map_err(|error| self.explain(error, data.len() as u64))
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
