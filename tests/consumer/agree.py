#!/usr/bin/env python3
"""Runs the example programs on a demonstration database and compares what they say with SQL.

agree.py MEMORIES_DB WORK_DIR --tidemark P --read P --sync P --rust P: exits 1 at the first
difference, naming it. The cache is made by the sync example itself.
"""
import argparse
import json
import pathlib
import re
import signal
import sqlite3
import struct
import subprocess
import sys

NEWEST = "SELECT {} FROM episodes ORDER BY start_time DESC, episode_id DESC LIMIT {}"
WINDOW = 1000  # SyncConfig's default


def same(found, expected, what):
    if found != expected:
        sys.exit(f"agree: {what}:\n  found    {found!r:.600}\n  expected {expected!r:.600}")


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    same(done.returncode, 0, f"the exit code of {' '.join(map(str, command))}\n{done.stderr}")
    return done.stdout


class Source:
    """What SQL says; values as the row's JSON has them."""

    def __init__(self, path):
        self.path = path
        self.db = sqlite3.connect(path)
        self.db.row_factory = sqlite3.Row

    def rows(self, sql, *arguments):
        return [dict(row) for row in self.db.execute(sql, arguments)]

    def newest(self, limit, columns="*"):
        return self.rows(NEWEST.format(columns, limit))


def interrupted(args, source, cache):
    """Ctrl-C in the middle of the first pass: exit 130, and no cache."""
    process = subprocess.Popen([args.sync, f"file:{source.path}", cache], stderr=subprocess.PIPE,
                               stdout=subprocess.PIPE, text=True)
    same(process.stderr.readline(), "  discover : 0 rows\n", "the first line of progress")
    # Stopped first, so that the pass cannot end before the signal is there.
    for number in (signal.SIGSTOP, signal.SIGINT, signal.SIGCONT):
        process.send_signal(number)
    process.communicate(timeout=60)
    same(process.returncode, 130, "the exit code of an interrupted sync")
    same(pathlib.Path(cache).exists(), False, "a cache after an interrupted first sync")


def check_sync(args, source, cache):
    lines = run(args.sync, f"file:{source.path}", cache, "patterns", "pa-0007").splitlines()
    report = json.loads(lines[0])
    counts = {name: report[f"{name}_synced"] for name in ("episodes", "patterns", "heuristics")}
    same(counts, {"episodes": WINDOW, "patterns": 200, "heuristics": 100}, "the report's counts")
    same(lines[1], "get patterns pa-0007: hit", "what sync says of an item")
    same(json.loads(lines[2]), source.rows("SELECT * FROM patterns WHERE pattern_id = 'pa-0007'")[0],
         "an item read back by the sync example")


def check_read(args, source, cache):
    lines = run(args.read, cache).splitlines()
    newest = source.newest(3)
    key = newest[0]["episode_id"]
    same(re.sub(r"\d+ ms", "N ms", lines[0]), "the cache is fresh, checked N ms ago", "freshness")
    same(lines[1:5], [f"{WINDOW} episodes, the newest:"] + [f"  {r['episode_id']}" for r in newest],
         "the newest episodes")
    embedding = source.rows("SELECT * FROM embeddings WHERE item_id = ?", key)[0]
    floats = (struct.unpack("<384f", embedding["embedding_vector"]) if embedding["embedding_vector"]
              else json.loads(embedding["embedding_data"]))
    same(lines[5], f"embedding {embedding['embedding_id']}: 384 floats from {floats[0]:.6f} "
         f"to {floats[-1]:.6f}", "a vector")
    same(lines[6], f"get episodes {key}: hit", "the presence of the newest episode")
    same(json.loads(lines[7]), newest[0], "the newest episode's row")
    same(run(args.read, cache, "patterns", "none").splitlines()[-1], "get patterns none: absent",
         "a pattern that the source does not have")
    same(run(args.read, cache, "episodes", "ep-0000000").splitlines()[-1],
         "get episodes ep-0000000: unknown", "an episode outside the window")


def check_list(args, source, cache):
    listed = [json.loads(line)["row"] for line in
              run(args.tidemark, "--cache", cache, "list", "episodes").splitlines()]
    same(listed, source.newest(WINDOW), "`tidemark list episodes`")


def as_rust(value):
    if value is None:
        return "NULL"
    return json.dumps(value) if isinstance(value, str) else repr(value)


def check_rust(args, source, cache):
    tables = {"patterns": source.rows("SELECT * FROM patterns ORDER BY pattern_id"),
              "episodes": sorted(source.newest(WINDOW), key=lambda row: row["episode_id"])}
    for table, rows in tables.items():
        expected = [" ".join([f"{table} {next(iter(row.values()))}"] +
                             [f"{name}={as_rust(value)}" for name, value in row.items()])
                    for row in rows]
        same(run(args.rust, cache, table).splitlines(), expected, f"the Rust program's {table}")
    blobs = source.rows("SELECT embedding_id, embedding_vector FROM embeddings WHERE item_type = "
                        "'pattern' AND embedding_vector IS NOT NULL ORDER BY embedding_id LIMIT 1")
    id, blob = blobs[0].values()
    line = next(line for line in run(args.rust, cache, "embeddings").splitlines()
                if line.startswith(f"embeddings {id} "))
    same(re.search(r"embedding_vector=(.*?) dimension", line).group(1),
         f"vector(384) from {struct.unpack_from('<f', blob)[0]:.6f}", f"the Rust program's {id}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("memories")
    parser.add_argument("work", type=pathlib.Path)
    for program in ("tidemark", "read", "sync", "rust"):
        parser.add_argument(f"--{program}", required=True)
    args = parser.parse_args()
    source, cache = Source(args.memories), str(args.work / "memories.redb")
    interrupted(args, source, cache)
    for check in (check_sync, check_read, check_list, check_rust):
        check(args, source, cache)
    print("agree: the sync, read and Rust programs and `tidemark list` say what SQL says")


if __name__ == "__main__":
    main()
