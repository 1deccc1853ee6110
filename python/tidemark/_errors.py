"""Each error code of the library as an exception, with what to do."""
from typing import Any, NoReturn

from ._library import ffi, lib


class Error(Exception):
    """What happened (`message`), and what to do about it (`hint`, may be empty)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message} ({hint})" if hint else message)
        self.message = message
        self.hint = hint


class InvalidError(Error):
    """A bad argument, no such cache, or a file that is not a cache."""


class UnsupportedError(Error):
    """A cache of a newer format, or on a network file system."""


class BusyError(Error):
    """A writer is repairing the file, and open_deadline passed."""


class StaleError(Error):
    """Older than max_staleness, and fail_when_stale was asked for."""


class CorruptError(Error):
    """Stored bytes do not match their hash: `tidemark repair`."""


class NeedsRepairError(Error):
    """The file cannot be opened until it was repaired: `tidemark repair`."""


_BY_CODE: dict[int, type[Error]] = {
    lib.TIDEMARK_INVALID: InvalidError,
    lib.TIDEMARK_UNSUPPORTED: UnsupportedError,
    lib.TIDEMARK_BUSY: BusyError,
    lib.TIDEMARK_STALE: StaleError,
    lib.TIDEMARK_CORRUPT: CorruptError,
    lib.TIDEMARK_NEEDS_REPAIR: NeedsRepairError,
}


_buffer = ffi.buffer


def text_of(data: Any) -> str:
    return str(_buffer(data.data, data.size), "utf-8") if data.size else ""


def raise_error(code: int, error: Any) -> NoReturn:
    """Raises what a call told, and frees it."""
    if error == ffi.NULL:
        raise MemoryError()
    message = text_of(lib.tidemark_error_message(error))
    hint = text_of(lib.tidemark_error_hint(error))
    lib.tidemark_error_free(error)
    raise _BY_CODE.get(code, Error)(message, hint)
