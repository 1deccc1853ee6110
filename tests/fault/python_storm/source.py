"""The two kinds of source that an application writes to: a SQLite file, and a real server."""
import json
import pathlib
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request

from rows import SCHEMA

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "support"))
from ports import free_port  # noqa: E402

PATIENCE_SECONDS = 60  # a busy machine may do it late


def make(path):
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(SCHEMA)
    db.close()


class FileSource:
    def __init__(self, path):
        make(path)
        self.url = f"file:{path}"
        self._db = sqlite3.connect(path, timeout=PATIENCE_SECONDS, isolation_level=None)
        self._db.execute("PRAGMA synchronous = OFF")

    def execute(self, sql):
        """The rows that it gives, with integers as such."""
        return self._db.execute(sql).fetchall()

    def close(self):
        self._db.close()


class ServedSource:
    """The real server, which locks its file: all goes through it."""

    def __init__(self, path, program):
        make(path)
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        with open(f"{path}.server-log", "wb") as log:
            self._server = subprocess.Popen([program, path, "--sync-server", f"127.0.0.1:{port}"],
                                            stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            assert self._server.poll() is None, "tursodb ended at once"
            assert time.monotonic() < deadline, "tursodb does not listen"

    def execute(self, sql):
        wanted = {"requests": [{"type": "execute", "stmt": {"sql": sql, "want_rows": True}}]}
        asked = urllib.request.Request(f"{self.url}/v2/pipeline", json.dumps(wanted).encode(),
                                       {"Content-Type": "application/json"})
        with urllib.request.urlopen(asked, timeout=PATIENCE_SECONDS) as answer:
            result = json.load(answer)["results"][0]
        if result["type"] != "ok":
            raise RuntimeError(f"{sql}: {result}")
        return [tuple(int(cell["value"]) if cell["type"] == "integer" else cell.get("value") for cell in row)
                for row in result["response"]["result"]["rows"]]

    def close(self):
        self._server.kill()
        self._server.wait()
