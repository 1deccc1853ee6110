//! Whether a page that came from the file is the page that was written there. redb keeps the
//! checksum of each page in its parent, and those of the roots in the commit slot, but looks at
//! them in a repair only: a bit that flips in an address then leads a read to an older page, whose
//! rows are sound. Here every page of the user's trees is compared, once, as it is loaded.
//!
//! Layouts are those of redb 4.6 (file format 3), which Cargo.toml pins: a page that its parent
//! names has a known checksum; one that nothing names yet (redb's own tables, what this process
//! wrote itself) is let pass.

use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};
use xxhash_rust::xxh3::xxh3_128;

const PAGE_BYTES: usize = 4096;

// The header: a byte of flags, the sizes of regions, two commit slots.
const HEADER_BYTES: usize = 320;
const FLAGS_AT: usize = 9;
const SECOND_SLOT_IS_PRIMARY: u8 = 1;
const PRIMARY_UNFLUSHED: u8 = 8; // until it is not, others read the slot of the commit before
const REGION_HEADER_PAGES_AT: usize = 16;
const REGION_PAGES_AT: usize = 20;
const REGION_PAGES_MAX: u32 = 1 << 20; // of either, or redb refuses the file
const SLOTS_AT: usize = 64;
const SLOT_BYTES: usize = 128;
const SLOT_CHECKSUM_AT: usize = 112;
const HAS_ROOT_AT: usize = 1;
const ROOT_AT: usize = 8;

const LEAF: u8 = 1;
const BRANCH: u8 = 2;
const COUNT_AT: usize = 2; // of a leaf's entries or a branch's keys, which are one less than its children
const LEAF_ENDS_AT: usize = 4; // u32 for each key, then for each value
const BRANCH_CHECKSUMS_AT: usize = 8; // then the page numbers, then u32 for each key's end
const CHECKSUM_BYTES: usize = 16;
const NUMBER_BYTES: usize = 8;
const DEFERRED: u128 = 999; // of a child that is not committed

// What the tree of tables says of one: its kind, length, root, and widths if they are fixed.
const TABLE_HAS_ROOT_AT: usize = 9;
const TABLE_ROOT_AT: usize = 10;
const TABLE_FIXED_KEYS_AT: usize = 42;
const TABLE_FIXED_VALUES_AT: usize = 47;

/// What a tree's leaves hold.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Rows = 1,
    Tables = 2,
}

/// A page that is not the one that its parent names; `offset` in the file.
#[derive(Debug)]
pub struct Damaged {
    pub offset: u64,
}

impl fmt::Display for Damaged {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "the page at byte {} of the file does not match its checksum", self.offset)
    }
}

impl std::error::Error for Damaged {}

/// Of each page 62 bits of its checksum, and what its tree holds; 0: not known.
#[derive(Default, Debug)]
struct Known {
    region_header_bytes: u64,
    region_bytes: u64,
    pages: Vec<u64>,
}

thread_local! {
    static COMMIT: Cell<u64> = const { Cell::new(0) };
}

/// Of the header that this thread has read last, bits of its commit slot's checksum, which tell one
/// commit of a file from others; 0: not known. To be asked right after a read transaction began.
pub fn commit_read_last() -> u64 {
    COMMIT.get()
}

/// What is known of one open file's pages. Thread-safe.
#[derive(Default, Debug)]
pub struct Pages {
    checking: AtomicBool,
    slot: AtomicU64, // bits of the checksum of the commit slot that was taken last
    known: RwLock<Known>,
    damaged: AtomicU64, // offset of a page that was, since the newest commit came; 0: none
}

impl Pages {
    /// From now on pages are compared, or no more: redb's own checks are to see all as it is.
    /// What held before.
    pub fn set_checking(&self, checking: bool) -> bool {
        self.checking.swap(checking, Ordering::AcqRel)
    }

    /// A page that did not match, if there was any since the newest commit came.
    pub fn damage(&self) -> Option<Damaged> {
        let offset = self.damaged.load(Ordering::Relaxed);
        (offset != 0).then_some(Damaged { offset })
    }

    /// Looks at what was read from the file.
    pub fn check(&self, offset: u64, bytes: &[u8]) -> Result<(), Damaged> {
        if offset == 0 {
            self.take_header(bytes);
            return Ok(());
        }
        if !self.checking.load(Ordering::Acquire) {
            return Ok(());
        }
        let Some(known) = self.known_of(offset) else { return Ok(()) };
        let holds = if known & 3 == Holds::Tables as u64 { Holds::Tables } else { Holds::Rows };
        let checksum = end_of(bytes).map(|end| xxh3_128(&bytes[..end]));
        if checksum.map(|checksum| tag(checksum, holds)) != Some(known) {
            self.damaged.store(offset, Ordering::Relaxed);
            return Err(Damaged { offset });
        }
        match (bytes[0], holds) {
            (BRANCH, _) => self.expect(&children_of(bytes), holds),
            (_, Holds::Tables) => self.expect(&roots_in(bytes), Holds::Rows),
            _ => {}
        }
        Ok(())
    }

    /// Forgets what is written anew; a header says where the trees of its commit begin.
    pub fn wrote(&self, offset: u64, bytes: &[u8]) {
        if offset == 0 {
            return self.take_header(bytes);
        }
        let first = index_of(offset);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        let end = (first + bytes.len().div_ceil(PAGE_BYTES)).min(known.pages.len());
        if first < end {
            known.pages[first..end].fill(0);
        }
    }

