"""The C library and its declarations: tidemark.h, as it stands beside this file or in the source tree."""
import os
import pathlib
import re
from typing import Any

import cffi

_HERE = pathlib.Path(__file__).parent
_TREE = _HERE.parent.parent  # where this file is in a checkout


def _declarations() -> str:
    """tidemark.h without what only a compiler wants."""
    packaged = _HERE / "tidemark.h"
    header = packaged if packaged.exists() else _TREE / "include" / "tidemark.h"
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
ffi.cdef(_declarations())
lib: Any = ffi.dlopen(_library_path())
