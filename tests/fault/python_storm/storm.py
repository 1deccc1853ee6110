#!/usr/bin/env python3
"""Python processes read, while a daemon syncs a source that an application changes all the time.

storm.py PROGRAM TURSODB [plants]: first over a captured file, then over the real server, half of
$TIDEMARK_PYTHON_SECONDS (60) each. `plants`: shows that each bug of plants.py is noticed.
"""
import collections
import multiprocessing
import os
import pathlib
import random
import re
import sys
import tempfile
import threading
import time

from application import Application
from daemon import Daemon
from plants import PLANTS
from readers import Readers
from rows import KEYS, TABLES, WINDOW, Shared, key_of
from source import FileSource, ServedSource
from witness import Witness, Wrong

READERS = 8
SECONDS = int(os.environ.get("TIDEMARK_PYTHON_SECONDS", "60"))
SEED = int(os.environ.get("TIDEMARK_SEED", "20261130"))
PLANT_SECONDS = 30  # most are seen at once
WRITE_PAUSE_SECONDS = 0.002  # leaves the processor to the readers
TROUBLE_PAUSE_SECONDS = 1
PASSES_MIN = 5  # that each reader sees; a daemon does several a second
MUST_HAPPEN = ("get", "list", "nearest", "snapshot", "hit", "absent", "unknown", "consistent", "absent judged",
               "rows known by checked_at", "listed by checked_at")


def troubles(daemon, source, random_):
    """What an administrator does, and what makes a cache doubt: one after the other, for ever."""
    while True:
        yield daemon.begin("sync", "--full")  # a new generation, while the application writes on
        source.execute("DROP TRIGGER tidemark_update_patterns")
        yield daemon.begin("capture", "status")
        yield daemon.begin("capture", "install")
        yield daemon.begin("capture", "prune", "--keep", str(random_.randrange(50)))


def write_until(end, application, daemon, source, readers, seed):
    pause, trouble = threading.Event(), troubles(daemon, source, random.Random(seed))
    running, due = None, time.monotonic()
    while time.monotonic() < end and not readers.spoke():
        application.step()
        pause.wait(WRITE_PAUSE_SECONDS)
        if running is not None and running.poll() is not None:
            running.communicate()
            running, due = None, time.monotonic() + TROUBLE_PAUSE_SECONDS
        if running is None and time.monotonic() >= due:
            running = next(trouble)
    if running is not None:
        running.communicate()


def truth(application):
    """What the cache must hold, asked for with SQL of its own; it is also what the application thinks."""
    all_rows = {table: application.rows(table, f"ORDER BY {TABLES[table].order}") for table in TABLES}
    for table, rows in all_rows.items():
        thought = {(key_of(table, number), detail) for number, (_, detail) in application.model[table].items()}
        assert {(str(key), detail) for key, detail, _ in rows} == thought, f"{table}: the application is wrong"
    rows = {table: [(str(key), detail, body) for key, detail, body in found] for table, found in all_rows.items()}
    rows["episodes"] = rows["episodes"][:WINDOW]
    parents = {row[0] for table in ("episodes", "patterns") for row in rows[table]}
    rows["embeddings"] = [row for row in rows["embeddings"] if row[1] in parents]
    patterns = {row[0] for row in rows["patterns"]}
    said = ["HIT" if key_of("patterns", number) in patterns else "ABSENT" for number in range(KEYS)]
    return rows, said


def check_counts(told, daemon):
    total = collections.Counter()
    for number, (counts, _) in enumerate(told):
        total.update(counts)
        assert counts["passes"] >= PASSES_MIN, f"reader {number} saw {counts['passes']} passes: {daemon.log()}"
    for what in MUST_HAPPEN:
        assert total[what] > 0, f"no {what} happened: {total}"
    return total


def run(kind, program, tursodb, seconds, readers_count=READERS, plant=None):
    """One storm; what its readers counted."""
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        path = f"{folder}/source.db"
        source = FileSource(path) if kind == "file" else ServedSource(path, tursodb)
        readers = Readers(f"{folder}/cache.redb", readers_count, SEED, plant)
        application = Application(source, readers.shared, SEED)
        try:
            application.begin()
            interval = "1h" if plant == "a_daemon_that_stands_still" else "100ms"
            with Daemon(program, pathlib.Path(folder), source.url, interval) as daemon:
                readers.start()
                write_until(time.monotonic() + seconds, application, daemon, source, readers, SEED + 1)
                daemon.run("capture", "install")
                daemon.run("sync")
                expected, told = truth(application), readers.end()
                for number, (_, found) in enumerate(told):
                    assert found == expected, f"reader {number} ends with {found}, the source with {expected}"
                total = check_counts(told, daemon)
                daemon.run("validate", "--against-source")
                passes = daemon.passes()
            assert plant or (passes["delta"] > 0 and passes["fill"] > 1), f"{passes}"
            return f"{application.writes} writes; passes {dict(passes)}; {dict(total)}"
        finally:
            readers.kill()
            source.close()


def show_pair_rule():
    """By itself: what plants tear, other rules see first."""
    witness = Witness(Shared(multiprocessing), SEED)
    for whole in ([], ["3", "3"]):
        witness.judge_pair(whole)
    for torn in (["3", "4"], ["3"]):
        try:
            witness.judge_pair(torn)
        except Wrong:
            continue
        sys.exit(f"the pair {torn} was not noticed")


def show_plants(program, tursodb):
    show_pair_rule()
    for plant in PLANTS:
        seconds = 3 if plant == "a_daemon_that_stands_still" else PLANT_SECONDS
        try:
            said = run("file", program, tursodb, seconds, readers_count=4, plant=plant)
        except AssertionError as seen:
            if not re.match(r"reader \d (\(|saw)", str(seen)):  # something else went wrong
                raise
            said = re.findall(r".*(?:Wrong|Error: | saw ).*", str(seen)) or [str(seen)]
            print(f"{plant}: noticed, {said[-1].strip()[:140]}", flush=True)
        else:
            sys.exit(f"{plant} was not noticed: {said}")


def main():
    program, tursodb = os.path.abspath(sys.argv[1]), sys.argv[2]
    print(f"TIDEMARK_SEED={SEED}", flush=True)
    if sys.argv[3:] == ["plants"]:
        return show_plants(program, tursodb)
    for kind in ("file", "server"):
        print(f"{kind}, {SECONDS / 2:g} s, {READERS} processes: {run(kind, program, tursodb, SECONDS / 2)}", flush=True)


if __name__ == "__main__":
    main()
