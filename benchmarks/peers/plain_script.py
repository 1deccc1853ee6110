#!/usr/bin/python3
"""A home-made cache: SELECT over HTTP, rows into SQLite. It knows no changes, so it reads all again.

Driven by lines on standard input, as every peer here; times are of the work alone.
"""
import http.client
import json
import sqlite3
import urllib.parse

from protocol import serve, timed
from sqlite_cache import SqliteCache

QUERY = "SELECT episode_id, task_type, context, start_time FROM episodes ORDER BY start_time DESC"


class PlainScript(SqliteCache):
    """What a page of code does; started once, so that Python's own start is not measured."""

    def fill(self, url, path):
        self.server = urllib.parse.urlsplit(url).netloc
        self.cache = sqlite3.connect(path)
        self.cache.execute("CREATE TABLE IF NOT EXISTS episodes(episode_id TEXT PRIMARY KEY, task_type TEXT, "
                           "context TEXT, start_time INTEGER)")
        return {"seconds": timed(self.copy)} | self.count()

    def copy(self):
        statement = {"type": "execute", "stmt": {"sql": QUERY, "want_rows": True}}
        connection = http.client.HTTPConnection(self.server, timeout=60)
        connection.request("POST", "/v2/pipeline", json.dumps({"requests": [statement]}),
                           {"Content-Type": "application/json"})
        result = json.load(connection.getresponse())["results"][0]["response"]["result"]
        connection.close()
        rows = [[cell.get("value") for cell in row] for row in result["rows"]]
        with self.cache:
            self.cache.execute("DELETE FROM episodes")
            self.cache.executemany("INSERT INTO episodes VALUES (?, ?, ?, ?)", rows)


serve(PlainScript())
