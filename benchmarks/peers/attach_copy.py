#!/usr/bin/python3
"""A copy of the scope with SQLite's ATTACH, as a home-made cache of a local file does it.

Driven by lines on standard input, as every peer here; times are of the work alone.
"""
import sqlite3

from protocol import serve, timed
from sqlite_cache import SqliteCache

TABLE = """CREATE TABLE IF NOT EXISTS episodes(episode_id TEXT PRIMARY KEY, task_type TEXT,
           context TEXT, start_time INTEGER);
           CREATE INDEX IF NOT EXISTS episodes_by_start ON episodes(start_time)"""


class AttachCopy(SqliteCache):
    """A connection to the cache with the source attached; each pass copies the scope anew."""

    def fill(self, source, cache):
        def first():
            self.cache = sqlite3.connect(f"file:{cache}", uri=True)
            self.cache.executescript("PRAGMA journal_mode = WAL;" + TABLE)
            self.cache.execute("ATTACH ? AS source", (f"file:{source}?mode=ro",))
            self.copy()
        return {"seconds": timed(first)} | self.count()

    def copy(self):
        with self.cache:
            self.cache.execute("DELETE FROM main.episodes")
            self.cache.execute("INSERT INTO main.episodes SELECT * FROM source.episodes")


serve(AttachCopy())
