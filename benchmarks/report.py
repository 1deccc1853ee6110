#!/usr/bin/python3
"""Writes docs/benchmarks.md, its plots and the README's figures from docs/benchmarks.json.

  report.py          write them
  report.py --check  fail unless the texts are what the JSON and goals.json give
"""
import json
import pathlib
import sys

TOP = pathlib.Path(__file__).resolve().parent.parent
RESULTS = TOP / "docs/benchmarks.json"
PAGE = TOP / "docs/benchmarks.md"
README = TOP / "README.md"
PLOTS = TOP / "docs/benchmarks"
GOALS = TOP / "benchmarks/goals.json"
NOTES = TOP / "benchmarks/notes.md"
README_OPEN, README_CLOSE = "<!-- figures: benchmarks/report.py -->\n", "<!-- end of figures -->\n"
# What the README shows of it.
README_IDS = ["get-snapshot", "get-snapshot-turso-sync", "get-snapshot-do-memory", "fill-20k", "fill-20k-turso-sync",
              "noop", "delta-100", "delta-100-turso-sync", "file-1k-do-memory", "beside-get-8", "nearest-cosine"]
# Headings, with the programs whose records stand under each.
SECTIONS = [("First fills and passes, from the server", ["server", "delta"], "deltas.svg"),
            ("From a file", ["passes"], None),
            ("Slow lines", ["link"], None),
            ("Growth and memory", ["growth"], None),
            ("Reads", ["get"], None),
            ("Many readers", ["readers"], "readers.svg"),
            ("Recall by vector", ["nearest"], None),
            ("Storing", ["fill"], None),
            ("From Python", ["python"], None),
            ("Other clients", ["peers"], "peers.svg")]


def number(value):
    """Three significant digits, without an exponent."""
    if value >= 1000:
        return f"{value:,.0f}"
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.995 else 3
    return f"{value:.{digits}f}"


def with_unit(value, unit):
    if unit != "s":
        return f"{number(value)} {unit}"
    for scale, name in ((1e-6, "ns"), (1e-3, "us"), (1, "ms")):
        if value < scale:
            return f"{number(value / scale * 1000)} {name}"
    return f"{number(value)} s"


def judged(record):
    """The spread that a goal is for."""
    return record.get("ratio") or record["subject_value"]


def is_ability(record):
    """It says what a client can do, not how fast."""
    return "can" in record or "cannot" in record


def verdict(record, goals):
    goal = goals.get(record["id"])
    if goal is None:
        return ""
    spread = judged(record)
    if spread["high"] <= goal["at_most"]:
        return "met"
    return "missed" if spread["low"] > goal["at_most"] else "too close"


def figure(record):
    spread, unit = judged(record), record["unit"]
    if "ratio" not in record:
        return f"{with_unit(spread['median'], unit)} ({number(spread['low'])}-{number(spread['high'])})"
    subject, floor = (with_unit(record[key]["median"], unit) for key in ("subject_value", "floor_value"))
    return (f"{number(spread['median'])} x {record['floor']} ({number(spread['low'])}-{number(spread['high'])}): "
            f"{subject} against {floor}")


def goal_text(record, goals):
    goal = goals.get(record["id"])
    return "" if goal is None else f"{goal['at_most']:g}"


def row(record, goals):
    return f"| {record['what']} | {figure(record)} | {goal_text(record, goals)} | {verdict(record, goals)} |"


def table(records, goals):
    return ["| measure | figure | goal, at most | verdict |", "|---|---|---|---|",
            *(row(record, goals) for record in records)]


def abilities(records):
    """What each client can do, a row for each ability."""
    clients = list(dict.fromkeys(record["subject"] for record in records))
    cells = {}
    for record in records:
        text = f"yes: {record['can']}" if "can" in record else f"no: {record['cannot']}"
        cells.setdefault(record["what"], {})[record["subject"]] = text
    return [f"| | {' | '.join(clients)} |", "|---" * (len(clients) + 1) + "|",
            *(f"| {what} | {' | '.join(row.get(client, '') for client in clients)} |" for what, row in cells.items())]


def section(records, goals):
    figures = [record for record in records if not is_ability(record)]
    able = [record for record in records if is_ability(record)]
    return [*table(figures, goals), "", *([*abilities(able), ""] if able else [])]


def counts(records, goals):
    found = [verdict(record, goals) for record in records if record["id"] in goals]
    missing = set(goals) - {record["id"] for record in records}
    text = ", ".join(f"{found.count(name)} {name}" for name in ("met", "missed", "too close"))
    return text + (f"; not measured: {', '.join(sorted(missing))}" if missing else "")


def machine_text(results):
    machine = results["machine"]
    return (f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']} GiB, {machine['system']}, "
            f"{machine['file_system']}, {machine['compiler']}; {results['date']}, commit {results['commit']}"
            f"{', BENCH=full' if results['full'] else ''}.")


def page(results, goals, notes):
    records = results["records"]
    lines = ["# Benchmarks", "",
             "<!-- Written by benchmarks/report.py from benchmarks.json, goals.json and notes.md: `make bench`. -->", "",
             *notes["Method"], "", "## Goals", "", machine_text(results), "", f"Of the goals: {counts(records, goals)}.",
             "", "![Each goal and how far it is](benchmarks/goals.svg)", "",
             *table([record for record in records if record["id"] in goals], goals), ""]
    lines += [*notes["Where the time goes"], ""]
    for title, programs, plot in SECTIONS:
        own = [record for record in records if record["program"] in programs]
        if not own:
            continue
        lines += [f"## {title}", ""]
        if plot:
            lines += [f"![{title}](benchmarks/{plot})", ""]
        lines += section(own, goals)
        if title in notes:
            lines += [*notes[title], ""]
    return "\n".join(lines).rstrip() + "\n"


def read_notes():
    """The sections of notes.md by their headings, as lines."""
    notes, current = {}, None
    for line in NOTES.read_text().splitlines():
        if line.startswith("# "):
            current = notes.setdefault(line[2:], [])
        elif current is not None:
            current.append(line)
    return {title: "\n".join(lines).strip().splitlines() for title, lines in notes.items()}


def readme(results, goals):
    text = README.read_text()
    if README_OPEN not in text:
        return text
    head, _, rest = text.partition(README_OPEN)
    _, _, tail = rest.partition(README_CLOSE)
    by_id = {record["id"]: record for record in results["records"]}
    chosen = [by_id[name] for name in README_IDS if name in by_id]
    return head + README_OPEN + "\n".join(table(chosen, goals)) + "\n" + README_CLOSE + tail


def texts(path):
    results, goals = json.loads(path.read_text()), json.loads(GOALS.read_text())
    known = {name for _, programs, _ in SECTIONS for name in programs}
    if lost := {record["program"] for record in results["records"]} - known:
        sys.exit(f"report: no section for {', '.join(sorted(lost))}")
    return {PAGE: page(results, goals, read_notes()), README: readme(results, goals)}


def write(path=RESULTS):
    import plots  # needs matplotlib, which --check does not
    for file, text in texts(path).items():
        file.write_text(text)
    plots.draw(json.loads(path.read_text()), json.loads(GOALS.read_text()), PLOTS)
    print(f"report: wrote {PAGE.relative_to(TOP)}")


def check():
    for file, text in texts(RESULTS).items():
        if file.read_text() != text:
            sys.exit(f"report: {file.relative_to(TOP)} is not what {RESULTS.relative_to(TOP)} gives: benchmarks/report.py")


if __name__ == "__main__":
    check() if sys.argv[1:] == ["--check"] else write()
