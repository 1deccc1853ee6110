"""do-memory's own memories, its synchronizer and its reads, against tidemark on the same file."""
import pathlib
import shutil
import sqlite3

from measure import in_turns, require
from sources import remove

TIDEMARK, NAME = "tidemark", "do-memory 0.1.47"
# Episodes, and one in so many of them has an embedding. Each embedding of the last is four times an episode.
SIZES = {"10k": (10_000, 10), "1k": (1_000, 10), "1k-embedded": (1_000, 1)}
READS = 2_000  # a round
TABLES = ("episodes", "patterns", "heuristics", "embeddings")


class Memory:
    """A database that the present program of do-memory wrote; a copy, since each run changes it."""

    def __init__(self, bench, rows, every=10):
        writer = bench.do_memory()
        kept = bench.data / f"do-memory-{rows}-{every}.db"
        program = pathlib.Path(writer.process.args[0])
        if not kept.exists() or kept.stat().st_mtime < program.stat().st_mtime:
            print(f"do-memory writes {rows:,} episodes, once", flush=True)
            bench.data.mkdir(parents=True, exist_ok=True)
            unfinished = kept.with_suffix(".unfinished")
            remove(unfinished)
            writer.ask("write", unfinished, rows, every)
            with_sql(unfinished, "PRAGMA wal_checkpoint(TRUNCATE)")
            unfinished.rename(kept)
        writer.end()
        self.path = bench.path(f"memory-{rows}.db")
        self.url = f"file:{self.path}"
        shutil.copy(kept, self.path)

    def execute(self, sql):
        return with_sql(self.path, sql)

    def end(self):
        remove(self.path)


def with_sql(path, sql):
    connection = sqlite3.connect(path, isolation_level=None)
    rows = connection.execute(sql).fetchall()
    connection.close()
    return rows


def count(path, table):
    """Without indexes: SQLite takes libSQL's index of vectors for one of rows, and it has none."""
    return with_sql(path, f"SELECT count(*) FROM {table} NOT INDEXED")[0][0]


def forget_watermark(path):
    """do-memory notes in the source how far it has synced, for all caches: each fill would go on there."""
    with_sql(path, "DELETE FROM metadata WHERE key = 'sync_watermark_ms'")


def fill_theirs(peer, path, cache, rows):
    def turn():
        peer.ask("close")
        remove(cache)
        forget_watermark(path)
        answer = peer.ask("fill", path, cache)
        require(answer["rows"] == rows, f"do-memory synced {answer['rows']} of {rows}")
        return answer["seconds"]
    return turn


def fill_ours(peer, path, cache, rows):
    """With patterns, heuristics and embeddings, which the synchronizer leaves out."""
    wanted = {table: count(path, table) for table in TABLES}
    require(wanted["episodes"] == rows and all(wanted.values()), f"a memory of {wanted}")

    def turn():
        peer.ask("close")
        remove(cache)
        answer = peer.ask("fill", f"file:{path}", cache, rows)
        held = {table: answer.get(table) for table in TABLES}
        require(held == wanted, f"tidemark holds {held} of {wanted}")
        return answer["seconds"]
    return turn


def against_do_memory(bench):
    for name, (rows, every) in SIZES.items():
        memory = Memory(bench, rows, every)
        ours, theirs = bench.tidemark(), bench.do_memory()
        seconds = in_turns({TIDEMARK: fill_ours(ours, memory.path, bench.path("ours"), rows),
                            NAME: fill_theirs(theirs, memory.path, bench.path("theirs"), rows)},
                           bench.rounds)
        what = (f"full sync of {rows:,} episodes from a file; tidemark's with {rows // 10:,} patterns, "
                f"as many heuristics and {rows // every:,} embeddings")
        bench.records.ratio(f"file-{name}-do-memory", what, TIDEMARK, NAME, seconds)
        if name == "10k":
            compare_reads(bench, ours, theirs)
        for thing in (ours, theirs, memory):
            thing.end()


def compare_reads(bench, ours, theirs):
    seconds = in_turns({
        "snapshot": lambda: ours.ask("get", "snapshot", READS)["seconds"],
        "one-shot": lambda: ours.ask("get", "one-shot", READS)["seconds"],
        NAME: lambda: theirs.ask("get", READS)["seconds"]}, bench.rounds)
    for kind, where in (("snapshot", "in a snapshot"), ("one-shot", "one-shot")):
        bench.records.ratio(f"get-{kind}-do-memory", f"read of one episode, {where}", TIDEMARK, NAME,
                            {TIDEMARK: seconds[kind], NAME: seconds[NAME]}, READS)
