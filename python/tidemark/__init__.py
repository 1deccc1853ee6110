"""Reads a tidemark cache: a local redb file that is kept in step with a Turso database.

    import tidemark

    with tidemark.open("memories.redb") as cache:
        found = cache.get("episodes", "ep-1")
        if found.presence is tidemark.Presence.HIT:
            print(found.row["context"])
        elif found.presence is tidemark.Presence.UNKNOWN:
            ...  # not cached: only the source can tell

Reading takes no lock and needs no network. `tidemark sync` or `tidemark daemon` keeps the file in step.
"""
import os
from datetime import timedelta
from typing import Optional, Union

from ._cache import Cache, Lookup, Presence, Snapshot
from ._errors import (BusyError, CorruptError, Error, InvalidError, NeedsRepairError, StaleError,
                      UnsupportedError)
from ._freshness import Freshness, State
from ._library import ffi as _ffi
from ._library import lib as _lib
from ._nearest import Coverage, Nearest, Neighbour
from ._row import Row, Value, Vector

__all__ = ["BusyError", "Cache", "CorruptError", "Coverage", "Error", "Freshness", "InvalidError",
           "Lookup", "Nearest", "NeedsRepairError", "Neighbour", "Presence", "Row", "Snapshot",
           "StaleError", "State", "UnsupportedError", "Value", "Vector", "open"]

__version__: str = _ffi.string(_lib.tidemark_version()).decode("ascii")


def open(path: Union[str, "os.PathLike[str]"], *, page_cache_bytes: int = 0,
         open_deadline: Optional[timedelta] = None, max_staleness: Optional[timedelta] = None,
         fail_when_stale: bool = False, repair: bool = True,
         vector_cache_bytes: int = 0) -> Cache:
    """Opens the cache at `path` for reading; see Cache. Raises an Error with a hint."""
    return Cache(path, page_cache_bytes=page_cache_bytes, open_deadline=open_deadline,
                 max_staleness=max_staleness, fail_when_stale=fail_when_stale, repair=repair,
                 vector_cache_bytes=vector_cache_bytes)
