"""One cached item, as a mapping from column to value."""
import json
from collections.abc import Iterator, Mapping
from typing import Any, Optional, Union

import numpy

from ._errors import text_of
from ._library import ffi, lib

Vector = numpy.ndarray[Any, numpy.dtype[numpy.float32]]
Value = Union[None, int, float, str, bytes, Vector]

_ADDRESS, _FLOATS = ffi.typeof("const char *"), numpy.dtype("<f4")
_free = lib.tidemark_row_free
_INT64, _REAL, _TEXT, _BLOB = lib.TIDEMARK_INT64, lib.TIDEMARK_REAL, lib.TIDEMARK_TEXT, lib.TIDEMARK_BLOB
_VECTOR, _REPEATED = lib.TIDEMARK_VECTOR, lib.TIDEMARK_REPEATED
# By column: its place in the last row that was asked for it, and its name as bytes.
_places: dict[str, tuple[int, bytes]] = {}


class Row(Mapping[str, Value]):
    """A column's value is None, int, float, str, bytes or, of a vector, a read-only float32 array
    over the row's own bytes. A text that only repeats the row's vector is left out.

    A row owns its bytes, and may outlive its cache and be read by any thread.
    """

    __slots__ = ("_row", "_columns")

    def __init__(self, row: Any) -> None:
        """`row`: a tidemark_row, which becomes this object's."""
        self._row = ffi.gc(row, _free)
        self._columns: Optional[dict[str, int]] = None  # when more than single values are asked for

    @property
    def collection(self) -> str:
        return text_of(lib.tidemark_row_collection(self._row))

    @property
    def key(self) -> str:
        return text_of(lib.tidemark_row_key(self._row))

    def __getitem__(self, column: str) -> Value:
        value = lib.tidemark_row_value(self._row, self._place(column))
        kind = value.type
        if kind == _TEXT:
            return text_of(value.bytes)
        if kind == _INT64 or kind == _REAL:
            number: Union[int, float] = value.int64 if kind == _INT64 else value.real
            return number
        if kind == _BLOB:
            return bytes(ffi.buffer(value.bytes.data, value.bytes.size)) if value.bytes.size else b""
        if kind == _VECTOR:
            return self._vector(value.bytes)
        if kind == _REPEATED:
            raise KeyError(column)
        return None

    def _place(self, column: str) -> int:
        """Most rows have a column where the last one that was asked for it had it."""
        known = _places.get(column)
        if known is not None:
            name = lib.tidemark_row_column(self._row, known[0])
            if name.size and ffi.buffer(name.data, name.size) == known[1]:
                return known[0]
        place = self._all()[column]
        _places[column] = place, column.encode("utf-8")
        return place

    def _all(self) -> dict[str, int]:
        """Where each column is, but for those that only repeat the vector."""
        if self._columns is None:
            self._columns = {
                text_of(lib.tidemark_row_column(self._row, place)): place
                for place in range(lib.tidemark_row_columns(self._row))
                if lib.tidemark_row_value(self._row, place).type != _REPEATED}
        return self._columns

    def _vector(self, data: Any) -> Vector:
        if data.size == 0:
            return numpy.empty(0, _FLOATS)
        # Keeps the row alive as long as the array is: its base is this buffer, whose cdata has it.
        lent = ffi.gc(ffi.cast(_ADDRESS, data.data), _Keeps(self._row))
        array: Vector = numpy.frombuffer(ffi.buffer(lent, data.size), _FLOATS)
        array.flags.writeable = False
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def to_json(self) -> str:
        """As `tidemark get --json` prints it; docs/reading.md has its form."""
        return text_of(lib.tidemark_row_json(self._row))

    def __repr__(self) -> str:
        return f"Row({self.collection}, {json.dumps(self.key, ensure_ascii=False)})"


class _Keeps:
    """Holds an object until it is itself let go."""

    __slots__ = ("_kept",)

    def __init__(self, kept: Any) -> None:
        self._kept = kept

    def __call__(self, _: Any) -> None:
        self._kept = None
