"""The trials of capabilities.py that differ from peer to peer. Of the two scripts, which lie here, and where
a comment names the source of a peer, what is said was read and not tried."""
import do_memory
from measure import require
from protocol import PeerError
from sources import CONTEXT_BYTES, ROWS, remove

WINDOW = 1_000


def window(bench, server):
    """The newest 1,000 of 20,000 episodes."""
    what = "caches the newest N episodes only"
    ours, path = bench.tidemark(), bench.path("window")
    held = ours.ask("fill", server.url, path, WINDOW)["rows"]
    require(held == WINDOW, f"tidemark cached {held} of a window of {WINDOW}")
    server.execute("INSERT INTO episodes VALUES ('newest', 'task', 'context', 2000000000)")
    ours.ask("pull")
    held, newest = ours.ask("count")["rows"], ours.ask("value", "newest")["value"]
    require((held, newest) == (WINDOW, "task"), f"tidemark's window has {held}, newest {newest}")
    bench.records.can("window-tidemark", what, "tidemark", f"{held:,} of {ROWS:,}, also after a new one came")
    ours.end()

    turso, replica = bench.turso_sync(), bench.path("partial.db")
    try:
        answer = turso.ask("partial", server.url, replica, WINDOW)
        whole = int(server.execute("SELECT count(*) FROM episodes")[0][0]) * CONTEXT_BYTES
        why = (f"its experimental partial replica began with {answer['bytes'] / 1e6:.0f} MB, where all "
               f"rows are {whole / 1e6:.0f} MB, and shows {answer['rows']:,} rows: no bound is kept")
    except PeerError as error:
        why = f"its experimental partial replica failed here: {str(error).split(': ', 1)[1]}"
    bench.records.cannot("window-turso-sync", what, turso.name, why)
    turso.end()
    remove(replica)
    # sync_all_recent_episodes() takes the time of the last modification and no number of episodes:
    # do-memory-core 0.1.47, src/sync/synchronizer.rs. Both scripts are here: a LIMIT in their query.
    bench.records.cannot("window-do-memory", what, do_memory.NAME,
                         "the synchronizer takes all that was modified since a time")
    for ident, name in (("plain-script", "plain script"), ("attach", "ATTACH copy")):
        bench.records.can(f"window-{ident}", what, name, "by a LIMIT in its query")


def presence(bench, cases):
    """What a miss means: an episode that never was, and one that the window left out."""
    what = "tells absent from not cached"
    ours, path, server = bench.tidemark(), bench.path("presence"), cases[0].source
    ours.ask("fill", server.url, path, 2 * ROWS)
    absent = ours.ask("value", "never")["presence"]
    ours.ask("close")
    remove(path)
    ours.ask("fill", server.url, path, WINDOW)
    oldest = server.execute("SELECT episode_id FROM episodes ORDER BY start_time LIMIT 1")[0][0]
    unknown = ours.ask("value", oldest)["presence"]
    require((absent, unknown) == ("absent", "unknown"), f"tidemark said {absent} and {unknown}")
    bench.records.can("presence-tidemark", what, "tidemark", "absent where it is proven, else unknown")
    ours.end()
    for case in cases[1:]:
        peer = case.filled()
        never = "00000000-0000-0000-0000-000000000000"
        require(peer.ask("value", never)["value"] is None, f"{case.name} found what never was")
        case.say("presence", what, case.name.startswith("@"),
                 "it has everything, so a miss is absent as of the last pull",
                 "a miss is one answer, of what never was and of what was left out")
        peer.end()


def embeddings(bench, server):
    what = "copies embeddings"
    memory = do_memory.Memory(bench, WINDOW)  # whole again: an episode that is gone takes its own with it
    wanted = do_memory.count(memory.path, "embeddings")
    ours, theirs = bench.tidemark(), bench.do_memory()
    held = ours.ask("fill", memory.url, bench.path("vectors"), WINDOW)["embeddings"]
    require(held == wanted, f"tidemark holds {held} embeddings of {wanted}")
    bench.records.can("embeddings-tidemark", what, "tidemark", f"{held:,} of {wanted:,}")
    ours.end()

    do_memory.forget_watermark(memory.path)
    theirs.ask("fill", memory.path, bench.path("episodes-only"))
    held = theirs.ask("count")["embeddings"]
    record = bench.records.can if held == wanted else bench.records.cannot
    record("embeddings-do-memory", what, theirs.name, f"{held:,} of {wanted:,}: its synchronizer "
           "copies episodes")
    theirs.end()
    memory.end()

    server.execute("CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, vector BLOB)")
    server.execute("INSERT INTO embeddings VALUES ('1', 'a', zeroblob(1536))")
    turso, replica = bench.turso_sync(), bench.path("vectors.db")
    turso.ask("fill", server.url, replica)
    require(turso.ask("count", "embeddings")["rows"] == 1, "a replica without its embeddings")
    bench.records.can("embeddings-turso-sync", what, turso.name, "as every table of the database")
    turso.end()
    for ident, name in (("plain-script", "plain script"), ("attach", "ATTACH copy")):
        bench.records.can(f"embeddings-{ident}", what, name, "by another query, if one is written")


def servers(bench, server):
    """Whether it reads a server at all; the others did, above."""
    what = "syncs from a server over plain HTTP"
    theirs = bench.do_memory()
    try:
        theirs.ask("connect", server.url)
        bench.records.can("http-do-memory", what, theirs.name, "it connects")
    except PeerError as error:
        bench.records.cannot("http-do-memory", what, theirs.name,
                             str(error).split(": ", 1)[1].replace(server.url, "http://HOST"))
    theirs.end()
    bench.records.cannot("http-attach", what, "ATTACH copy", "it needs the file")
    for ident, name in (("tidemark", "tidemark"), ("turso-sync", "@tursodatabase/sync 0.6.0"),
                        ("plain-script", "plain script")):
        bench.records.can(f"http-{ident}", what, name, "as the figures show")
