//! Reads a tidemark cache with the redb crate alone, as docs/cache-format.md describes it.
//! Run: cargo run -- memories.redb [TABLE]     prints one row a line: TABLE KEY column=value ...
use redb::{Builder, ConcurrencyMode, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition};
use std::error::Error;
use xxhash_rust::xxh3::xxh3_64;

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// A cell as text: its type byte says what the payload is.
fn cell(kind: u8, payload: &[u8]) -> String {
    match kind {
        0 => "NULL".into(),
        1 => i64::from_le_bytes(payload.try_into().unwrap()).to_string(),
        2 => format!("{:?}", f64::from_le_bytes(payload.try_into().unwrap())),
        3 => format!("{:?}", std::str::from_utf8(payload).unwrap()),
        4 => format!("blob({})", payload.len()),
        5 => {
            let mut floats = payload.chunks(4).map(|f| f32::from_le_bytes(f.try_into().unwrap()));
            let first = floats.next().unwrap_or_default();
            format!("vector({}) from {first:.6}", payload.len() / 4)
        }
        6 => "as the vector".into(),
        other => format!("type {other}?"),
    }
}

/// The hash covers the table's name and the key too, so that no row can pass for another one.
fn hash_is_right(table: &str, key: &str, row: &[u8]) -> bool {
    let mut hashed = Vec::new();
    for part in [table, key] {
        hashed.extend((part.len() as u32).to_le_bytes());
        hashed.extend(part.as_bytes());
    }
    hashed.extend(&row[..8]);
    hashed.extend(&row[16..]);
    row[8..16] == xxh3_64(&hashed).to_le_bytes()
}

/// A record of meta comes after its hash, which covers its name too.
fn record<'a>(name: &str, stored: &'a [u8]) -> Result<&'a [u8], Box<dyn Error>> {
    let (hash, bytes) = stored.split_at_checked(8).ok_or("no record")?;
    let hashed = [&(name.len() as u32).to_le_bytes(), name.as_bytes(), bytes].concat();
    if hash != xxh3_64(&hashed).to_le_bytes() {
        return Err(format!("the record {name} is damaged").into());
    }
    Ok(bytes)
}

fn print_row(table: &str, key: &str, row: &[u8], catalog: &serde_json::Value) {
    assert!(row[0] == 1 && hash_is_right(table, key, row), "{table} {key} is damaged");
    let columns = u16::from_le_bytes([row[2], row[3]]) as usize;
    let names = &catalog["schemas"][u32_at(row, 4).to_string()];
    let payloads = &row[16 + 5 * columns..];
    let mut start = 0;
    print!("{table} {key}");
    for column in 0..columns {
        let at = 16 + 5 * column;
        let end = u32_at(row, at + 1) as usize;
        print!(" {}={}", names[column].as_str().unwrap(), cell(row[at], &payloads[start..end]));
        start = end;
    }
    println!();
}

fn print_table(
    txn: &ReadTransaction,
    table: &str,
    catalog: &serde_json::Value,
) -> Result<(), Box<dyn Error>> {
    for entry in txn.open_table(TableDefinition::<&str, &[u8]>::new(table))?.iter()? {
        let (key, row) = entry?;
        print_row(table, key.value(), row.value(), catalog);
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let path = arguments.get(1).ok_or("usage: rust-reader CACHE [TABLE]")?;
    // Not redb's default mode, which would keep the writer out while this program has it open.
    let db = Builder::new().set_concurrency_mode(ConcurrencyMode::SingleWriter).open_read_only(path)?;
    let txn = db.begin_read()?; // one commit: rows and catalog agree
    let meta = txn.open_table(TableDefinition::<&str, &[u8]>::new("tidemark:meta"))?;
    let catalog = meta.get("catalog")?.ok_or("not a tidemark cache")?;
    let catalog: serde_json::Value = serde_json::from_slice(record("catalog", catalog.value())?)?;
    for collection in catalog["collections"].as_array().ok_or("no collections")? {
        let table = collection["name"].as_str().ok_or("no name")?;
        if arguments.get(2).is_none_or(|wanted| wanted == table) {
            print_table(&txn, table, &catalog)?;
        }
    }
    Ok(())
}
