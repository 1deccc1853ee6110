"""One cached item, as a mapping from column to value."""
import json
from collections.abc import Iterator, Mapping
from typing import Any, Union

import numpy

from ._errors import text_of
from ._library import ffi, lib

Vector = numpy.ndarray[Any, numpy.dtype[numpy.float32]]
Value = Union[None, int, float, str, bytes, Vector]


class Row(Mapping[str, Value]):
    """A column's value is None, int, float, str, bytes or, of a vector, a read-only float32 array
    over the row's own bytes. A text that only repeats the row's vector is left out.

    A row owns its bytes, and may outlive its cache and be read by any thread.
    """

    __slots__ = ("_row", "_columns")

    def __init__(self, row: Any) -> None:
        """`row`: a tidemark_row, which becomes this object's."""
        self._row = ffi.gc(row, lib.tidemark_row_free)
        self._columns: dict[str, int] = {}
        for number in range(lib.tidemark_row_columns(self._row)):
            if lib.tidemark_row_value(self._row, number).type != lib.TIDEMARK_REPEATED:
                self._columns[text_of(lib.tidemark_row_column(self._row, number))] = number

    @property
    def collection(self) -> str:
        return text_of(lib.tidemark_row_collection(self._row))

    @property
    def key(self) -> str:
        return text_of(lib.tidemark_row_key(self._row))

    def __getitem__(self, column: str) -> Value:
        value = lib.tidemark_row_value(self._row, self._columns[column])
        if value.type == lib.TIDEMARK_INT64:
            return int(value.int64)
        if value.type == lib.TIDEMARK_REAL:
            return float(value.real)
        if value.type == lib.TIDEMARK_TEXT:
            return text_of(value.bytes)
        if value.type == lib.TIDEMARK_BLOB:
            return bytes(ffi.buffer(value.bytes.data, value.bytes.size)) if value.bytes.size else b""
        if value.type == lib.TIDEMARK_VECTOR:
            return self._vector(value.bytes)
        return None

    def _vector(self, data: Any) -> Vector:
        if data.size == 0:
            return numpy.empty(0, dtype="<f4")
        # Keeps the row alive as long as the array is: its base is this buffer, whose cdata has it.
        lent = ffi.gc(ffi.cast("const char *", data.data), _Keeps(self._row))
        array: Vector = numpy.frombuffer(ffi.buffer(lent, data.size), dtype="<f4")
        array.flags.writeable = False
        return array

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def to_json(self) -> str:
        """As `tidemark get --json` prints it; docs/reading.md has its form."""
        return text_of(lib.tidemark_row_json(self._row))

    def __repr__(self) -> str:
        return f"Row({self.collection}, {json.dumps(self.key, ensure_ascii=False)})"


class _Keeps:
    """Holds an object until it is itself let go."""

    def __init__(self, kept: Any) -> None:
        self._kept = kept

    def __call__(self, _: Any) -> None:
        self._kept = None
