"""What the two home-made caches of a SQLite file have in common: all but how rows get there."""
import sqlite3

from protocol import timed


class SqliteCache:
    """`copy()` is the subclass's: it brings the whole scope into `self.cache`."""

    cache = None

    def pull(self):
        return {"seconds": timed(self.copy)}

    def close(self):
        if self.cache is not None:
            self.cache.close()
        self.cache = None

    def open(self, path):
        self.cache = sqlite3.connect(path)
        return self.count()

    def count(self):
        return {"rows": self.cache.execute("SELECT count(*) FROM main.episodes").fetchone()[0]}

    def value(self, key):
        row = self.cache.execute("SELECT task_type FROM main.episodes WHERE episode_id = ?", (key,))
        return {"value": (row.fetchone() or [None])[0]}
