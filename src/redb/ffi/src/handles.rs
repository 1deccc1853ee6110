//! Database handles: open, close, check, size.

use crate::backend;
use crate::failure::{guarded, Code, Failure};
use crate::fork;
use crate::pages::Pages;
use redb::{Builder, ConcurrencyMode, Database, ReadOnlyDatabase};
use std::ffi::{c_char, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;

pub enum Open {
    Writer(Database),
    Reader(ReadOnlyDatabase),
}

pub struct Db {
    pub epoch: u64,
    pub open: Open,
    pub pages: Arc<Pages>,
    pub deferred: Arc<AtomicBool>,
}

/// Bytes handed to C, freed by `tdmk_redb_buffer_free`.
pub struct Buffer {
    pub bytes: Vec<u8>,
}

type RepairProgress = Option<extern "C" fn(*mut c_void, f64) -> bool>;

/// # Safety
/// `data` points to `len` bytes, or `len` is 0.
pub unsafe fn slice<'a>(data: *const c_char, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    std::slice::from_raw_parts(data.cast(), len)
}

/// # Safety
/// As `slice`.
pub unsafe fn text<'a>(data: *const c_char, len: usize) -> Result<&'a str, Failure> {
    std::str::from_utf8(slice(data, len))
        .map_err(|_| Failure::new(Code::Invalid, "a name is not UTF-8"))
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_open(
    path: *const c_char,
    path_len: usize,
    write: bool,
    cache_bytes: usize,
    file_mode: u32,
    progress: RepairProgress,
    context: *mut c_void,
    check_pages: bool,
    defer_sync: bool,
    fail_after: u64,
    db: *mut *mut Db,
    error: *mut *mut Failure,
) -> i32 {
    let context = context as usize; // the callback runs on this thread, inside this call
    guarded(error, || {
        let path = text(path, path_len)?;
        let pages = Arc::new(Pages::default());
        // A writer's open looks at them itself, and chooses a commit.
        pages.set_checking(check_pages && !write);
        let deferred = Arc::new(AtomicBool::new(defer_sync));
        let backend =
            backend::open(path, write, file_mode, fail_after, pages.clone(), deferred.clone())?;
        let mut builder = Builder::new();
        builder.set_cache_size(cache_bytes).set_concurrency_mode(ConcurrencyMode::SingleWriter);
        if let Some(progress) = progress {
            builder.set_repair_callback(move |session| {
                if !progress(context as *mut c_void, session.progress()) {
                    session.abort();
                }
            });
        }
        let open = if write {
            Open::Writer(builder.create_with_backend(backend)?)
        } else {
            Open::Reader(builder.open_read_only_with_backend(backend)?)
        };
        pages.set_checking(check_pages);
        *db = Box::into_raw(Box::new(Db { epoch: fork::epoch(), open, pages, deferred }));
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_sync_commits(db: *mut Db) {
    (*db).deferred.store(false, Ordering::Relaxed);
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_close(db: *mut Db, error: *mut *mut Failure) -> i32 {
    guarded(error, || {
        if db.is_null() {
            return Ok(());
        }
        fork::check((*db).epoch)?; // inherited: leaked, never dropped
        match Box::from_raw(db).open {
            Open::Writer(database) => database.close()?,
            Open::Reader(database) => database.close()?,
        }
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_check_integrity(
    db: *mut Db,
    intact: *mut bool,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        fork::check((*db).epoch)?;
        let Open::Writer(database) = &mut (*db).open else { return Err(read_only()) };
        let checking = (*db).pages.set_checking(false);
        let checked = database.check_integrity();
        (*db).pages.set_checking(checking);
        *intact = checked?;
        Ok(())
    })
}

pub fn read_only() -> Failure {
    Failure::new(Code::Invalid, "the database is open read-only")
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_error_code(error: *const Failure) -> i32 {
    (*error).code as i32
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_error_message(
    error: *const Failure,
    len: *mut usize,
) -> *const c_char {
    let message = &(*error).message;
    *len = message.len();
    message.as_ptr().cast()
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_error_bytes_needed(error: *const Failure) -> u64 {
    (*error).bytes_needed
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_error_free(error: *mut Failure) {
    if !error.is_null() {
        drop(Box::from_raw(error));
    }
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_buffer_free(buffer: *mut Buffer) {
    if !buffer.is_null() {
        drop(Box::from_raw(buffer));
    }
}

/// Hands bytes to C.
///
/// # Safety
/// The out-parameters are valid.
pub unsafe fn give(
    bytes: Vec<u8>,
    buffer: *mut *mut Buffer,
    data: *mut *const c_char,
    len: *mut usize,
) {
    let boxed = Box::new(Buffer { bytes });
    *data = boxed.bytes.as_ptr().cast();
    *len = boxed.bytes.len();
    *buffer = Box::into_raw(boxed);
}

/// The C form of a range.
#[repr(C)]
pub struct CRange {
    pub from: *const c_char,
    pub from_len: usize,
    pub to: *const c_char,
    pub to_len: usize,
    /// 0 unbounded, 1 included, 2 excluded
    pub from_bound: u8,
    pub to_bound: u8,
    pub backward: bool,
    pub keys_only: bool,
    pub entries_max: usize,
    pub bytes_max: usize,
}

/// # Safety
/// The pointers are valid for their lengths.
pub unsafe fn range_of<'a>(range: *const CRange) -> crate::tables::Range<'a> {
    use std::ops::Bound;
    let bound = |kind: u8, data: *const c_char, len: usize| match kind {
        1 => Bound::Included(slice(data, len)),
        2 => Bound::Excluded(slice(data, len)),
        _ => Bound::Unbounded,
    };
    let range = &*range;
    crate::tables::Range {
        from: bound(range.from_bound, range.from, range.from_len),
        to: bound(range.to_bound, range.to, range.to_len),
        backward: range.backward,
        entries_max: range.entries_max.max(1),
        bytes_max: range.bytes_max,
        keys_only: range.keys_only,
    }
}
