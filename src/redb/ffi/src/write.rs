//! Write transactions: batches of changes, reads of one's own writes, commit.

use crate::failure::{guarded, Failure};
use crate::fork;
use crate::handles::{give, range_of, read_only, slice, text, Buffer, CRange, Db, Open};
use crate::tables::{byte_keys, text_keys, Change};
use redb::{TableHandle, WriteTransaction};
use std::ffi::c_char;

pub struct Write {
    epoch: u64,
    txn: WriteTransaction,
}

/// The C form of a change; `value` null deletes.
#[repr(C)]
pub struct CChange {
    key: *const c_char,
    key_len: usize,
    value: *const c_char,
    value_len: usize,
    remove: bool,
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_begin_write(
    db: *const Db,
    write: *mut *mut Write,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        fork::check((*db).epoch)?;
        let Open::Writer(database) = &(*db).open else { return Err(read_only()) };
        let mut txn = database.begin_write()?;
        // Keeps the allocator state with each commit: a killed writer's file is repaired in
        // milliseconds instead of a walk over all of it, and readers wait for that.
        txn.set_quick_repair(true);
        *write = Box::into_raw(Box::new(Write { epoch: (*db).epoch, txn }));
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_abort(write: *mut Write) {
    if !write.is_null() && fork::check((*write).epoch).is_ok() {
        guarded(std::ptr::null_mut(), || {
            Box::from_raw(write).txn.abort()?;
            Ok(())
        });
    }
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_commit(
    write: *mut Write,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        fork::check((*write).epoch)?;
        Box::from_raw(write).txn.commit()?;
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_apply(
    write: *const Write,
    table: *const c_char,
    table_len: usize,
    byte_key: bool,
    changes: *const CChange,
    changes_len: usize,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        let write = &*write;
        fork::check(write.epoch)?;
        if changes_len == 0 {
            return Ok(());
        }
        let name = text(table, table_len)?;
        let changes = changes_of(changes, changes_len);
        if byte_key {
            byte_keys::apply(&write.txn, name, &changes)
        } else {
            text_keys::apply(&write.txn, name, &changes)
        }
    })
}

unsafe fn changes_of<'a>(changes: *const CChange, len: usize) -> Vec<Change<'a>> {
    if len == 0 {
        return Vec::new();
    }
    std::slice::from_raw_parts(changes, len)
        .iter()
        .map(|c| Change {
            key: slice(c.key, c.key_len),
            value: (!c.remove).then(|| slice(c.value, c.value_len)),
        })
        .collect()
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_get_batch(
    write: *const Write,
    table: *const c_char,
    table_len: usize,
    byte_key: bool,
    keys: *const CChange,
    keys_len: usize,
    bytes_max: usize,
    buffer: *mut *mut Buffer,
    data: *mut *const c_char,
    len: *mut usize,
    answered: *mut usize,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        let write = &*write;
        fork::check(write.epoch)?;
        let name = text(table, table_len)?;
        let keys = changes_of(keys, keys_len);
        let mut out = Vec::new();
        *answered = if byte_key {
            byte_keys::write_get_batch(&write.txn, name, &keys, bytes_max, &mut out)?
        } else {
            text_keys::write_get_batch(&write.txn, name, &keys, bytes_max, &mut out)?
        };
        give(out, buffer, data, len);
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_get(
    write: *const Write,
    table: *const c_char,
    table_len: usize,
    byte_key: bool,
    key: *const c_char,
    key_len: usize,
    buffer: *mut *mut Buffer,
    data: *mut *const c_char,
    len: *mut usize,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        let write = &*write;
        fork::check(write.epoch)?;
        let name = text(table, table_len)?;
        let key = slice(key, key_len);
        let value = if byte_key {
            byte_keys::write_get(&write.txn, name, key)?
        } else {
            text_keys::write_get(&write.txn, name, key)?
        };
        *buffer = std::ptr::null_mut();
        if let Some(value) = value {
            give(value, buffer, data, len);
        }
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_scan(
    write: *const Write,
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
    guarded(error, || {
        let write = &*write;
        fork::check(write.epoch)?;
        let name = text(table, table_len)?;
        let range = range_of(range);
        let mut out = Vec::new();
        *more = if byte_key {
            byte_keys::write_scan(&write.txn, name, &range, &mut out)?
        } else {
            text_keys::write_scan(&write.txn, name, &range, &mut out)?
        };
        give(out, buffer, data, len);
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_count(
    write: *const Write,
    table: *const c_char,
    table_len: usize,
    byte_key: bool,
    count: *mut u64,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        let write = &*write;
        fork::check(write.epoch)?;
        let name = text(table, table_len)?;
        *count = if byte_key {
            byte_keys::write_count(&write.txn, name)?
        } else {
            text_keys::write_count(&write.txn, name)?
        };
        Ok(())
    })
}

/// # Safety
/// See the header.
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_write_drop_table(
    write: *const Write,
    table: *const c_char,
    table_len: usize,
    error: *mut *mut Failure,
) -> i32 {
    guarded(error, || {
        let write = &*write;
        fork::check(write.epoch)?;
        let name = text(table, table_len)?;
        let found = write.txn.list_tables()?.find(|handle| handle.name() == name);
        if let Some(handle) = found {
            write.txn.delete_table(handle)?;
        }
        Ok(())
    })
}

/// Panics on purpose, so that a test sees a panic become an error.
///
/// # Safety
/// See the header.
#[cfg(feature = "fault")]
#[no_mangle]
pub unsafe extern "C" fn tdmk_redb_panic(error: *mut *mut Failure) -> i32 {
    guarded(error, || -> Result<(), Failure> {
        panic!("asked for by a test")
    })
}
