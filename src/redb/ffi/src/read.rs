//! Read transactions: get with a guard over its page, and slices of ranges.

use crate::failure::{caught, guarded, Code, Failure};
use crate::fork;
use crate::handles::{give, range_of, slice, text, Buffer, CRange, Db, Open};
use crate::pages::{commit_read_last, Pages};
use crate::tables::{byte_keys, text_keys};
use redb::{AccessGuard, ReadTransaction, ReadableDatabase, ReadableTableMetadata};
use std::ffi::c_char;
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone)]
enum Table {
    Text(Arc<text_keys::Table>),
    Bytes(Arc<byte_keys::Table>),
    Missing,
}

pub struct Read {
    epoch: u64,
    txn: ReadTransaction,
    pages: Arc<Pages>,
    // Opened once for each transaction: opening costs as much as a get.
    tables: Mutex<Vec<(String, bool, Table)>>,
}

/// Keeps one page alive, not the transaction.
pub struct Guard {
    epoch: u64,
    guard: AccessGuard<'static, &'static [u8]>,
}

impl Read {
    fn table(&self, name: &str, bytes: bool) -> Result<Table, Failure> {
        // A panic of redb's leaves the list as it was.
        let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, _, table)) = tables.iter().find(|(n, b, _)| n == name && *b == bytes) {
            return Ok(table.clone());
        }
        let table = if bytes {
            byte_keys::open(&self.txn, name)?.map(|t| Table::Bytes(Arc::new(t)))
        } else {
            text_keys::open(&self.txn, name)?.map(|t| Table::Text(Arc::new(t)))
        }
        .unwrap_or(Table::Missing);
        tables.push((name.to_string(), bytes, table.clone()));
        Ok(table)
    }
}

// Runs `body` for C. What redb makes of a page that did not match says less than that it did not.
unsafe fn reading(
    read: *const Read,
    error: *mut *mut Failure,
    body: impl FnOnce(&Read) -> Result<(), Failure>,
) -> i32 {
    guarded(error, || {
        let read = &*read;
        fork::check(read.epoch)?;
        caught(|| body(read)).map_err(|failure| match (failure.code, read.pages.damage()) {
            (Code::Internal | Code::Corrupt, Some(damage)) => {
                Failure::new(Code::Corrupt, damage.to_string())
            }
            _ => failure,
        })
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_begin_read(
    db: *const Db,
    read: *mut *mut Read,
    commit: *mut u64,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        fork::check((*db).epoch)?;
        let (txn, seen) = match &(*db).open {
            Open::Writer(database) => (database.begin_read()?, 0), // for which redb reads no header
            Open::Reader(database) => (database.begin_read()?, commit_read_last()),
        };
        *commit = seen;
        let pages = (*db).pages.clone();
        let handle = Read { epoch: (*db).epoch, txn, pages, tables: Mutex::new(Vec::new()) };
        *read = Box::into_raw(Box::new(handle));
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_read_free(read: *mut Read) {
    if !read.is_null() && fork::check((*read).epoch).is_ok() {
        guarded(std::ptr::null_mut(), || {
            drop(Box::from_raw(read));
            Ok(())
        });
    }
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_read_get(
    read: *const Read,
    table: *const c_char,
    table_len: usize,
    byte_key: bool,
    key: *const c_char,
    key_len: usize,
    guard: *mut *mut Guard,
    data: *mut *const c_char,
    len: *mut usize,
    error: *mut *mut Failure,
) -> i32 {
    reading(read, error, |read| {
        let key = slice(key, key_len);
        let found = match read.table(text(table, table_len)?, byte_key)? {
            Table::Text(table) => text_keys::get(&table, key)?,
            Table::Bytes(table) => byte_keys::get(&table, key)?,
            Table::Missing => None,
        };
        *guard = std::ptr::null_mut();
        if let Some(found) = found {
            let boxed = Box::new(Guard { epoch: read.epoch, guard: found });
            let bytes = boxed.guard.value();
            *data = bytes.as_ptr().cast();
            *len = bytes.len();
            *guard = Box::into_raw(boxed);
        }
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_guard_free(guard: *mut Guard) {
    if !guard.is_null() && fork::check((*guard).epoch).is_ok() {
        guarded(std::ptr::null_mut(), || {
            drop(Box::from_raw(guard));
            Ok(())
        });
    }
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_read_scan(
    read: *const Read,
    table: *const c_char,
    table_len: usize,
    byte_key: bool,
    range: *const CRange,
    buffer: *mut *mut Buffer,
    data: *mut *const c_char,
    len: *mut usize,
    more: *mut bool,
    error: *mut *mut Failure,
) -> i32 {
    reading(read, error, |read| {
        let range = range_of(range);
        let mut out = Vec::new();
        *more = match read.table(text(table, table_len)?, byte_key)? {
            Table::Text(table) => text_keys::scan(&*table, &range, &mut out)?,
            Table::Bytes(table) => byte_keys::scan(&*table, &range, &mut out)?,
            Table::Missing => false,
        };
        give(out, buffer, data, len);
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_read_count(
    read: *const Read,
    table: *const c_char,
    table_len: usize,
    byte_key: bool,
    count: *mut u64,
    error: *mut *mut Failure,
) -> i32 {
    reading(read, error, |read| {
        *count = match read.table(text(table, table_len)?, byte_key)? {
            Table::Text(table) => table.len()?,
            Table::Bytes(table) => table.len()?,
            Table::Missing => 0,
        };
        Ok(())
    })
}