    fn known_of(&self, offset: u64) -> Option<u64> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.pages.get(index_of(offset)).copied().filter(|&known| known != 0)
    }

    fn expect(&self, children: &[Child], holds: Holds) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for child in children {
            known.expect(child, holds);
        }
    }

    fn take_header(&self, bytes: &[u8]) {
        let Some(header) = bytes.get(..HEADER_BYTES) else { return };
        let second = header[FLAGS_AT] & SECOND_SLOT_IS_PRIMARY != 0;
        let unflushed = header[FLAGS_AT] & PRIMARY_UNFLUSHED != 0;
        let start = SLOTS_AT + if second != unflushed { SLOT_BYTES } else { 0 };
        let slot = &header[start..start + SLOT_BYTES];
        let seen = u64_at(slot, SLOT_CHECKSUM_AT);
        COMMIT.set(seen);
        if self.slot.load(Ordering::Acquire) == seen {
            return;
        }
        let sound = u128_at(slot, SLOT_CHECKSUM_AT) == xxh3_128(&slot[..SLOT_CHECKSUM_AT])
            && u32_at(header, REGION_HEADER_PAGES_AT) <= REGION_PAGES_MAX
            && u32_at(header, REGION_PAGES_AT) <= REGION_PAGES_MAX;
        if !sound || slot[HAS_ROOT_AT] == 0 {
            return;
        }
        {
            let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
            known.set_regions(header);
            known.expect(&child_at(slot, ROOT_AT), Holds::Tables);
        }
        self.damaged.store(0, Ordering::Relaxed);
        self.slot.store(seen, Ordering::Release);
    }
}

impl Known {
    fn set_regions(&mut self, header: &[u8]) {
        let page = PAGE_BYTES as u64;
        self.region_header_bytes = u64::from(u32_at(header, REGION_HEADER_PAGES_AT)) * page;
        let pages = u64::from(u32_at(header, REGION_PAGES_AT)) * page;
        self.region_bytes = self.region_header_bytes + pages;
    }

    fn expect(&mut self, child: &Child, holds: Holds) {
        let index = index_of(self.offset_of(child.number));
        if index >= self.pages.len() {
            // Zeroes from the system, of which only those are touched that are written to.
            let mut larger = vec![0; (index + 1).next_power_of_two()];
            larger[..self.pages.len()].copy_from_slice(&self.pages);
            self.pages = larger;
        }
        self.pages[index] =
            if child.checksum == DEFERRED { 0 } else { tag(child.checksum, holds) };
    }

    // Of a page number the lowest 20 bits are the index in its region, in pages of its own size,
    // then 20 bits its region; the upper 5 say how often the size is doubled.
    fn offset_of(&self, number: u64) -> u64 {
        let doubled = number >> 59;
        let index = number & (0xF_FFFF >> doubled);
        let region = number >> 20 & 0xF_FFFF;
        let start = PAGE_BYTES as u64 + region * self.region_bytes + self.region_header_bytes;
        start + index * ((PAGE_BYTES as u64) << doubled)
    }
}

struct Child {
    number: u64,
    checksum: u128,
}

fn tag(checksum: u128, holds: Holds) -> u64 {
    checksum as u64 & !3 | holds as u64
}

fn index_of(offset: u64) -> usize {
    (offset / PAGE_BYTES as u64) as usize
}

/// Where the content of a page ends, which its checksum covers; None: it says something impossible.
fn end_of(page: &[u8]) -> Option<usize> {
    let count = usize::from(u16_at(page, COUNT_AT));
    let last = count.checked_sub(1)?;
    let end_at = match page[0] {
        LEAF => LEAF_ENDS_AT + 4 * (count + last),
        BRANCH => keys_end_at(count) + 4 * last,
        _ => return None,
    };
    let end = u32::from_le_bytes(page.get(end_at..end_at + 4)?.try_into().ok()?) as usize;
    (end <= page.len()).then_some(end)
}

fn keys_end_at(keys: usize) -> usize {
    BRANCH_CHECKSUMS_AT + (CHECKSUM_BYTES + NUMBER_BYTES) * (keys + 1)
}

// Of a page that matched its checksum, as the next one.
fn children_of(branch: &[u8]) -> Vec<Child> {
    let count = usize::from(u16_at(branch, COUNT_AT)) + 1;
    let numbers_at = BRANCH_CHECKSUMS_AT + CHECKSUM_BYTES * count;
    (0..count)
        .map(|n| Child {
            number: u64_at(branch, numbers_at + NUMBER_BYTES * n),
            checksum: u128_at(branch, BRANCH_CHECKSUMS_AT + CHECKSUM_BYTES * n),
        })
        .collect()
}

// Of tables with keys and values of any length, as all of tidemark's are.
fn roots_in(leaf: &[u8]) -> Vec<Child> {
    let count = usize::from(u16_at(leaf, COUNT_AT));
    let end = |n: usize| u32_at(leaf, LEAF_ENDS_AT + 4 * n) as usize;
    (count..2 * count)
        .map(|n| &leaf[end(n - 1)..end(n)])
        .filter(|table| {
            table[TABLE_HAS_ROOT_AT] != 0
                && table[TABLE_FIXED_KEYS_AT] == 0
                && table[TABLE_FIXED_VALUES_AT] == 0
        })
        .map(|table| child_at(table, TABLE_ROOT_AT))
        .collect()
}

fn child_at(bytes: &[u8], at: usize) -> Child {
    Child { number: u64_at(bytes, at), checksum: u128_at(bytes, at + NUMBER_BYTES) }
}

fn bytes_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("N bytes")
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes_at(bytes, at))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes_at(bytes, at))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes_at(bytes, at))
}

fn u128_at(bytes: &[u8], at: usize) -> u128 {
    u128::from_le_bytes(bytes_at(bytes, at))
}
