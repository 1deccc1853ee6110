#!/usr/bin/env python3
"""Checks what the two shared libraries export, against what the sources mark with TIDEMARK_API.

exports.py BUILD_DIR LIB_DIR [--installed]: the folders' archives are read from the first, the
libraries from the second. Fails, naming each symbol, where one is exported that should not be, or by
both, or by none. What the crate has for tests only must be in a build with tests and not installed.
"""
import pathlib
import re
import subprocess
import sys

FOLDERS = ["base", "model", "turso", "redb", "source", "cache", "abi", "sync"]
HEADER = pathlib.Path(__file__).parents[2] / "src/redb/ffi/tidemark_redb.h"
# The C functions of each header, and the version node that they are under for ever.
C_NODES = {"tidemark.h": "TIDEMARK_C_1", "tidemark_nearest.h": "TIDEMARK_C_2"}
INCLUDE = pathlib.Path(__file__).parents[2] / "include"
FOR_TESTS = {"tdmk_redb_panic"}  # compiled with the crate's feature "fault"
SYSTEM = re.compile(r"^(libc|libm|libstdc\+\+|libgcc_s|libpthread|libdl|ld-linux-.*)\.so\.\d+$")


def output(*command):
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def plain(symbol):
    return subprocess.run(["c++filt", symbol], capture_output=True, text=True, check=True).stdout.strip()


def marked_public(build):
    """The C++ symbols that are defined once and visible: in our code, those with TIDEMARK_API."""
    found = set()
    for folder in FOLDERS:
        for archive in sorted((build / "src" / folder).glob("**/libtidemark_*.a")):
            for line in output("readelf", "-sW", str(archive)).splitlines():
                fields = line.split()
                if len(fields) >= 8 and fields[4:6] == ["GLOBAL", "DEFAULT"] and fields[6] != "UND":
                    if fields[7].startswith("_Z"):
                        found.add(fields[7])
    return found


def crate_functions(installed):
    found = set(re.findall(r"\b(tdmk_redb_\w+)\(", HEADER.read_text(encoding="utf-8")))
    return found - FOR_TESTS if installed else found | FOR_TESTS


def c_functions():
    """{function: node}"""
    found = {}
    for header, node in C_NODES.items():
        text = (INCLUDE / header).read_text(encoding="utf-8")
        found.update(dict.fromkeys(re.findall(r"TIDEMARK_C_API[^;(]*?(tidemark_\w+)\(", text), node))
    return found


def dynamic(library, which):
    """{symbol: version} of a library's dynamic table."""
    found = {}
    for line in output("nm", "-D", which, "--with-symbol-versions", str(library)).splitlines():
        kind, symbol = line.split()[-2:]
        name, _, version = symbol.partition("@")
        # Not a local symbol, which the linker may list too, nor a version node's own entry.
        if kind not in "tdbrn" and not name.startswith("TIDEMARK_"):
            found[name] = version.lstrip("@")
    return found


def needed(library):
    return re.findall(r"\(NEEDED\).*\[(.*)\]", output("readelf", "-d", str(library)))


def judge(build, libraries, installed):
    reader_file, sync_file = libraries / "libtidemark-reader.so", libraries / "libtidemark.so"
    reader, sync = dynamic(reader_file, "--defined-only"), dynamic(sync_file, "--defined-only")
    public, crate, c = marked_public(build), crate_functions(installed), c_functions()
    if len(public) < 30 or len(crate) < 10 or len(c) < 18:
        yield f"found only {len(public)} public symbols, {len(crate)} of the crate, {len(c)} of C"
    for name, node in sorted(c.items()):
        if reader.get(name) != node:
            yield f"{name} of C is not under {node} but under '{reader.get(name)}'"
    for name in sorted(public - reader.keys() - sync.keys()):
        yield f"public, but exported by neither library: {plain(name)}"
    for name in sorted(reader.keys() & sync.keys()):
        yield f"exported by both libraries: {plain(name)}"
    for name in sorted(reader.keys() - public - crate - c.keys()):
        yield f"the reader exports {plain(name)}"
    for name in sorted(sync.keys() - public):
        yield f"libtidemark exports {plain(name)}"
    for name in sorted(crate):
        version = reader.get(name, "")
        if not version.startswith("TIDEMARK_PRIVATE_"):
            yield f"{name} is not under the reader's private node but under '{version}'"
    for name, version in sorted({**reader, **sync}.items()):
        if name not in crate | c.keys() and not re.match(r"TIDEMARK_\d", version):
            yield f"{plain(name)} has version '{version}'"
    if not crate & dynamic(sync_file, "--undefined-only").keys():
        yield "libtidemark does not call the crate through the reader"
    for library in needed(reader_file):
        if not SYSTEM.match(library):
            yield f"the reader needs {library}"
    if not any(library.startswith("libtidemark-reader.so.") for library in needed(sync_file)):
        yield "libtidemark does not need the reader"
    for line in output("nm", str(sync_file)).splitlines():
        if re.search(r" [tT] tdmk_redb_", line):
            yield f"libtidemark holds a second copy of the crate: {line.split()[-1]}"


def main():
    build, libraries = (pathlib.Path(folder) for folder in sys.argv[1:3])
    problems = list(judge(build, libraries, "--installed" in sys.argv))
    for problem in problems:
        print(problem, file=sys.stderr)
    print(f"exports: {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
