//! do-memory as its users run it, driven by lines on standard input: `write`, `connect`, `fill`,
//! `pull`, `get`, `count`, `value`, `open`. Each answers one line of JSON; times are of the work alone.

mod episodes;

use std::error::Error;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use do_memory_core::{StorageBackend, StorageSynchronizer};
use do_memory_storage_redb::{RedbQuery, RedbStorage};
use do_memory_storage_turso::TursoStorage;
use uuid::Uuid;

const KEYS_READ: usize = 1_000;

type Answer = Result<String, Box<dyn Error>>;

/// What stays open between two commands.
struct Held {
    cache: Arc<RedbStorage>,
    synchronizer: StorageSynchronizer<TursoStorage, RedbStorage>,
    keys: Vec<Uuid>, // of the episodes, once asked for
}

#[tokio::main]
async fn main() {
    let mut held = None;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("a line of standard input");
        let words: Vec<&str> = line.split_whitespace().collect();
        match answer(&mut held, &words).await {
            Ok(text) => println!("{{{text}}}"),
            Err(error) => println!("{{\"error\": {:?}}}", error.to_string()),
        }
    }
}

async fn answer(held: &mut Option<Held>, words: &[&str]) -> Answer {
    match (words, held.as_mut()) {
        (["write", source, count, every], _) => write(source, count.parse()?, every.parse()?).await,
        (["fill", source, cache], _) => {
            *held = None;
            let (opened, text) = fill(source, cache).await?;
            *held = Some(opened);
            Ok(text)
        }
        (["connect", url], _) => {
            TursoStorage::new(url, "token").await?;
            Ok(String::new())
        }
        (["open", cache], _) => open(cache).await,
        (["close"], _) => {
            *held = None;
            Ok(String::new())
        }
        (["pull"], Some(held)) => pull(held).await,
        (["get", reads], Some(held)) => get(held, reads.parse()?).await,
        (["count"], Some(held)) => {
            let rows = held
                .cache
                .get_all_episodes(&RedbQuery::default())
                .await?
                .len();
            let embeddings = StorageBackend::list_embedding_ids(&*held.cache)
                .await?
                .len();
            Ok(format!("\"rows\": {rows}, \"embeddings\": {embeddings}"))
        }
        (["value", key], Some(held)) => {
            let found = held.cache.get_episode(key.parse()?).await?;
            Ok(match found {
                Some(episode) => format!("\"value\": \"{}\"", episode.task_type),
                None => "\"value\": null".to_string(),
            })
        }
        _ => Err(format!("cannot {}", words.join(" ")).into()),
    }
}

/// A memory database: that many episodes, an embedding for one in `every`, patterns and heuristics.
async fn write(source: &str, count: usize, every: usize) -> Answer {
    let storage = TursoStorage::new_local(source).await?;
    storage.initialize_schema().await?;
    episodes::write(&storage, count, every).await?;
    Ok(format!("\"rows\": {count}"))
}

/// The first copy into a cache that is not there. Connecting to the source is not timed.
async fn fill(source: &str, cache: &str) -> Result<(Held, String), Box<dyn Error>> {
    let source = Arc::new(TursoStorage::new_local(source).await?);
    let start = Instant::now();
    let cache = Arc::new(RedbStorage::new(Path::new(cache)).await?);
    let held = Held {
        synchronizer: StorageSynchronizer::new(source, Arc::clone(&cache)),
        cache,
        keys: Vec::new(),
    };
    let stats = held
        .synchronizer
        .sync_all_recent_episodes(Default::default())
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    let rows = stats.episodes_synced;
    Ok((held, format!("\"seconds\": {seconds}, \"rows\": {rows}")))
}

/// The cache in a process that does not sync.
async fn open(cache: &str) -> Answer {
    let cache = RedbStorage::new(Path::new(cache)).await?;
    let rows = cache.get_all_episodes(&RedbQuery::default()).await?;
    Ok(format!("\"rows\": {}", rows.len()))
}

async fn pull(held: &Held) -> Answer {
    let start = Instant::now();
    let stats = held
        .synchronizer
        .sync_all_recent_episodes(Default::default())
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    Ok(format!(
        "\"seconds\": {seconds}, \"rows\": {}",
        stats.episodes_synced
    ))
}

/// One episode at a time, by its key: 1,000 keys from all over the cache, again and again.
async fn get(held: &mut Held, reads: usize) -> Answer {
    if held.keys.is_empty() {
        let all = held.cache.get_all_episodes(&RedbQuery::default()).await?;
        held.keys = all.iter().map(|episode| episode.episode_id).collect();
    }
    let step = held.keys.len() / KEYS_READ;
    let start = Instant::now();
    let mut length = 0;
    for read in 0..reads {
        let found = held
            .cache
            .get_episode(held.keys[(read % KEYS_READ) * step])
            .await?;
        length += found
            .ok_or("an episode that was there")?
            .task_description
            .len();
    }
    let seconds = start.elapsed().as_secs_f64();
    Ok(format!("\"seconds\": {seconds}, \"bytes\": {length}"))
}
