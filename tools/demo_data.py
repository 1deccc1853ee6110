#!/usr/bin/env python3
"""Makes and edits a demonstration memory database in the reference schema; deterministic."""
import argparse
import json
import random
import sqlite3
import struct

SCHEMA = """
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_type TEXT, task_description TEXT, context TEXT,
  start_time INTEGER, end_time INTEGER, steps TEXT, outcome TEXT, reward REAL, reflection TEXT,
  patterns TEXT, heuristics TEXT, checkpoints TEXT, metadata TEXT, domain TEXT, language TEXT,
  created_at INTEGER, archived_at INTEGER);
CREATE INDEX episodes_by_start ON episodes(start_time);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, pattern_data TEXT,
  success_rate REAL, context_domain TEXT, context_language TEXT, context_tags TEXT,
  occurrence_count INTEGER, created_at INTEGER, updated_at INTEGER);
CREATE TABLE heuristics(heuristic_id TEXT PRIMARY KEY, condition_text TEXT, action_text TEXT,
  confidence REAL, evidence TEXT, created_at INTEGER, updated_at INTEGER);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,
  embedding_data TEXT, embedding_vector F32_BLOB(384), dimension INTEGER, model TEXT,
  created_at INTEGER);
CREATE INDEX embeddings_by_item ON embeddings(item_id);
"""
START = 1_760_000_000
TASKS = ["fix a failing test", "add an endpoint", "refactor a module", "review a change",
         "trace a slow query", "update dependencies", "write a migration", "explain a stack trace"]
DOMAINS = ["web", "storage", "compilers", "networking", "billing"]
LANGUAGES = ["Rust", "Python", "C++", "Go", "TypeScript"]
WORDS = ("agent read the module then ran its tests and found that one assertion compared a cached value "
         "with a fresh one so it traced the write path noticed a missing invalidation and proposed a "
         "smaller change which passed").split()


def text(rng, size):
    words = []
    length = 0
    while length < size:
        word = rng.choice(WORDS)
        words.append(word)
        length += len(word) + 1
    return " ".join(words)


def episode(rng, i, when, row_bytes):
    steps = json.dumps([{"tool": rng.choice(["read", "edit", "run"]), "ok": rng.random() < 0.9}
                        for _ in range(3)])
    return (f"ep-{i:07d}", rng.choice(TASKS).split()[0], rng.choice(TASKS), text(rng, row_bytes // 3),
            when, when + rng.randrange(30, 900), steps, rng.choice(["success", "failure", "partial"]),
            round(rng.random(), 4), text(rng, row_bytes // 2), "[]", "[]", None,
            json.dumps({"run": i}), rng.choice(DOMAINS), rng.choice(LANGUAGES), when, None)


def vector(rng):
    numbers = [rng.uniform(-1, 1) for _ in range(384)]
    blob = struct.pack("<384f", *numbers)
    return blob, json.dumps([round(n, 9) for n in struct.unpack("<384f", blob)])


def embedding(rng, item, kind, number):
    blob, as_text = vector(rng)
    if number % 4 == 3:
        blob = None  # only JSON text
    return (f"em-{item}", item, kind, as_text if blob is None or number % 4 == 0 else None, blob, 384,
            "all-minilm", START)


def make(args):
    rng = random.Random(args.seed)
    db = sqlite3.connect(args.path)
    db.executescript(SCHEMA)
    db.executemany(f"INSERT INTO episodes VALUES({','.join('?' * 18)})",
                   (episode(rng, i, START + i * 60 + rng.randrange(60), args.row_bytes)
                    for i in range(args.episodes)))
    patterns = [(f"pa-{i:04d}", rng.choice(["tool", "plan", "debug"]), text(rng, 200),
                 round(rng.random(), 3), rng.choice(DOMAINS), rng.choice(LANGUAGES), "[]",
                 rng.randrange(1, 50), START, START) for i in range(200)]
    db.executemany(f"INSERT INTO patterns VALUES({','.join('?' * 10)})", patterns)
    heuristics = [(f"he-{i:04d}", text(rng, 80), text(rng, 80), round(rng.random(), 3), "[]", START,
                   START) for i in range(100)]
    db.executemany(f"INSERT INTO heuristics VALUES({','.join('?' * 7)})", heuristics)
    if not args.no_embeddings:
        items = [(f"ep-{i:07d}", "episode") for i in range(max(0, args.episodes - 1200), args.episodes)]
        items += [(row[0], "pattern") for row in patterns] + [(row[0], "heuristic") for row in heuristics]
        db.executemany("INSERT INTO embeddings VALUES(?,?,?,?,?,?,?,?)",
                       (embedding(rng, item, kind, n) for n, (item, kind) in enumerate(items)))
    db.commit()


def edit(args):
    """A fixed set of edits among the newest episodes; prints what it did as JSON."""
    db = sqlite3.connect(args.path)
    newest = [row[0] for row in db.execute(
        "SELECT episode_id FROM episodes ORDER BY start_time DESC, episode_id DESC LIMIT 200")]
    top = db.execute("SELECT max(start_time) FROM episodes").fetchone()[0]
    rng = random.Random(args.seed + 1)
    done = {"updated": newest[10:13], "redated": newest[50:52], "deleted": newest[100:104],
            "inserted": [f"ep-new-{i}" for i in range(5)], "pattern_changed": ["pa-0007"],
            "heuristic_deleted": ["he-0003"]}
    for key in done["updated"]:
        db.execute("UPDATE episodes SET reflection = 'edited' WHERE episode_id = ?", (key,))
    for key in done["redated"]:
        db.execute("UPDATE episodes SET start_time = ? WHERE episode_id = ?", (top + 1, key))
    for key in done["deleted"]:
        db.execute("DELETE FROM episodes WHERE episode_id = ?", (key,))
    for i, key in enumerate(done["inserted"]):
        row = (key,) + episode(rng, i, top + 10 + i, 1300)[1:]
        db.execute(f"INSERT INTO episodes VALUES({','.join('?' * 18)})", row)
    db.execute("UPDATE patterns SET success_rate = 0.999 WHERE pattern_id = 'pa-0007'")
    db.execute("DELETE FROM heuristics WHERE heuristic_id = 'he-0003'")
    db.commit()
    print(json.dumps(done))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    maker = commands.add_parser("make")
    maker.add_argument("path")
    maker.add_argument("--episodes", type=int, default=5000)
    maker.add_argument("--row-bytes", type=int, default=1100, help="about, before JSON columns")
    maker.add_argument("--no-embeddings", action="store_true")
    maker.add_argument("--seed", type=int, default=7)
    maker.set_defaults(run=make)
    editor = commands.add_parser("edit")
    editor.add_argument("path")
    editor.add_argument("--seed", type=int, default=7)
    editor.set_defaults(run=edit)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
