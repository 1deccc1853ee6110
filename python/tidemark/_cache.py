"""Opening a cache, and reading it or a snapshot of it."""
import enum
import functools
import os
from collections.abc import Callable
from datetime import timedelta
from types import TracebackType
from typing import Any, NamedTuple, Optional, Union

from ._errors import InvalidError, raise_error
from ._freshness import Freshness, freshness_from, new_freshness
from ._library import ffi, lend, lib
from ._nearest import AnyVector, Nearest, Similarity, search
from ._row import Row, Value


class Presence(enum.Enum):
    """What a cache says of a key."""

    HIT = 0
    ABSENT = 1  # the source had none at some moment between checked_at and the read
    UNKNOWN = 2  # not cached, and not proven absent: ask the source


_PRESENCES = tuple(Presence)


class Lookup(NamedTuple):
    """The answer to get(); true when there is a row."""

    presence: Presence
    row: Optional[Row]

    def __bool__(self) -> bool:
        return self.row is not None


# Parsed once.
_PRESENCE_OUT, _ROW_OUT = ffi.typeof("tidemark_presence *"), ffi.typeof("tidemark_row **")
_ERROR_OUT = ffi.typeof("tidemark_error **")
_OK, _NULL = lib.TIDEMARK_OK, ffi.NULL


def _value(value: Value, lent: list[tuple[Any, int]]) -> dict[str, Any]:
    if value is None:
        return {"type": lib.TIDEMARK_NULL}
    if isinstance(value, int):
        return {"type": lib.TIDEMARK_INT64, "int64": value}
    if isinstance(value, float):
        return {"type": lib.TIDEMARK_REAL, "real": value}
    if isinstance(value, (str, bytes)):
        lent.append(lend(value))
        kind = lib.TIDEMARK_TEXT if isinstance(value, str) else lib.TIDEMARK_BLOB
        return {"type": kind, "bytes": lent[-1]}
    raise TypeError("an index holds None, int, float, str and bytes")


@ffi.callback("int(const tidemark_row *, void *)")  # type: ignore[misc]
def _keep(row: Any, context: Any) -> int:
    kept: list[Any] = ffi.from_handle(context)
    kept.append(lib.tidemark_row_keep(row))
    return 1


class _Reads:
    """What a cache and a snapshot have in common."""

    def _open_handle(self) -> Any:
        raise NotImplementedError

    def get(self, collection: str, key: str) -> Lookup:
        """The row of `key`, or why there is none. `collection` is a table's name;
        "embeddings" means every embedding table."""
        presence, row, error = ffi.new(_PRESENCE_OUT), ffi.new(_ROW_OUT), ffi.new(_ERROR_OUT)
        code = lib.tidemark_get(self._open_handle(), lend(collection), lend(key), presence, row, error)
        if code != _OK:
            raise_error(code, error[0])
        found = Row(row[0]) if row[0] != _NULL else None
        return Lookup(_PRESENCES[presence[0]], found)

    def list(self, collection: str, limit: Optional[int] = None, *, of: Optional[str] = None,
             of_collection: str = "", where: Optional[tuple[str, Value]] = None) -> list[Row]:
        """Rows in order: episodes newest first, others by key; at most `limit` of them. `of`:
        embeddings of this parent's key. `where`: an indexed column of patterns, and its value."""
        if limit is not None and limit <= 0:
            return []
        lent = [lend(collection)]
        query = ffi.new("tidemark_query *")
        query.size = ffi.sizeof("tidemark_query")
        query.collection = lent[0]
        query.limit = limit or 0
        if of is not None:
            lent += [lend(of), lend(of_collection)]
            query.of_key, query.of_collection = lent[-2:]
        if where is not None:
            lent.append(lend(where[0]))
            query.where_index = lent[-1]
            query.where_value = _value(where[1], lent)
        kept: list[Any] = []
        handle = ffi.new_handle(kept)
        error = ffi.new(_ERROR_OUT)
        code = lib.tidemark_list(self._open_handle(), query, _keep, handle, error)
        rows = [Row(row) for row in kept if row != _NULL]
        if code != _OK:
            raise_error(code, error[0])
        if len(rows) != len(kept):
            raise MemoryError()
        return rows

    def freshness(self) -> Freshness:
        """Of a snapshot: as it was when that was made."""
        told = new_freshness()
        error = ffi.new(_ERROR_OUT)
        code = lib.tidemark_freshness_of(self._open_handle(), told, error)
        if code != _OK:
            raise_error(code, error[0])
        return freshness_from(told)

    def nearest(self, vector: AnyVector, k: int = 10, *, collection: str = "embeddings",
                similarity: Similarity = "cosine", model: Optional[str] = None,
                of: Optional[str] = None,
                filter: Optional[Callable[[Row], bool]] = None) -> Nearest:
        """The k embeddings whose vectors are nearest to `vector`, exactly; see Nearest. `model`: of
        this one only ("": of rows that name none); needed where the comparable vectors are of
        several. `of`: only embeddings of "episodes", "patterns" or "heuristics". `filter`: which
        rows count, asked from the nearest on. The first search of a table reads all of it."""
        return search(self._open_handle(), vector, k, collection, similarity, model, of, filter)


