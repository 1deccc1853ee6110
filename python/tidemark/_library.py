"""The C library and its declarations: its headers, as they stand beside this file or in the source tree."""
import os
import pathlib
import re
from typing import Any, Union

import cffi

_HERE = pathlib.Path(__file__).parent
_TREE = _HERE.parent.parent  # where this file is in a checkout


def _declarations(name: str) -> str:
    """A header without what only a compiler wants."""
    packaged = _HERE / name
    header = packaged if packaged.exists() else _TREE / "include" / name
    text = header.read_text(encoding="utf-8")
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.DOTALL)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE)
    return text.replace("TIDEMARK_C_API ", "")


def _library_path() -> str:
    """$TIDEMARK_LIBRARY, the wheel's own copy, or what the loader finds."""
    named = os.environ.get("TIDEMARK_LIBRARY")
    packaged = _HERE / "libtidemark-reader.so"
    return named or (str(packaged) if packaged.exists() else "libtidemark-reader.so")


ffi: Any = cffi.FFI()
ffi.cdef(_declarations("tidemark.h"))
ffi.cdef(_declarations("tidemark_nearest.h"))
lib: Any = ffi.dlopen(_library_path())


def lend(value: Union[str, bytes]) -> tuple[Any, int]:
    """A str or bytes as what cffi takes for a tidemark_bytes; to be kept for as long as that is used."""
    data = value.encode("utf-8") if isinstance(value, str) else value
    return ffi.from_buffer(data), len(data)
