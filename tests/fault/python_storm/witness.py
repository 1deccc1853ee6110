"""What one reading process saw, judged against what the writer says."""
import collections
import random

import numpy

import tidemark
from rows import ALWAYS, DIMENSION, FAR_NS, KEYS, NEVER, PAIR, TABLES, WINDOW, cells_of, key_of, wrong_with

KEPT_ROWS = 30
SCORE_TOLERANCE = 1e-9
EPISODES, PATTERNS, EMBEDDINGS = "episodes", "patterns", "embeddings"
WHOLE = (PATTERNS, "heuristics")  # all of the source's rows are cached


class Wrong(Exception):
    """A read that the contract does not allow."""


def require(condition, what):
    if not condition:
        raise Wrong(what)


def number_of(table, key):
    letter = TABLES[table].letter
    return int(key[len(letter):])


def detail_of(row):
    return row[TABLES[row.collection].detail]


class Moment:
    """What the writer said before a read: what the cache must know by its checked_at."""

    def __init__(self, shared):
        self._since_now = shared.array("since_ns")
        self._since = self._since_now.copy()
        settled = shared.array("settled_ns").copy()
        self._version = shared.array("version").copy()
        self._settled = numpy.where(shared.array("settled_ns") == settled, settled, FAR_NS)

    def oldest_version(self, table, number, checked_ns):
        """No row may be older than this; 0: no saying."""
        row = TABLES[table].number
        return int(self._version[row, number]) if self._settled[row, number] <= checked_ns else 0

    def surely_there(self, table, checked_ns):
        """By number, asked after the read: whether the source had it from checked_at to now."""
        row = TABLES[table].number
        since = self._since[row]
        return (since > 0) & (since == self._since_now[row]) & (since <= checked_ns)


