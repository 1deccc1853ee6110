"""What a number does not say: what each can do at all, tried here on the real thing."""
import do_memory
import trials_apart
from measure import require
from protocol import PeerError
from sources import ROWS, UPDATES, File, remove

TIDEMARK, TURSO, SCRIPT, ATTACH = "tidemark", "@tursodatabase/sync 0.6.0", "plain script", "ATTACH copy"
THEIRS = do_memory.NAME
IDS = {TIDEMARK: "tidemark", TURSO: "turso-sync", SCRIPT: "plain-script", ATTACH: "attach",
       THEIRS: "do-memory"}
MEMORY_ROWS = 1_000
# Types of tasks that do-memory knows; one for each kill, and one from before.
VALUES = ("other", "refactoring", "testing", "analysis", "documentation", "code_generation")
KILLS = len(VALUES) - 1
AGAIN = "by reading everything again"


class Case:
    """One peer, the source that it copies and where to. `window` is what only tidemark is told."""

    def __init__(self, bench, name, start, source, url, *window):
        self.bench, self.name, self.start, self.source, self.url = bench, name, start, source, url
        self.window = window
        self.cache = bench.path(f"{IDS[name]}.cache")

    def forget(self):
        """No cache, and none of what a peer keeps of it in the source."""
        remove(self.cache)
        if self.name == THEIRS:
            do_memory.forget_watermark(self.url)

    def update(self, value):
        """100 rows; `updated` is the key of one of them."""
        which = f"rowid % {ROWS // UPDATES} = 1"
        self.source.execute(f"UPDATE episodes SET task_type = '{value}' WHERE {which}")
        self.updated = self.source.execute(f"SELECT episode_id FROM episodes WHERE {which}")[0][0]

    def reason(self, error):
        """What a peer said, without its name and our folder."""
        return str(error).split(": ", 1)[1].replace(f"{self.bench.folder}/", "")

    def say(self, topic, what, ok, can, cannot):
        ident = f"{topic}-{IDS[self.name]}"
        if ok:
            self.bench.records.can(ident, what, self.name, can)
        else:
            self.bench.records.cannot(ident, what, self.name, cannot)

    def fill(self, peer):
        return peer.ask("fill", self.url, self.cache, *self.window)

    def filled(self):
        self.forget()
        peer = self.start()
        self.fill(peer)
        return peer


def oldest(case):
    return case.source.execute("SELECT episode_id FROM episodes ORDER BY rowid LIMIT 1")[0][0]


def deletes(case):
    peer = case.filled()
    key = oldest(case)
    require(peer.ask("value", key)["value"] is not None, f"{case.name} has no row to delete")
    case.source.execute(f"DELETE FROM episodes WHERE episode_id = '{key}'")
    peer.ask("pull")
    gone = peer.ask("value", key)["value"] is None
    how = AGAIN if case.name in (SCRIPT, ATTACH) else "at the next pass"
    case.say("deletes", "follows deletes", gone, how, "what was deleted at the source stays cached")
    peer.end()


def foreign_writes(case):
    """An update by a program that is not the peer's own library."""
    peer = case.filled()
    key = oldest(case)
    value = next(v for v in VALUES if v != peer.ask("value", key)["value"])
    case.source.execute(f"UPDATE episodes SET task_type = '{value}' WHERE episode_id = '{key}'")
    peer.ask("pull")
    seen = peer.ask("value", key)["value"] == value
    case.say("foreign-writes", "follows updates by any program", seen, "at the next pass",
             "an update that did not go through its own library is not seen")
    peer.end()


def two_processes(case):
    """One process holds the cache, as one that syncs does; another opens and reads it."""
    first, second = case.filled(), case.start()
    rows = first.ask("count")["rows"]
    try:
        answer, why = second.ask("open", case.cache)["rows"] == rows, "it reads other rows"
    except PeerError as error:
        answer, why = False, case.reason(error)
    case.say("processes", "read by a second process while one holds it", answer,
             "any number of readers" if case.name == TIDEMARK else "a second one reads", why)
    first.end()
    second.end()


def kill(case):
    """Killed at moments all over a first copy and a later pass; each time a new process goes on with
    what lies there, and must end with every row and, where it follows updates, the newest value."""
    peer = case.filled()
    rows = peer.ask("count")["rows"]
    peer.ask("close")
    case.forget()
    first_copy = case.fill(peer)["seconds"]
    case.update(VALUES[0])
    later_pass = peer.ask("pull")["seconds"]
    peer.end()
    problems = []
    for moment in range(1, KILLS + 1):
        case.forget()
        victim = case.start()
        victim.ask("close")  # it runs
        victim.start("fill", case.url, case.cache, *case.window)
        victim.kill_after(first_copy * moment / (KILLS + 1))
        problems += go_on(case, "first copy", rows, VALUES[0])
    for moment in range(1, KILLS + 1):
        victim = case.start()
        case.fill(victim)
        case.update(VALUES[moment])
        victim.start("pull")
        victim.kill_after(later_pass * moment / (KILLS + 1))
        problems += go_on(case, "later pass", rows, VALUES[moment])
    case.say("kill", "survives kill -9", not problems,
             f"{2 * KILLS} of {2 * KILLS} times the next pass was whole", "; ".join(problems))


def go_on(case, what, rows, value):
    """What a new process does not have after it took over; empty: nothing."""
    heir = case.start()
    try:
        case.fill(heir)
        held, seen = heir.ask("count")["rows"], heir.ask("value", case.updated)["value"]
    except PeerError as error:
        return [f"killed in a {what}, the next one fails: {case.reason(error)}"]
    finally:
        heir.end()
    if held != rows:
        return [f"killed in a {what}, the next one ends with {held:,} of {rows:,} rows"]
    if seen != value and case.name != THEIRS:
        return [f"killed in a {what}, the next one ends with an old value"]
    return []


def two_caches(case):
    """Two agents on one machine, each with a cache of its own."""
    first = case.filled()
    rows = first.ask("count")["rows"]
    second = case.start()
    held = second.ask("fill", case.url, case.cache + "-2", *case.window)["rows"]
    case.say("two-caches", "two caches of one source", held == rows, "each is whole",
             f"it keeps one position for all caches, in the source: the second has {held:,} of "
             f"{rows:,} episodes")
    remove(case.cache + "-2")
    first.end()
    second.end()


def try_all(bench):
    server, copy = bench.server("server.db"), File(bench.path("file.db"))
    memory = do_memory.Memory(bench, MEMORY_ROWS)
    cases = [Case(bench, TIDEMARK, bench.tidemark, server, server.url, 2 * ROWS),
             Case(bench, TURSO, bench.turso_sync, server, server.url),
             Case(bench, SCRIPT, bench.plain_script, server, server.url),
             Case(bench, ATTACH, bench.attach_copy, copy, copy.path),
             Case(bench, THEIRS, bench.do_memory, memory, memory.path)]
    for trial in (two_processes, kill, two_caches, foreign_writes, deletes):
        for case in cases:
            trial(case)
    trials_apart.window(bench, server)
    trials_apart.presence(bench, cases)
    memory.end()
    trials_apart.embeddings(bench, server)
    trials_apart.servers(bench, server)
    for source in (server, copy):
        source.end()
