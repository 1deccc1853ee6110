"""How fresh a cache is."""
import enum
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Optional

from ._library import ffi

_NONE_MS = -(1 << 63)
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class State(enum.Enum):
    """Of a cache; docs/reading.md says what each means."""

    FRESH = 0
    STALE = 1
    NEVER_SYNCED = 2
    NEEDS_REPAIR = 3


@dataclass(frozen=True)
class Freshness:
    """How fresh and how complete a cache is. Times are in UTC; None: not known, or never."""

    state: State
    checked_at: Optional[datetime]
    age: Optional[timedelta]
    source_unavailable_since: Optional[datetime]
    source_refused_since: Optional[datetime]
    incomplete: int  # rows that could not be cached
    catching_up: bool  # more changes are known to be waiting
    in_doubt: bool  # the cache is being read again
    consistent: bool  # all rows are one snapshot of the source


def _time(ms: int) -> Optional[datetime]:
    return None if ms == _NONE_MS else _EPOCH + timedelta(milliseconds=ms)


def new_freshness() -> Any:
    """A tidemark_freshness for the library to fill."""
    told = ffi.new("tidemark_freshness *")
    told.size = ffi.sizeof("tidemark_freshness")
    return told


def freshness_from(told: Any) -> Freshness:
    age = None if told.age_ms == _NONE_MS else timedelta(milliseconds=told.age_ms)
    return Freshness(
        State(told.state), _time(told.checked_at_ms), age, _time(told.source_unavailable_since_ms),
        _time(told.source_refused_since_ms), told.incomplete, bool(told.catching_up),
        bool(told.in_doubt), bool(told.consistent))
