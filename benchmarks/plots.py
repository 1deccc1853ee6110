"""The plots of the report, as SVG with text that stays text."""
import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plot  # noqa: E402  (the backend comes first)

import report  # noqa: E402

INK, MUTED, GRID = "#1f2933", "#616e7c", "#d9dee4"
COLOURS = {"met": "#2f855a", "missed": "#c05621", "too close": "#7b8794"}
SERIES = ["#2b6cb0", "#c05621", "#2f855a", "#805ad5"]
STYLE = {"svg.fonttype": "none", "svg.hashsalt": "tidemark", "font.size": 10, "font.family": "sans-serif",
         "text.color": INK, "axes.labelcolor": MUTED, "xtick.color": MUTED, "ytick.color": INK, "axes.edgecolor": GRID,
         "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
         "grid.color": GRID, "grid.linewidth": 0.6, "figure.facecolor": "white", "axes.facecolor": "white"}


def save(figure, path):
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plot.close(figure)


def draw_goals(records, goals, path):
    """Each figure as a part of its goal: left of the line is met."""
    chosen = [record for record in records if record["id"] in goals]
    chosen.sort(key=lambda record: report.judged(record)["median"] / goals[record["id"]]["at_most"], reverse=True)
    figure, axes = plot.subplots(figsize=(8.6, 0.34 * len(chosen) + 1.1))
    for y, record in enumerate(chosen):
        goal, spread = goals[record["id"]]["at_most"], report.judged(record)
        colour = COLOURS[report.verdict(record, goals)]
        axes.plot([spread["low"] / goal, spread["high"] / goal], [y, y], color=colour, linewidth=4, alpha=0.35,
                  solid_capstyle="round")
        axes.plot(spread["median"] / goal, y, "o", color=colour, markersize=6)
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_yticks(range(len(chosen)), [record["id"] for record in chosen])
    axes.set_ylim(-0.7, len(chosen) - 0.3)
    axes.set_xscale("log")
    ticks = [0.1, 0.25, 0.5, 1, 2]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("figure / goal, median and quartiles (left of 1: better than the goal)")
    axes.grid(axis="y", visible=False)
    for name, colour in COLOURS.items():
        axes.plot([], [], "o", color=colour, label=name)
    axes.legend(loc="lower right", frameon=False)
    save(figure, path)


def draw_deltas(by_id, path):
    counts = [1, 100, 10_000]
    if not all(f"delta-{count}-1m" in by_id for count in counts):
        return
    small = [by_id[f"delta-{count}"] for count in counts]
    large = [by_id[f"delta-{count}-1m"] for count in counts]
    figure, axes = plot.subplots(figsize=(8.6, 3.2))
    for label, values, colour in (
            ("beside a table of 1,000,000 rows", [record["subject_value"] for record in large], SERIES[1]),
            ("in a table of 20,000 rows", [record["subject_value"] for record in small], SERIES[0]),
            ("floor: the bare request and bare redb", [record["floor_value"] for record in small], MUTED)):
        axes.plot(counts, [1e3 * value["median"] for value in values], "o-", color=colour, label=label, linewidth=1.6)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(counts, [f"{count:,}" for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("rows that changed since the last pass")
    ticks = [10, 20, 50, 100, 200, 500, 1000]
    axes.set_yticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.set_ylabel("a pass, ms")
    axes.legend(frameon=False)
    save(figure, path)


def draw_readers(by_id, path):
    kinds = [("get", "gets by key"), ("list", "rows, 100 a time"), ("scan", "rows, all a time"),
             ("by-index", "rows by an index")]
    kinds = [kind for kind in kinds if f"rate-{kind[0]}-8" in by_id]
    if not kinds:
        return
    figure, axes = plot.subplots(figsize=(8.6, 3.2))
    width = 0.8 / len(kinds)
    for i, (kind, label) in enumerate(kinds):
        values = [by_id[f"rate-{kind}-{processes}"]["subject_value"]["median"] / 1e3 for processes in (1, 2, 8)]
        axes.bar([x + (i - (len(kinds) - 1) / 2) * width for x in range(3)], values, width * 0.9, color=SERIES[i],
                 label=label)
    axes.set_xticks(range(3), ["1 process", "2 processes", "8 processes"])
    axes.set_ylabel("thousand a second, together")
    axes.grid(axis="x", visible=False)
    axes.legend(frameon=False, ncols=4, loc="upper center", bbox_to_anchor=(0.5, 1.15))
    save(figure, path)


def draw_peers(records, path):
    """How many times longer each other client takes for the same; the line is tidemark."""
    chosen = [record for record in records if record["program"] == "peers" and "ratio" in record]
    if not chosen:
        return
    chosen.sort(key=lambda record: record["ratio"]["median"], reverse=True)
    labels = [f"{record['what'].split(';')[0]}\n{record['floor']}" for record in chosen]
    figure, axes = plot.subplots(figsize=(8.6, 0.46 * len(chosen) + 1.1))
    axes.barh(range(len(chosen)), [1 / record["ratio"]["median"] for record in chosen], 0.6, color=SERIES[0])
    axes.axvline(1, color=INK, linewidth=1)
    axes.set_yticks(range(len(chosen)), labels, fontsize=8)
    axes.set_xscale("log")
    ticks = [0.3, 1, 3, 10, 30, 100]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_xlabel("its time / tidemark's time (right of 1: tidemark is faster)")
    axes.grid(axis="y", visible=False)
    save(figure, path)


def draw(results, goals, folder):
    folder.mkdir(parents=True, exist_ok=True)
    records = results["records"]
    by_id = {record["id"]: record for record in records}
    with plot.rc_context(STYLE):
        draw_goals(records, goals, folder / "goals.svg")
        draw_deltas(by_id, folder / "deltas.svg")
        draw_readers(by_id, folder / "readers.svg")
        draw_peers(records, folder / "peers.svg")
