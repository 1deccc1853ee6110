"""The databases that are copied: a real tursodb, and files."""
import atexit
import http.client
import json
import pathlib
import socket
import sqlite3
import subprocess
import time

TABLE = ("CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_type TEXT, context TEXT, "
         "start_time INTEGER)")
INDEX = "CREATE INDEX episodes_by_start ON episodes(start_time)"
ROWS = 20_000
UPDATES = 100
CONTEXT_BYTES = 1_300
START_SECONDS_MAX = 20  # an idle machine needs 0.05


def rows_sql(numbers):
    """Episodes with random keys in time order; `numbers` gives 1, 2, … as `value`."""
    return ("INSERT INTO episodes SELECT lower(hex(randomblob(16))), 'task', "
            f"hex(zeroblob({CONTEXT_BYTES // 2})), 1760000000 + value FROM {numbers}")


def update_sql(turn):
    """Other rows each time, spread over the table."""
    step = ROWS // UPDATES
    return f"UPDATE episodes SET task_type = 'task {turn}' WHERE rowid % {step} = {turn % step}"


class Server:
    """A tursodb of its own. Its rows are written through it: a server sends a replica the pages in
    its write-ahead log only, so of a file that it was given whole a replica would stay empty."""

    def __init__(self, program, path):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = subprocess.Popen([program, path, "--sync-server", f"127.0.0.1:{self.port}"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(self.end)  # a run that fails leaves no server either
        self.url = f"http://127.0.0.1:{self.port}"
        self.wait_until_it_listens()
        for sql in (TABLE, INDEX, rows_sql(f"generate_series(1, {ROWS})")):
            self.execute(sql)

    def wait_until_it_listens(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                try:
                    self.process.wait(0.005)
                except subprocess.TimeoutExpired:
                    continue
                raise SystemExit("benchmark: tursodb ended at once")
        raise SystemExit("benchmark: tursodb does not listen")

    def execute(self, sql):
        """Rows of one statement, as lists of texts."""
        body = {"requests": [{"type": "execute", "stmt": {"sql": sql, "want_rows": True}}]}
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        connection.request("POST", "/v2/pipeline", json.dumps(body),
                           {"Content-Type": "application/json"})
        answer = json.load(connection.getresponse())["results"][0]
        connection.close()
        if answer["type"] != "ok":
            raise SystemExit(f"benchmark: {sql}: {answer}")
        return [[cell.get("value") for cell in row] for row in answer["response"]["result"]["rows"]]

    def end(self):
        self.process.terminate()
        self.process.wait()


class File:
    """The same rows in a file that any SQLite reads."""

    def __init__(self, path):
        self.path = path
        self.url = f"file:{path}"
        self.database = sqlite3.connect(path, isolation_level=None)
        self.execute("PRAGMA journal_mode = WAL")
        numbers = ("(WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n "
                   f"WHERE value < {ROWS}) SELECT value FROM n)")
        for sql in (TABLE, INDEX, rows_sql(numbers)):
            self.execute(sql)

    def execute(self, sql):
        return self.database.execute(sql).fetchall()

    def end(self):
        self.database.close()


def remove(path):
    """A cache or replica with all that lies beside it."""
    for file in pathlib.Path(path).parent.glob(pathlib.Path(path).name + "*"):
        file.unlink()
