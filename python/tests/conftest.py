"""A real source and a cache of it, made by the program named by $TIDEMARK_PROGRAM."""
import os
import pathlib
import sqlite3
import struct
import subprocess

import pytest


class World:
    """A SQLite source, and a cache of its newest three episodes and of all patterns."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.source = folder / "source.db"
        self.cache = folder / "cache.redb"
        self.db = sqlite3.connect(self.source)
        self.db.executescript("""
          CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, start_time INTEGER, context TEXT,
                                reward REAL, notes BLOB, big INTEGER, missing);
          CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT);
          CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,
                                  embedding_data TEXT, embedding_vector F32_BLOB(4), dimension INTEGER);
        """)
        for n in range(5):
            self.db.execute("INSERT INTO episodes VALUES(?, ?, ?, ?, ?, ?, NULL)",
                            (f"ep-{n}", n, f"größe {n}", n / 2, b"\0\xff" * n, 2**60 + n))
        self.db.execute("INSERT INTO patterns VALUES('p-1', 'loop'), ('p-2', 'branch'), ('p-3', 'loop')")
        vector = struct.pack("<4f", 0.5, -1.0, 2.0, 0.25)
        self.db.execute("INSERT INTO embeddings VALUES('em-4', 'ep-4', 'episode', NULL, ?, 4)", (vector,))
        self.db.commit()
        self.sync()

    def sync(self, *more: str) -> None:
        program = os.environ["TIDEMARK_PROGRAM"]
        subprocess.run([program, "-q", "sync", "--source", f"file:{self.source}", "--cache",
                        str(self.cache), "--max-episodes-cache", "3", *more], check=True, timeout=60)


@pytest.fixture
def world(tmp_path: pathlib.Path) -> World:
    return World(tmp_path)
