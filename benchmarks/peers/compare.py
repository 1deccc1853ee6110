#!/usr/bin/python3
"""tidemark against what its users would take instead, in turns on the same data, each checked.

    benchmarks/peers/setup && benchmarks/peers/compare.py [--json FILE] [--rounds N] [PART...]

Wants tidemark_peer (target bench_peer of the release preset) and tursodb (scripts/setup).
"""
import argparse
import pathlib
import tempfile

import capabilities
import do_memory
from measure import ROUNDS, Records, in_turns, require
from protocol import Peer
from sources import ROWS, UPDATES, File, Server, remove, update_sql

TOP = pathlib.Path(__file__).resolve().parents[2]
HERE = TOP / "benchmarks/peers"
PEERS = TOP / "build/peers"
TURSODB = TOP / "build/turso/node_modules/@tursodatabase/cli-linux-x64-gnu/tursodb"
PYTHON = "/usr/bin/python3"
READS = 2_000  # a round
TIDEMARK, TURSO, SCRIPT, ATTACH = "tidemark", "@tursodatabase/sync 0.6.0", "plain script", "ATTACH copy"
SIZE = f"{ROWS:,} x 1.3 KB"


class Bench:
    """Where everything lies, and how each peer is started."""

    def __init__(self, records, rounds, subject, folder):
        self.records, self.rounds, self.subject, self.folder = records, rounds, subject, folder
        self.tursodb, self.data = TURSODB, PEERS / "data"

    def path(self, name):
        return str(self.folder / name)

    def server(self, name):
        return Server(self.tursodb, self.path(name))

    def tidemark(self):
        return Peer(TIDEMARK, [self.subject])

    def turso_sync(self):
        return Peer(TURSO, ["node", HERE / "turso_sync.mjs", PEERS / "npm"])

    def plain_script(self):
        return Peer(SCRIPT, [PYTHON, HERE / "plain_script.py"])

    def attach_copy(self):
        return Peer(ATTACH, [PYTHON, HERE / "attach_copy.py"])

    def do_memory(self):
        return Peer(do_memory.NAME, [PEERS / "cargo/release/do_memory_peer"])


def fill(peer, source, cache, *words):
    """Seconds of a first copy into a cache that is not there; all rows must have come."""
    def turn():
        peer.ask("close")
        remove(cache)
        answer = peer.ask("fill", source, cache, *words)
        require(answer["rows"] == ROWS, f"{peer.name} copied {answer['rows']} rows of {ROWS}")
        return answer["seconds"]
    return turn


def pull(peer):
    return lambda: peer.ask("pull")["seconds"]


class Updates:
    """100 rows of each source change before a round; after it, every peer must hold the change."""

    def __init__(self, followers):
        self.followers = followers  # (peer, the source that it follows)
        self.turn = 0

    def __call__(self):
        self.check()
        self.turn += 1
        for source in {id(s): s for _, s in self.followers}.values():
            source.execute(update_sql(self.turn))

    def check(self):
        step = ROWS // UPDATES
        for peer, source in self.followers if self.turn else []:
            rowid = step * (UPDATES // 2) + self.turn % step
            key = source.execute(f"SELECT episode_id FROM episodes WHERE rowid = {rowid}")[0][0]
            value = peer.ask("value", key)["value"]
            require(value == f"task {self.turn}", f"{peer.name} holds {value} after {self.turn}")
            require(peer.ask("count")["rows"] == ROWS, f"{peer.name} lost rows")


def against_the_server(bench):
    """First fill and 100 updates from a tursodb. tidemark follows one that logs its changes."""
    plain, logged = bench.server("plain.db"), bench.server("logged.db")
    ours, turso, script = bench.tidemark(), bench.turso_sync(), bench.plain_script()
    everything = {TIDEMARK: fill(ours, plain.url, bench.path("ours"), ROWS),
                  TURSO: fill(turso, plain.url, bench.path("replica.db")),
                  SCRIPT: fill(script, plain.url, bench.path("script.db"))}
    seconds = in_turns(everything, bench.rounds)
    for ident, peer in (("turso-sync", TURSO), ("plain-script", SCRIPT)):
        bench.records.ratio(f"fill-20k-{ident}", f"first fill, {SIZE}, from tursodb", TIDEMARK, peer,
                            seconds)
    reads = in_turns({TIDEMARK: lambda: ours.ask("get", "snapshot", READS)["seconds"],
                      TURSO: lambda: turso.ask("get", READS)["seconds"]}, bench.rounds)
    bench.records.ratio("get-snapshot-turso-sync", "get of one column of a 1.3 KB row, in a snapshot",
                        TIDEMARK, TURSO, reads, READS)

    ours.ask("capture", logged.url)
    fill(ours, logged.url, bench.path("followed"), ROWS)()
    updates = Updates([(ours, logged), (turso, plain), (script, plain)])
    seconds = in_turns({TIDEMARK: pull(ours), TURSO: pull(turso), SCRIPT: pull(script)},
                       bench.rounds, before=updates)
    updates.check()
    for ident, peer in (("turso-sync", TURSO), ("plain-script", SCRIPT)):
        bench.records.ratio(f"delta-100-{ident}", f"100 updates among {SIZE}, from tursodb", TIDEMARK,
                            peer, seconds)
    end(ours, turso, script, plain, logged)


def against_attach(bench):
    """First fill and 100 updates from a file; what SQLite itself needs is the floor."""
    plain, logged = File(bench.path("plain-file.db")), File(bench.path("logged-file.db"))
    ours, attach = bench.tidemark(), bench.attach_copy()
    seconds = in_turns({TIDEMARK: fill(ours, plain.url, bench.path("ours"), ROWS),
                        ATTACH: fill(attach, plain.path, bench.path("attach.db"))}, bench.rounds)
    bench.records.ratio("fill-20k-attach", f"first fill, {SIZE}, from a file", TIDEMARK, ATTACH,
                        seconds)
    ours.ask("capture", logged.url)
    fill(ours, logged.url, bench.path("followed"), ROWS)()
    updates = Updates([(ours, logged), (attach, plain)])
    seconds = in_turns({TIDEMARK: pull(ours), ATTACH: pull(attach)}, bench.rounds, before=updates)
    updates.check()
    bench.records.ratio("delta-100-attach", f"100 updates among {SIZE}, from a file", TIDEMARK,
                        ATTACH, seconds)
    end(ours, attach, plain, logged)


def end(*things):
    for thing in things:
        thing.end()


PARTS = {"server": against_the_server, "attach": against_attach,
         "do-memory": do_memory.against_do_memory, "capabilities": capabilities.try_all}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", help="append a record for each result to this file")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--subject", default=TOP / "build/release/benchmarks/tidemark_peer")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; else all")
    given = parser.parse_args()
    for part in given.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="tidemark-peers-") as folder:
            PARTS[part](Bench(Records(given.json), max(given.rounds, ROUNDS), given.subject,
                              pathlib.Path(folder)))


if __name__ == "__main__":
    main()
