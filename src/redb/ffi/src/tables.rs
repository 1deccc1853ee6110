//! Reads and writes by key type: `&str` or `&[u8]` keys, `&[u8]` values.

use crate::failure::{Code, Failure};
use redb::{CursorError, ReadOnlyTable, ReadTransaction, ReadableTable, ReadableTableMetadata, TableDefinition,
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

/// When a batch goes through a cursor. Opening one costs about an insert, and it saves most of each
/// insert of its run: worth it for runs (1.6 times the rows a second at 300 bytes, 1.3 at 1,300),
/// not for keys that scatter over the table.
struct Runs {
    wait: usize,
    penalty: usize,
}

// redb gathers a run in one buffer that grows by doubling. Twice this size stays below glibc's
// first threshold (128 KiB) for blocks that it gets from the system and gives back each time: with
// runs of 192 KiB a third of a fill's page faults were of these buffers.
const RUN_BYTES_MAX: usize = 60 << 10;
const RUN_MIN: usize = 8;
const PENALTY_MAX: usize = 1024;

impl Runs {
    fn new() -> Self {
        Self { wait: 0, penalty: 1 }
    }

    fn try_here(&mut self, changes: &[Change]) -> bool {
        if self.wait > 0 {
            self.wait -= 1;
            return false;
        }
        matches!(changes, [a, b, ..] if a.value.is_some() && b.value.is_some() && a.key < b.key)
    }

    fn took(&mut self, taken: usize) {
        self.penalty = if taken >= RUN_MIN { 1 } else { (self.penalty * 2).min(PENALTY_MAX) };
        self.wait = self.penalty;
    }
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

/// In place of a length: no such key.
const MISSING: u32 = u32::MAX;

fn append_value(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
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
                let mut runs = Runs::new();
                let mut rest = changes;
                while let Some((change, others)) = rest.split_first() {
                    if runs.try_here(rest) {
                        let taken = insert_run(&mut table, rest)?;
                        runs.took(taken);
                        rest = &rest[taken..];
                        continue;
                    }
                    let key = $decode(change.key)?;
                    match change.value {
                        Some(value) => drop(table.insert(key, value)?),
                        None => drop(table.remove(key)?),
                    }
                    rest = others;
                }
                Ok(())
            }

            // Inserts through one gap for as long as keys are new and ascend in it; how many.
            fn insert_run(
                table: &mut redb::Table<$key, &'static [u8]>,
                changes: &[Change],
            ) -> Result<usize, Failure> {
                let mut cursor = table.lower_bound_mut(Bound::Included($decode(changes[0].key)?))?;
                let mut taken = 0;
                let mut bytes = 0;
                for change in changes {
                    let Some(value) = change.value else { break };
                    if bytes >= RUN_BYTES_MAX {
                        break;
                    }
                    bytes += change.key.len() + value.len();
                    match cursor.insert_before($decode(change.key)?, value) {
                        Ok(()) => taken += 1,
                        Err(CursorError::UnorderedKey) => break,
                        Err(error) => return Err(redb::Error::from(error).into()),
                    }
                }
                cursor.close()?;
                Ok(taken)
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

            /// The values of the first keys, at least of one and until `bytes_max`; how many.
            pub fn write_get_batch(
                txn: &WriteTransaction,
                name: &str,
                keys: &[Change],
                bytes_max: usize,
                out: &mut Vec<u8>,
            ) -> Result<usize, Failure> {
                let table = txn.open_table(TableDefinition::<$key, &[u8]>::new(name))?;
                for (answered, change) in keys.iter().enumerate() {
                    if answered > 0 && out.len() >= bytes_max {
                        return Ok(answered);
                    }
                    match table.get($decode(change.key)?)? {
                        Some(value) => append_value(out, value.value()),
                        None => out.extend_from_slice(&MISSING.to_le_bytes()),
                    }
                }
                Ok(keys.len())
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