class Witness:
    """One process's memory of what it saw. One thread."""

    def __init__(self, shared, seed):
        self._shared = shared
        self._issued = shared.array("issued")
        self._seen = numpy.zeros((len(TABLES), KEYS), "i8")
        self._random = random.Random(seed)
        self._kept = collections.deque(maxlen=KEPT_ROWS)
        self._checked = set()
        self.counts = collections.Counter()

    def look(self, cache):
        """Each method once: at the newest commits, then in a snapshot."""
        for _ in range(10):
            self._get(cache)
        self._list(cache)
        self._nearest(cache)
        self._look_in_snapshot(cache)
        for row, cells in self._kept:  # of commits and generations that are gone
            require(wrong_with(row, cells) == "", f"a row that was kept is now {dict(row)}")
        self.counts["looks"] += 1
        self.counts["passes"] = len(self._checked)

    def _checked_ns(self, reads):
        freshness = reads.freshness()
        require(freshness.state is tidemark.State.FRESH or freshness.in_doubt, f"it is {freshness}")
        checked_ms = int(freshness.checked_at.timestamp() * 1000 + 0.5)
        self._checked.add(checked_ms)
        return checked_ms * 1_000_000

    def _judge(self, row, table, moment, checked_ns):
        """The source had this row, and had it after the last one that was seen of its key; no newer one
        is older than checked_at. Gives the row's version."""
        where = f"{table}: {dict(row)}"
        require(row.collection == table, where)
        parts = str(row["body"]).split("|")
        require(len(parts) == 6 and parts[2].isdigit(), where)
        version = int(parts[2])
        cells = cells_of(table, row.key, version, detail_of(row))
        require(wrong_with(row, cells) == "", f"{where}: {wrong_with(row, cells)}")
        number = number_of(table, row.key)
        require(row.key == key_of(table, number) and number < KEYS, where)
        require(version <= self._issued[TABLES[table].number, number], f"{where}: too new")
        seen = self._seen[TABLES[table].number, number]
        require(version >= seen, f"{where}: after version {seen}")
        oldest = moment.oldest_version(table, number, checked_ns)
        require(version >= oldest, f"{where}: the source had version {oldest} before checked_at")
        self.counts["rows"] += 1
        self.counts["rows known by checked_at"] += oldest > 0
        self._seen[TABLES[table].number, number] = version
        if self._random.random() < 0.02:
            self._kept.append((row, cells))
        return version

    def _judge_answer(self, found, table, number, moment, checked_ns):
        key = key_of(table, number)
        self.counts[found.presence.name.lower()] += 1
        if found.presence is tidemark.Presence.HIT:
            require(found.row.key == key, f"asked for {key} of {table}: {dict(found.row)}")
            return self._judge(found.row, table, moment, checked_ns)
        require(found.row is None and not found, f"{key} of {table} has a row and is {found.presence}")
        if found.presence is tidemark.Presence.ABSENT:
            require(table != EMBEDDINGS, f"embedding {key} is called absent")
            there = moment.surely_there(table, checked_ns)
            require(not there[number], f"{key} of {table} is called absent")
            self.counts["absent judged"] += int(there.sum()) > 0
        return None

    def _get(self, reads):
        moment = Moment(self._shared)
        checked_ns = self._checked_ns(reads)
        table, number = self._random.choice(list(TABLES)), self._random.randrange(KEYS)
        found = reads.get(table, key_of(table, number))
        self._judge_answer(found, table, number, moment, checked_ns)
        self.counts["get"] += 1

    def _list(self, cache):
        """May be of several commits: each row once, and in order where no row moves."""
        table = self._random.choice(list(TABLES))
        moment = Moment(self._shared)
        checked_ns = self._checked_ns(cache)
        rows = cache.list(table)
        keys = [row.key for row in rows]
        require(len(set(keys)) == len(keys), f"{table} has {keys}")
        require(table == EPISODES or keys == sorted(keys), f"{table} has {keys}")
        self._judge_rows(rows, table, moment, checked_ns)
        self.counts["list"] += 1

    def _judge_rows(self, rows, table, moment, checked_ns, consistent=False):
        """`consistent`: of one state of the source, else a scan may have missed an episode that moved."""
        for row in rows:
            self._judge(row, table, moment, checked_ns)
        there = moment.surely_there(table, checked_ns)
        if table in WHOLE:
            missing = set(numpy.flatnonzero(there)) - {number_of(table, row.key) for row in rows}
            require(not missing, f"{table} lacks {missing}")
            self.counts["listed by checked_at"] += int(there.sum())
        if table == EPISODES and consistent:
            require(len(rows) >= min(WINDOW, int(there.sum())), f"{len(rows)} episodes")
        require(table != EPISODES or len(rows) <= WINDOW, f"{len(rows)} episodes")

    def _look_in_snapshot(self, cache):
        moment = Moment(self._shared)
        with cache.snapshot() as snapshot:
            checked_ns, consistent = self._checked_ns(snapshot), snapshot.freshness().consistent
            listed = {table: snapshot.list(table) for table in TABLES}
            for table, rows in listed.items():
                self._judge_rows(rows, table, moment, checked_ns, consistent)
            self._judge_order(listed)
            self._compare_gets(snapshot, listed, moment, checked_ns)
            self._compare_parts(snapshot, listed)
            self._compare_nearest(snapshot, listed[EMBEDDINGS])
            if consistent:
                self.judge_pair([row["body"].split("|")[2] for row in listed[PATTERNS]
                                 if number_of(PATTERNS, row.key) in PAIR])
        self.counts["snapshot"] += 1

    @staticmethod
    def _judge_order(listed):
        for table, rows in listed.items():
            if table == EPISODES:  # newest first, those without a time last
                order = [(-1 if row["start_time"] is None else row["start_time"], row.key) for row in rows]
                require(order == sorted(order, reverse=True), f"episodes: {order}")
            else:
                keys = [row.key for row in rows]
                require(keys == sorted(keys), f"{table}: {keys}")

    def _compare_gets(self, snapshot, listed, moment, checked_ns):
        """What get() says and what list() says is the same commit."""
        for number in (ALWAYS, NEVER, *PAIR, *(self._random.randrange(NEVER) for _ in range(5))):
            table = PATTERNS if number >= NEVER else self._random.choice(list(TABLES))
            found = snapshot.get(table, key_of(table, number))
            self._judge_answer(found, table, number, moment, checked_ns)
            of_list = [row for row in listed[table] if row.key == key_of(table, number)]
            require(len(of_list) == bool(found), f"{number} of {table}: {found}, listed {len(of_list)} times")
            require(not found or dict(of_list[0])["body"] == found.row["body"], f"{number} of {table}")
            require(number != ALWAYS or found, "the row that is always there is not")
            require(number != NEVER or not found, "the row that never was is there")
            self.counts["get in a snapshot"] += 1

    def _compare_parts(self, snapshot, listed):
        kind = f"kind{self._random.randrange(4)}"
        self._same(snapshot.list(PATTERNS, where=("pattern_type", kind)),
                   [row for row in listed[PATTERNS] if row["pattern_type"] == kind], kind)
        parent = key_of(self._random.choice([EPISODES, PATTERNS]), self._random.randrange(NEVER))
        self._same(snapshot.list(EMBEDDINGS, of=parent),
                   [row for row in listed[EMBEDDINGS] if row["item_id"] == parent], parent)
        self._same(snapshot.list(EPISODES, 7), listed[EPISODES][:7], "the newest seven")
        self.counts["list of some"] += 3

    @staticmethod
    def _same(rows, expected, what):
        bodies = [row["body"] for row in rows]
        require(bodies == [row["body"] for row in expected], f"{what}: {bodies}")

    def judge_pair(self, versions):
        """Written by one statement, so of one version in every state of the source."""
        require(len(versions) in (0, 2) and len(set(versions)) <= 1, f"consistent, and the pair is {versions}")
        self.counts["consistent"] += 1

    def _query(self):
        return numpy.array([self._random.gauss(0, 1) for _ in range(DIMENSION)], "<f4")

    def _nearest(self, cache):
        moment = Moment(self._shared)
        checked_ns = self._checked_ns(cache)
        query = self._query()
        found = cache.nearest(query, 5)
        for neighbour in found.neighbours:
            self._judge(neighbour.row, EMBEDDINGS, moment, checked_ns)
        self._judge_scores(found, [n.row for n in found.neighbours], query)
        require(len(found.neighbours) == min(5, found.coverage.searched), f"{found}")
        self.counts["nearest"] += 1

    def _compare_nearest(self, snapshot, rows):
        """Is brute force over all rows of the commit."""
        query, of = self._query(), self._random.choice([EPISODES, PATTERNS])
        found = snapshot.nearest(query, 5)
        self._judge_scores(found, rows, query)
        require(found.coverage.searched == len(rows), f"{found.coverage} of {len(rows)}")
        parent = of[:-1]
        some = [row for row in rows if row["item_type"] == parent]
        self._judge_scores(snapshot.nearest(query, 5, of=of), some, query)
        self._judge_scores(snapshot.nearest(query, 5, filter=lambda row: row["item_type"] == parent), some, query)
        self.counts["nearest in a snapshot"] += 3

    @staticmethod
    def _judge_scores(found, rows, query):
        one = query.astype("f8")
        scores = {}
        for row in rows:
            vector = row["embedding_vector"].astype("f8")
            scores[row["body"]] = float(vector @ one / numpy.linalg.norm(vector) / numpy.linalg.norm(one))
        best = sorted(scores.values(), reverse=True)[:5]
        said = [neighbour.score for neighbour in found.neighbours]
        require(len(said) == len(best) and numpy.allclose(said, best, rtol=0, atol=SCORE_TOLERANCE),
                f"nearest says {said}, brute force {best}")
        for neighbour in found.neighbours:
            row = neighbour.row
            require(abs(scores.get(row["body"], 9) - neighbour.score) < SCORE_TOLERANCE, f"{dict(row)} is no neighbour")
            require(neighbour.parent_key == row["item_id"], f"{neighbour}")
            require(neighbour.parent_collection == f"{row['item_type']}s", f"{neighbour}")


def everything(cache):
    """Key, detail and body of each row by table, and what is said of each pattern's key."""
    with cache.snapshot() as snapshot:
        rows = {table: [(row.key, detail_of(row), row["body"]) for row in snapshot.list(table)] for table in TABLES}
        said = [snapshot.get(PATTERNS, key_of(PATTERNS, number)).presence.name for number in range(KEYS)]
    again = {table: [(row.key, detail_of(row), row["body"]) for row in cache.list(table)] for table in TABLES}
    require(rows == again, "a snapshot and the cache list differently in a quiet cache")
    return rows, said
