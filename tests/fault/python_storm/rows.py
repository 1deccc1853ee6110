"""Rows that check themselves, and memory that all processes share.

All cells of a row follow from its table, key, version and detail, so a reader knows each cell of
every row that there can be. What the writer did to each key is in shared memory.
"""
import ctypes
import hashlib
from dataclasses import dataclass

import numpy

KEYS = 60  # of each table
WINDOW = 40  # episodes that the cache keeps
PAIR, ALWAYS, NEVER = (KEYS - 2, KEYS - 1), KEYS - 3, KEYS - 4  # patterns; below NEVER: any that come and go
DIMENSION = 8
FAR_NS = 1 << 62  # later than any moment


@dataclass(frozen=True)
class Table:
    name: str
    number: int
    key: str
    detail: str  # the column that differs by more than the version
    letter: str  # of its keys; none: they are integers
    order: str  # of a listing, in SQL


TABLES = {table.name: table for table in (
    Table("episodes", 0, "episode_id", "start_time", "e", "start_time DESC, episode_id DESC"),
    Table("patterns", 1, "pattern_id", "pattern_type", "p", "pattern_id"),
    Table("heuristics", 2, "heuristic_id", "confidence", "", "CAST(heuristic_id AS TEXT)"),
    Table("embeddings", 3, "embedding_id", "item_id", "m", "embedding_id"))}

CELLS = "body TEXT, number INTEGER, ratio REAL, stamp BLOB, missing"
SCHEMA = f"""
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, start_time INTEGER, {CELLS});
CREATE INDEX by_start ON episodes(start_time);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, {CELLS});
CREATE INDEX by_type ON patterns(pattern_type);
CREATE TABLE heuristics(heuristic_id INTEGER PRIMARY KEY, confidence TEXT, {CELLS});
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,
  embedding_vector F32_BLOB({DIMENSION}), dimension INTEGER, {CELLS});
CREATE INDEX by_item ON embeddings(item_id);
"""


def key_of(table, number):
    letter = TABLES[table].letter
    return f"{letter}{number:02}" if letter else str(number)


def cells_of(table, key, version, detail):
    """Every column of the row, in order, as Python has it."""
    text = f"{table}|{key}|{version}|{'' if detail is None else detail}|größe|"
    stamp = hashlib.sha256(text.encode()).digest()
    cells = {TABLES[table].key: key if TABLES[table].letter else int(key), TABLES[table].detail: detail}
    if table == "embeddings":
        cells["item_type"] = "episode" if detail[0] == "e" else "pattern"
        cells["embedding_vector"] = numpy.frombuffer(stamp[:DIMENSION], "i1").astype("<f4") / 16
        cells["dimension"] = DIMENSION
    return cells | {"body": text + stamp.hex()[:16], "number": version * 2**33 - 7, "ratio": version / 8,
                    "stamp": stamp[:version % 30], "missing": None}


def wrong_with(row, cells):
    """What of a Row is not these cells; empty: it is them, each of the same type."""
    if list(row) != list(cells):
        return f"columns {list(row)}"
    for name, cell in cells.items():
        if type(row[name]) is not type(cell):
            return f"{name} is {row[name]!r}"
        same = numpy.array_equal(row[name], cell) if isinstance(cell, numpy.ndarray) else row[name] == cell
        if not same:
            return f"{name} is {row[name]!r}"
    return ""


class Shared:
    """For each key of each table what the writer says of it, and a reader must believe."""

    def __init__(self, context):
        self._memory = {name: context.RawArray(ctypes.c_int64, len(TABLES) * KEYS)
                        for name in ("issued", "since_ns", "version", "settled_ns")}

    def array(self, name):
        """By table and number.
        issued: the newest version that the source was ever asked to take.
        since_ns: the key was at the source from then on until now; 0: perhaps not.
        version, settled_ns: from settled_ns on the source had no older version of the key."""
        return numpy.frombuffer(self._memory[name], "i8").reshape(len(TABLES), KEYS)
