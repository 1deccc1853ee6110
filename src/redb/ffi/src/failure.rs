//! Failures as the C side sees them: a code, a message, and nothing that unwinds.

use crate::pages::Damaged;
use std::panic::{catch_unwind, set_hook, AssertUnwindSafe};
use std::sync::Once;

/// The codes of `tdmk_redb_code` in the C header, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Code {
    Ok = 0,
    Invalid = 1,
    Unsupported = 2,
    Busy = 3,
    Corrupt = 4,
    NeedsRepair = 5,
    NoSpace = 6,
    Internal = 7,
}

#[derive(Debug)]
pub struct Failure {
    pub code: Code,
    pub message: String,
    /// Bytes that the disk lacks at the least, for NoSpace; 0: not known.
    pub bytes_needed: u64,
}

impl Failure {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), bytes_needed: 0 }
    }
}

/// Why a file could not grow, and by how much it has to.
#[derive(Debug)]
pub struct NoSpace {
    pub error: std::io::Error,
    pub bytes_needed: u64,
}

impl std::fmt::Display for NoSpace {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(out)
    }
}

impl std::error::Error for NoSpace {}

pub fn is_no_space(error: &std::io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::ENOSPC) | Some(libc::EDQUOT) | Some(libc::EFBIG))
}

fn no_space(error: &std::io::Error) -> Option<&NoSpace> {
    error.get_ref()?.downcast_ref()
}

fn code_of_io(error: &std::io::Error) -> Code {
    if error.get_ref().is_some_and(|inner| inner.is::<Damaged>()) {
        return Code::Corrupt;
    }
    if is_no_space(error) || no_space(error).is_some() {
        return Code::NoSpace;
    }
    match error.raw_os_error() {
        Some(libc::EACCES) | Some(libc::EPERM) | Some(libc::ENOENT) | Some(libc::EISDIR)
        | Some(libc::EROFS) => Code::Invalid,
        _ if error.kind() == std::io::ErrorKind::InvalidData => Code::Invalid,
        _ if error.kind() == std::io::ErrorKind::UnexpectedEof => Code::Corrupt,
        _ => Code::Internal,
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::new(code_of_io(&error), error.to_string())
    }
}

impl From<redb::Error> for Failure {
    fn from(error: redb::Error) -> Self {
        let code = match &error {
            redb::Error::DatabaseAlreadyOpen | redb::Error::TransactionInProgress => Code::Busy,
            redb::Error::RepairAborted => Code::NeedsRepair,
            redb::Error::Corrupted(_) => Code::Corrupt,
            redb::Error::Io(io) => code_of_io(io),
            redb::Error::UpgradeRequired(_) => Code::Unsupported,
            redb::Error::TableTypeMismatch { .. } => Code::Corrupt,
            _ => Code::Internal,
        };
        let mut failure = Failure::new(code, error.to_string());
        if let redb::Error::Io(io) = &error {
            failure.bytes_needed = no_space(io).map_or(0, |no_space| no_space.bytes_needed);
        }
        failure
    }
}

macro_rules! from_redb {
    ($($kind:ty),*) => {$(
        impl From<$kind> for Failure {
            fn from(error: $kind) -> Self { redb::Error::from(error).into() }
        }
    )*};
}
from_redb!(
    redb::DatabaseError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError,
    redb::CommitError,
    redb::SetDurabilityError
);

static QUIET: Once = Once::new();

/// Runs `body`; a panic becomes a failure, and says nothing on stderr, which is the program's.
pub fn caught(body: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    QUIET.call_once(|| set_hook(Box::new(|_| {})));
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_string())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "panic".to_string());
        Err(Failure::new(Code::Internal, format!("redb panicked: {text}")))
    })
}

/// Runs `body` for C: its code. The error object is written to `error` when it is wanted.
pub fn guarded(
    error: *mut *mut Failure,
    body: impl FnOnce() -> Result<(), Failure>,
) -> i32 {
    match caught(body) {
        Ok(()) => Code::Ok as i32,
        Err(failure) => {
            let code = failure.code as i32;
            if !error.is_null() {
                // SAFETY: the caller gave a valid out-parameter (header rule).
                unsafe { *error = Box::into_raw(Box::new(failure)) };
            }
            code
        }
    }
}
