#!/usr/bin/python3
"""What reading through the Python package costs over the C++ reader doing the same.

python_reading.py BUILD [--json FILE]: BUILD is a build with benchmarks, such as build/release. Both
read one cache, in turns; counted is the processor time of the thread that reads.
"""
import argparse
import json
import os
import pathlib
import random
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import numpy

ROWS, DIMENSION, READS = 20_000, 384, 2_000
ROUNDS = 15  # at least 7
TREE = pathlib.Path(__file__).resolve().parent.parent
SOURCE = f"""
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_type TEXT, task_description TEXT, context TEXT, outcome TEXT,
  reward REAL, steps INTEGER, start_time INTEGER);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT, embedding_vector F32_BLOB({DIMENSION}),
  dimension INTEGER, model TEXT);
"""


class Peer:
    """The C++ reader, as a program that is told what to do."""

    def __init__(self, program, cache, keys):
        self._process = subprocess.Popen([program, cache, keys], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def seconds(self, work, times):
        print(work, times, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def end(self):
        self._process.stdin.close()
        assert self._process.wait() == 0


class Reads:
    """The same through the package; each name is one of the peer's, with _ for -."""

    def __init__(self, tidemark, cache, keys):
        self._cache = tidemark.open(cache)
        self._keys = keys

    def seconds(self, work, times):
        read = getattr(self, work.replace("-", "_"))
        start = time.thread_time()
        read(times)
        return time.thread_time() - start

    def get_snapshot(self, _):
        with self._cache.snapshot() as snapshot:
            for key in self._keys:
                assert snapshot.get("episodes", key).row["task_description"]

    def get(self, _):
        for key in self._keys:
            assert self._cache.get("episodes", key).row["task_description"]

    def list(self, times):
        for _ in range(times):
            with self._cache.snapshot() as snapshot:
                texts = [row["task_description"] for row in snapshot.list("episodes", 1_000)]
            assert len(texts) == 1_000 and all(texts)

    def nearest(self, times):
        for number in range(times):
            query = self._cache.get("embeddings", f"m-{self._keys[number % READS]}").row["embedding_vector"]
            found = self._cache.nearest(query)
            assert len([neighbour.parent_key for neighbour in found.neighbours]) == 10

    def vector(self, _):
        with self._cache.snapshot() as snapshot:
            for key in self._keys:
                assert snapshot.get("embeddings", f"m-{key}").row["embedding_vector"].size == DIMENSION


# id, what, work, how often in a round, reads in a round
WORKS = (
    ("python-get-snapshot", "one column of a 1.3 KB row, in a snapshot, from Python", "get-snapshot", 1, READS),
    ("python-get-one-shot", "one column of a 1.3 KB row, one-shot, from Python", "get", 1, READS),
    ("python-list-1000", "one column of each of 1,000 rows, from Python", "list", 3, 3),
    ("python-nearest-10", "nearest's 10 of 20,000 x 384, from Python", "nearest", 30, 30),
    ("python-vector", "an embedding of 384 as a numpy array, by key", "vector", 1, READS))


def make(folder, program):
    """A cache of episodes of 1.3 KB, each with an embedding; and a file of the keys that are read."""
    chance, vectors = random.Random(1), numpy.random.default_rng(1).standard_normal((ROWS, DIMENSION)).astype("<f4")
    keys = [f"{chance.getrandbits(64):016x}" for _ in range(ROWS)]
    with sqlite3.connect(f"{folder}/source.db") as db:
        db.executescript(SOURCE)
        db.executemany("INSERT INTO episodes VALUES(?, 'task', ?, ?, 'done', ?, ?, ?)", (
            (key, f"what {key} was about, in some sixty characters or so", "x" * 1_150, n / 8, n, 1_760_000_000 + n)
            for n, key in enumerate(keys)))
        db.executemany(f"INSERT INTO embeddings VALUES(?, ?, 'episode', ?, {DIMENSION}, 'model')", (
            (f"m-{key}", key, vector.tobytes()) for key, vector in zip(keys, vectors)))
    db.close()
    cache = f"{folder}/cache.redb"
    subprocess.run([program, "-q", "sync", "--source", f"file:{folder}/source.db", "--cache", cache,
                    "--max-episodes-cache", str(ROWS)], check=True, stdout=subprocess.DEVNULL)
    read = chance.sample(keys, READS)
    pathlib.Path(f"{folder}/keys").write_text("\n".join(read), encoding="utf-8")
    return cache, read


def spread(sample):
    low, median, high = statistics.quantiles(sample, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def compare(peer, reads, what, work, times, operations):
    """In turns, the order alternating; each runs once before it counts. A record, without its id."""
    both = [peer, reads]
    pairs = []
    for one in both:
        one.seconds(work, times)
    for number in range(ROUNDS):
        order = both if number % 2 == 0 else both[::-1]
        told = {one: one.seconds(work, times) / operations for one in order}
        pairs.append((told[peer], told[reads]))
    return {"what": what, "subject": "tidemark for Python", "floor": "the C++ reader",
            "ratio": spread([mine / floor for floor, mine in pairs]), "rounds": ROUNDS,
            "subject_value": spread([mine for _, mine in pairs]), "floor_value": spread([floor for floor, _ in pairs]),
            "unit": "s"}


def report(record, file):
    ratio, mine, floor = record["ratio"], record["subject_value"]["median"], record["floor_value"]["median"]
    print(f"{record['id']:22} {ratio['median']:5.2f} x floor (quartiles {ratio['low']:.2f}-{ratio['high']:.2f}, "
          f"{record['rounds']} rounds): {mine * 1e6:.2f} us against {floor * 1e6:.2f} us", flush=True)
    if file:
        with open(file, "a", encoding="utf-8") as records:
            print(json.dumps(record), file=records)


def main():
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("build", type=pathlib.Path)
    words.add_argument("--json", help="append one record a line to this file")
    asked = words.parse_args()
    os.environ["TIDEMARK_LIBRARY"] = str(asked.build.resolve() / "src/libtidemark-reader.so")
    sys.path.insert(0, str(TREE / "python"))
    import tidemark
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        cache, keys = make(folder, asked.build / "src/cli/tidemark")
        peer, reads = Peer(asked.build / "benchmarks/python_peer", cache, f"{folder}/keys"), Reads(tidemark, cache, keys)
        for name, *work in WORKS:
            report({"id": name, **compare(peer, reads, *work)}, asked.json)
        peer.end()


main()
