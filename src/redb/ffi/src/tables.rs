//! Reads and writes by key type: `&str` or `&[u8]` keys, `&[u8]` values.

use crate::failure::{Code, Failure};
use redb::{ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition,
           TableError, WriteTransaction};
use std::ops::Bound;

/// A range and the bounds of one slice of it.
pub struct Range<'a> {
    pub from: Bound<&'a [u8]>,
    pub to: Bound<&'a [u8]>,
    pub backward: bool,
    pub entries_max: usize,
    pub bytes_max: usize,
    pub keys_only: bool,
}

impl Range<'_> {
    // redb panics on a range whose start lies after its end.
    fn is_empty(&self) -> bool {
        match (self.from, self.to) {
            (Bound::Included(a), Bound::Included(b)) => a > b,
            (Bound::Included(a) | Bound::Excluded(a), Bound::Included(b) | Bound::Excluded(b)) => {
                a >= b
            }
            _ => false,
        }
    }
}

/// One change: no value deletes the key.
pub struct Change<'a> {
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

fn text(bytes: &[u8]) -> Result<&str, Failure> {
    std::str::from_utf8(bytes).map_err(|_| Failure::new(Code::Invalid, "a key is not UTF-8"))
}

fn raw(bytes: &[u8]) -> Result<&[u8], Failure> {
    Ok(bytes)
}

fn append_entry(out: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    out.extend_from_slice(&(key.len() as u32).to_le_bytes());
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(key);
    out.extend_from_slice(value);
}

macro_rules! by_key_type {
    ($module:ident, $key:ty, $short:ty, $decode:path, $bytes:expr) => {
        pub mod $module {
            use super::*;

            pub type Table = ReadOnlyTable<$key, &'static [u8]>;

            pub fn open(txn: &ReadTransaction, name: &str) -> Result<Option<Table>, Failure> {
                match txn.open_table(TableDefinition::<$key, &[u8]>::new(name)) {
                    Ok(table) => Ok(Some(table)),
                    Err(TableError::TableDoesNotExist(_)) => Ok(None),
                    Err(error) => Err(error.into()),
                }
            }

            pub fn get(
                table: &Table,
                key: &[u8],
            ) -> Result<Option<redb::AccessGuard<'static, &'static [u8]>>, Failure> {
                Ok(table.get($decode(key)?)?)
            }

            pub fn scan(
                table: &impl ReadableTable<$key, &'static [u8]>,
                range: &Range,
                out: &mut Vec<u8>,
            ) -> Result<bool, Failure> {
                if range.is_empty() {
                    return Ok(false);
                }
                let bounds = (decoded(range.from, $decode)?, decoded(range.to, $decode)?);
                let mut entries = table.range::<$short>(bounds)?;
                let mut count = 0;
                loop {
                    let next = if range.backward { entries.next_back() } else { entries.next() };
                    let Some(entry) = next else { return Ok(false) };
                    if count >= range.entries_max || (count > 0 && out.len() >= range.bytes_max) {
                        return Ok(true);
                    }
                    let (key, value) = entry?;
                    let value = if range.keys_only { &[][..] } else { value.value() };
                    append_entry(out, $bytes(key.value()), value);
                    count += 1;
                }
            }

            pub fn apply(
                txn: &WriteTransaction,
                name: &str,
                changes: &[Change],
            ) -> Result<(), Failure> {
                let mut table = txn.open_table(TableDefinition::<$key, &[u8]>::new(name))?;
                for change in changes {
                    let key = $decode(change.key)?;
                    match change.value {
                        Some(value) => drop(table.insert(key, value)?),
                        None => drop(table.remove(key)?),
                    }
                }
                Ok(())
            }

            pub fn write_get(
                txn: &WriteTransaction,
                name: &str,
                key: &[u8],
            ) -> Result<Option<Vec<u8>>, Failure> {
                let table = txn.open_table(TableDefinition::<$key, &[u8]>::new(name))?;
                let value = table.get($decode(key)?)?;
                Ok(value.map(|guard| guard.value().to_vec()))
            }

            pub fn write_scan(
                txn: &WriteTransaction,
                name: &str,
                range: &Range,
                out: &mut Vec<u8>,
            ) -> Result<bool, Failure> {
                let table = txn.open_table(TableDefinition::<$key, &[u8]>::new(name))?;
                scan(&table, range, out)
            }

            pub fn write_count(txn: &WriteTransaction, name: &str) -> Result<u64, Failure> {
                Ok(txn.open_table(TableDefinition::<$key, &[u8]>::new(name))?.len()?)
            }
        }
    };
}

fn decoded<'a, T>(
    bound: Bound<&'a [u8]>,
    decode: fn(&'a [u8]) -> Result<T, Failure>,
) -> Result<Bound<T>, Failure> {
    Ok(match bound {
        Bound::Included(key) => Bound::Included(decode(key)?),
        Bound::Excluded(key) => Bound::Excluded(decode(key)?),
        Bound::Unbounded => Bound::Unbounded,
    })
}

by_key_type!(text_keys, &'static str, &str, text, str::as_bytes);
by_key_type!(byte_keys, &'static [u8], &[u8], raw, std::convert::identity);