class Snapshot(_Reads):
    """One commit of a cache. One thread at a time; hold it for milliseconds, since the file grows
    while it is held and passes commit."""

    def __init__(self, cache: Any, handle: Any) -> None:
        self._cache = cache  # which it must not outlive
        self._handle = ffi.gc(handle, lib.tidemark_close)

    def _open_handle(self) -> Any:
        if self._handle is None:
            raise ValueError("the snapshot is closed")
        return self._handle

    def close(self) -> None:
        """Twice is no error."""
        if self._handle is not None:
            ffi.release(self._handle)
        self._handle = self._cache = None

    def __enter__(self) -> "Snapshot":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()


class Cache(_Reads):
    """A cache that is open. Any number of threads may use one, and processes of multiprocessing may
    be given one: a forked child opens the file again by itself at its first use; what is pickled for
    a spawned one is the path and what was asked for."""

    def __init__(self, path: Union[str, "os.PathLike[str]"], *, page_cache_bytes: int = 0,
                 open_deadline: Optional[timedelta] = None,
                 max_staleness: Optional[timedelta] = None, fail_when_stale: bool = False,
                 repair: bool = True, vector_cache_bytes: int = 0) -> None:
        """`fail_when_stale`: reads of a cache older than `max_staleness` (5 min) raise StaleError.
        `repair`: may repair a file that a killed writer left. `vector_cache_bytes`: what nearest()
        keeps in memory (256 MiB)."""
        self._path = os.fspath(path)
        self._options = ffi.new("tidemark_options *", {
            "size": ffi.sizeof("tidemark_options"),
            "page_cache_bytes": page_cache_bytes,
            "open_deadline_ms": _ms(open_deadline),
            "max_staleness_ms": _ms(max_staleness),
            "fail_when_stale": int(fail_when_stale),
            "never_repair": int(not repair),
            "vector_cache_bytes": vector_cache_bytes,
        })
        self._again = functools.partial(
            Cache, os.path.abspath(self._path), page_cache_bytes=page_cache_bytes,
            open_deadline=open_deadline, max_staleness=max_staleness, fail_when_stale=fail_when_stale,
            repair=repair, vector_cache_bytes=vector_cache_bytes)
        self._opened: Optional[tuple[int, Any]] = self._open()  # None: closed

    def __reduce__(self) -> tuple[Any, ...]:
        if self._opened is None:
            raise ValueError("the cache is closed")
        return self._again, ()

    def _open(self) -> tuple[int, Any]:
        """The process that opened it, and its handle."""
        cache = ffi.new("tidemark_cache **")
        error = ffi.new(_ERROR_OUT)
        code = lib.tidemark_open(lend(self._path), self._options, cache, error)
        if code != _OK:
            raise_error(code, error[0])
        # A handle is closed when the last call that uses it has ended, whichever thread's it is.
        return os.getpid(), ffi.gc(cache[0], lib.tidemark_close)

    def _open_handle(self) -> Any:
        opened = self._opened  # once: another thread may close it now
        if opened is None:
            raise ValueError("the cache is closed")
        if opened[0] != os.getpid():  # no lock: one that was held at the fork would stay so
            opened = self._opened = self._open()
        return opened[1]

    def snapshot(self) -> Snapshot:
        """Several reads of one commit."""
        made = ffi.new("tidemark_cache **")
        error = ffi.new(_ERROR_OUT)
        handle = self._open_handle()
        code = lib.tidemark_snapshot(handle, made, error)
        if code != _OK:
            raise_error(code, error[0])
        return Snapshot(handle, made[0])

    def close(self) -> None:
        """Twice is no error. The file is closed with the last snapshot."""
        self._opened = None

    def __enter__(self) -> "Cache":
        return self

    def __exit__(self, kind: Optional[type[BaseException]], error: Optional[BaseException],
                 trace: Optional[TracebackType]) -> None:
        self.close()


def _ms(time: Optional[timedelta]) -> int:
    if time is None:
        return 0
    if time <= timedelta(0):
        raise InvalidError("a deadline or an age must be above zero")
    return max(1, int(time / timedelta(milliseconds=1)))
