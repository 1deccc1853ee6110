#!/usr/bin/env python3
"""embed.py UPLOT OUT.cc: the page of this folder as one HTML file, in a C++ source.

Each `<script src="X">` and `<link rel="stylesheet" href="X">` becomes the file X itself, which is here or
in the npm package in the folder UPLOT, whose licence goes before it. The policy names them by their hashes.
"""
import base64
import hashlib
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).parent
TAG = re.compile(r'<script src="(?P<script>[^"]+)"></script>|<link rel="stylesheet" href="(?P<style>[^"]+)">')
POLICY = ("default-src 'none'; script-src {script}; style-src {style}; connect-src 'self'; img-src data:; "
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
          "require-trusted-types-for 'script'; trusted-types 'none'")


def text_of(name, package):
    own = HERE / name
    if own.exists():
        return own.read_text(encoding="utf-8")
    licence = (package / "LICENSE").read_text(encoding="utf-8")
    return f"/*! {licence.strip()} */\n" + (package / "dist" / name).read_text(encoding="utf-8")


def put_together(package):
    """(the HTML, its policy)"""
    hashes = {"script": [], "style": []}

    def inline(match):
        kind = match.lastgroup
        text = "\n" + text_of(match[kind], package)
        assert f"</{kind}" not in text, f"{match[kind]} would end its element"
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[kind].append(f"'sha256-{digest}'")
        return f"<{kind}>{text}</{kind}>"

    html = TAG.sub(inline, (HERE / "index.html").read_text(encoding="utf-8"))
    return html, POLICY.format(**{kind: " ".join(found) for kind, found in hashes.items()})


def array(text):
    numbers = [str(byte if byte < 128 else byte - 256) for byte in text.encode()]
    return ",\n".join(",".join(numbers[at:at + 32]) for at in range(0, len(numbers), 32))


def main():
    html, policy = put_together(pathlib.Path(sys.argv[1]))
    pathlib.Path(sys.argv[2]).write_text(
        '#include "daemon/page.h"\n\nnamespace tidemark::daemon {\nnamespace {\n'
        f"constexpr char kHtml[] = {{{array(html)}}};\n"
        f'constexpr char kPolicy[] = R"({policy})";\n'
        "}  // namespace\n\n"
        "Page page() { return {{kHtml, sizeof kHtml}, kPolicy}; }\n\n}  // namespace tidemark::daemon\n",
        encoding="utf-8")


main()
