"""The cached embeddings that are most like a vector."""
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Optional, Union

import numpy

from ._errors import raise_error, text_of
from ._freshness import Freshness, freshness_from, new_freshness
from ._library import ffi, lend, lib
from ._row import Row

# cosine: of the angle, -1 to 1, greater is nearer. dot: the inner product, greater is nearer. l2: the
# Euclidean distance, smaller is nearer.
Similarity = Literal["cosine", "dot", "l2"]
AnyVector = Union[Sequence[float], "numpy.ndarray[Any, numpy.dtype[Any]]"]

_SIMILARITIES = {"cosine": lib.TIDEMARK_COSINE, "dot": lib.TIDEMARK_DOT, "l2": lib.TIDEMARK_L2}


@dataclass(frozen=True)
class Neighbour:
    """An embedding that is near, and what it is an embedding of: its key and "episodes", "patterns"
    or "heuristics"; None where the row does not say it."""

    score: float
    row: Row
    parent_collection: Optional[str]
    parent_key: Optional[str]


@dataclass(frozen=True)
class Coverage:
    """Over how much a search went. Each cached row is counted as searched or for the first reason
    that left it out."""

    searched: int
    no_vector: int  # none, or in an encoding that is kept as it is
    other_parent: int
    other_model: int
    other_dimension: int
    not_finite: int  # NaN or infinity among its floats
    zero: int  # cosine: no direction
    filtered: int  # of those searched: near, and left out by the filter
    window_complete: bool  # every episode of the source is cached
    in_scope: bool  # the cache keeps what was searched for
    complete: bool  # the source had no more at some moment since checked_at


@dataclass(frozen=True)
class Nearest:
    """The neighbours, nearest first, equal scores by key; fewer than k when no more count."""

    neighbours: list[Neighbour]
    coverage: Coverage
    freshness: Freshness  # of the one commit that was searched


class _Filter:
    """Asks a callable, and keeps what it raises: no exception passes through the library."""

    def __init__(self, wanted: Callable[[Row], bool]) -> None:
        self._wanted = wanted
        self.raised: Optional[BaseException] = None

    def counts(self, row: Any) -> bool:
        if self.raised is not None:
            return True  # so that the search ends
        try:
            return bool(self._wanted(_kept(row)))
        except BaseException as error:
            self.raised = error
            return True


@ffi.callback("int(const tidemark_row *, void *)")  # type: ignore[misc]
def _ask(row: Any, context: Any) -> int:
    asked: _Filter = ffi.from_handle(context)
    return int(asked.counts(row))


def _kept(row: Any) -> Row:
    copy = lib.tidemark_row_keep(row)
    if copy == ffi.NULL:
        raise MemoryError()
    return Row(copy)


def _neighbour(found: Any, number: int) -> Neighbour:
    told = ffi.new("tidemark_neighbour *")
    told.size = ffi.sizeof("tidemark_neighbour")
    lib.tidemark_nearest_at(found, number, told)
    return Neighbour(told.score, _kept(told.row), text_of(told.parent_collection) or None,
                     text_of(told.parent_key) or None)


def _coverage(found: Any) -> Coverage:
    told = ffi.new("tidemark_coverage *")
    told.size = ffi.sizeof("tidemark_coverage")
    lib.tidemark_nearest_coverage(found, told)
    return Coverage(
        told.searched, told.no_vector, told.other_parent, told.other_model, told.other_dimension,
        told.not_finite, told.zero, told.filtered, bool(told.window_complete), bool(told.in_scope),
        bool(told.complete))


def search(handle: Any, vector: AnyVector, k: int, collection: str, similarity: Similarity,
           model: Optional[str], of: Optional[str],
           wanted: Optional[Callable[[Row], bool]]) -> Nearest:
    floats = numpy.asarray(vector, dtype="<f4")
    if floats.ndim != 1:
        raise ValueError(f"a vector has one dimension, not {floats.ndim}")
    if similarity not in _SIMILARITIES:
        raise ValueError(f"similarity is one of {', '.join(_SIMILARITIES)}")
    if k < 1:
        raise ValueError("k is at least 1")
    lent = [lend(floats.tobytes()), lend(collection), lend(model or ""), lend(of or "")]
    query = ffi.new("tidemark_nearest_query *")
    query.size = ffi.sizeof("tidemark_nearest_query")
    query.k, query.similarity = k, _SIMILARITIES[similarity]
    query.vector, query.collection, query.of_collection = lent[0], lent[1], lent[3]
    if model is not None:
        query.model = lent[2]
    asked = None if wanted is None else _Filter(wanted)
    if asked is not None:
        context = ffi.new_handle(asked)
        query.filter, query.filter_context = _ask, context
    found = ffi.new("tidemark_neighbours **")
    error = ffi.new("tidemark_error **")
    code = lib.tidemark_nearest(handle, query, found, error)
    if code != lib.TIDEMARK_OK:
        raise_error(code, error[0])
    owned = ffi.gc(found[0], lib.tidemark_nearest_free)
    if asked is not None and asked.raised is not None:
        raise asked.raised
    freshness = new_freshness()
    lib.tidemark_nearest_freshness(owned, freshness)
    neighbours = [_neighbour(owned, n) for n in range(lib.tidemark_nearest_count(owned))]
    return Nearest(neighbours, _coverage(owned), freshness_from(freshness))
