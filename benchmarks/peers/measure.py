"""Rounds in turns, their medians, and the records that the report joins by id."""
import json
import statistics

ROUNDS = 7


def spread(sample):
    low, median, high = statistics.quantiles(sample, n=4, method="inclusive")
    return {"median": median, "low": low, "high": high}


def time_text(seconds):
    for scale, unit in ((1, "s"), (1e3, "ms")):
        if seconds * scale >= 1:
            return f"{seconds * scale:.2f} {unit}"
    return f"{seconds * 1e6:.2f} us"


def in_turns(turns, rounds=ROUNDS, before=lambda: None):
    """Seconds of each named turn in each round; the order alternates, the first does not count."""
    seconds = {name: [] for name in turns}
    for number in range(-1, rounds):
        before()
        names = list(turns) if number % 2 else list(reversed(turns))
        for name in names:
            took = turns[name]()
            if number >= 0:
                seconds[name].append(took)
    return seconds


class Records:
    """Prints a readable line for each result and appends it to the file, if one was named."""

    def __init__(self, path):
        self.path = path

    def ratio(self, ident, what, subject, floor, seconds, operations=1):
        """The first of two named samples over the second, round by round."""
        ours, theirs = seconds[subject], seconds[floor]
        ratio = spread([a / b for a, b in zip(ours, theirs)])
        values = {name: spread([s / operations for s in seconds[name]]) for name in (subject, floor)}
        print(f"{what}: {ratio['median']:.3f} x {floor} ({ratio['low']:.3f}-{ratio['high']:.3f}, "
              f"{len(ours)} rounds): {time_text(values[subject]['median'])} against "
              f"{time_text(values[floor]['median'])}", flush=True)
        self.append({"id": ident, "what": what, "subject": subject, "floor": floor, "ratio": ratio,
                     "rounds": len(ours), "subject_value": values[subject],
                     "floor_value": values[floor], "unit": "s"})

    def can(self, ident, what, subject, how):
        print(f"{what}: {subject} can: {how}", flush=True)
        self.append({"id": ident, "what": what, "subject": subject, "can": how})

    def cannot(self, ident, what, subject, why):
        print(f"{what}: {subject} cannot: {why}", flush=True)
        self.append({"id": ident, "what": what, "subject": subject, "cannot": why})

    def append(self, record):
        if self.path is None:
            return
        with open(self.path, "a", encoding="utf-8") as file:
            print(json.dumps(record), file=file)


def require(condition, what):
    if not condition:
        raise SystemExit(f"benchmark: {what}")
