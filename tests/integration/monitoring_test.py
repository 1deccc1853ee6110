#!/usr/bin/env python3
"""What deploy/ tells Prometheus and Grafana to look at, a real daemon's metrics have.

monitoring_test.py PROGRAM DEPLOY: a daemon with a source does a pass, fails one and is nudged; what it
then says is read by Prometheus' own Python parser. Each metric that an expression names must be there,
with its labels and their values.
"""
import json
import os
import pathlib
import re
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request

from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402

PATIENCE_SECONDS = 60  # a busy machine may do it late
SOURCE = """
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_description TEXT, start_time INTEGER);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT);
INSERT INTO episodes VALUES('e1', 'one', 1), ('e2', 'two', 2);
INSERT INTO patterns VALUES('p1', 'retry');
"""
OF_PROMETHEUS = {"instance": "host:9464", "job": "tidemark"}  # it adds these to whatever it scrapes
WORDS = {"and", "or", "unless", "by", "without", "on", "ignoring", "group_left", "group_right", "bool"}
TOKEN = re.compile(r"""\s+|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|[a-zA-Z_:][a-zA-Z0-9_:]*|[=!]~|!=|.""", re.S)


class Selector:
    def __init__(self, name):
        self.name = name
        self.matchers = []  # (label, operator, value)

    def __str__(self):
        return self.name + "{" + ", ".join(f'{a}{b}"{c}"' for a, b, c in self.matchers) + "}"

    def matches(self, labels):
        for label, operator, value in self.matchers:
            if value.startswith("$"):  # a variable of the dashboard
                value = ".*"
                operator = "=~"
            given = labels.get(label, "")
            equal = re.fullmatch(value, given) if "~" in operator else value == given
            if bool(equal) == operator.startswith("!"):
                return False
        return True


def read_expression(text):
    """The selectors of a PromQL expression, and the labels that it groups by."""
    tokens = [t for t in TOKEN.findall(text) if not t.isspace()]
    selectors, groups = [], []
    at = 0
    while at < len(tokens):
        token = tokens[at]
        following = tokens[at + 1] if at + 1 < len(tokens) else ""
        at += 1
        if token in WORDS:
            if following == "(" and token not in ("and", "or", "unless"):
                end = tokens.index(")", at)
                groups += [t for t in tokens[at + 1:end] if t != ","]
                at = end + 1
        elif re.match(r"[a-zA-Z_:]", token) and following not in ("(", "by", "without"):
            selectors.append(Selector(token))
            if following == "{":
                end = tokens.index("}", at)
                inner = [t for t in tokens[at + 1:end] if t != ","]
                for label, operator, value in zip(inner[::3], inner[1::3], inner[2::3]):
                    selectors[-1].matchers.append((label, operator, value[1:-1]))
                at = end + 1
    return selectors, groups


class Checker:
    """Compares expressions with what was scraped; keeps what does not fit."""

    def __init__(self, text):
        self.series = {}  # name -> [labels]
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self.series.setdefault(sample.name, []).append({**sample.labels, **OF_PROMETHEUS})
        self.series["up"] = [OF_PROMETHEUS]
        self.problems = []
        self.seen = 0

    def check(self, where, text, legend=""):
        selectors, groups = read_expression(text)
        labels = set()
        if not selectors:
            self.problems.append(f"{where}: names no metric: {text}")
        for selector in selectors:
            self.seen += 1
            series = self.series.get(selector.name, [])
            if not any(selector.matches(one) for one in series):
                self.problems.append(f"{where}: nothing is {selector}")
            for one in series:
                labels |= set(one)
        wanted = set(groups) | set(re.findall(r"{{\s*(?:\$labels\.)?(\w+)\s*}}", legend))
        for label in sorted(wanted - labels):
            self.problems.append(f"{where}: no label {label} in {text}")


def check_dashboard(checker, dashboard):
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            checker.check(f"grafana.json, {panel['title']}", target["expr"], target["legendFormat"])
    for variable in dashboard["templating"]["list"]:
        query = re.fullmatch(r"label_values\((.*), (\w+)\)", variable.get("definition", ""))
        if query:
            checker.check(f"grafana.json, variable {variable['name']}", query[1], "{{%s}}" % query[2])


def check_alerts(checker, text):
    """One alert after the other; their expressions are on one line, or folded below `>-`."""
    alerts = re.split(r"^\s*- alert: ", text, flags=re.M)[1:]
    for alert in alerts:
        name = alert.split("\n", 1)[0]
        expr = re.search(r"^( *)expr: (?:>-\n((?:\1 +.*\n)+)|(.*)\n)", alert, re.M)
        runbook = re.search(r'runbook: ".+"', alert)
        if not expr or not runbook:
            checker.problems.append(f"alerts.yml, {name}: no expression or no runbook")
            continue
        checker.check(f"alerts.yml, {name}", expr[2] or expr[3], alert)
    if not alerts:
        checker.problems.append("alerts.yml: no alerts")


def wait_until(seen, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        if time.monotonic() > deadline:
            sys.exit(f"monitoring: waited too long for {what}")
        time.sleep(0.05)


def scraped(program, folder):
    """The metrics of a daemon that has seen a bit of everything."""
    source, port = folder / "source.db", free_port()
    with sqlite3.connect(source) as db:
        db.executescript(SOURCE)
    config = folder / "tidemark.toml"
    config.write_text(f'[source]\nurl = "file:{source}"\n[cache]\npath = "{folder}/cache.redb"\n[sync]\n'
                      f'interval = "1h"\nmax_staleness = "2h"\n[daemon]\nlisten = "127.0.0.1:{port}"\n'
                      'scrub_interval = "1s"\n')

    def run(*words):
        return subprocess.run([program, "--config", config, *words], capture_output=True, cwd=folder,
                              timeout=PATIENCE_SECONDS, check=False)

    def metrics():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def nudge():
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(PATIENCE_SECONDS)
            client.connect(str(folder / "cache.redb.sock"))
            client.sendall(b'{"v":1,"do":"nudge"}\n')
            return client.recv(100)

    assert run("capture", "install").returncode == 0
    with subprocess.Popen([program, "--config", config, "daemon"], cwd=folder) as daemon:
        try:
            wait_until(lambda: 'outcome="done"' in metrics(), "the first pass")
            assert run("get", "episodes", "e1").returncode == 0
            assert b"ok" in nudge()
            wait_until(lambda: "tidemark_scrub_completed" in metrics(), "the scrub")
            os.rename(source, folder / "away")
            assert run("sync").returncode != 0
            os.rename(folder / "away", source)
            assert run("sync").returncode == 0
            assert run("get", "episodes", "e1").returncode == 0
            return metrics()
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE_SECONDS)


def self_test():
    checker = Checker('# TYPE a_total counter\na_total{code="x"} 1\n')
    checker.check("good", 'sum by (code, instance) (rate(a_total{code=~"x|y", instance=~"$i"}[5m])) > 0', "{{code}}")
    assert not checker.problems and checker.seen == 1, checker.problems
    for expression, legend in [("b_total", ""), ('a_total{code="z"}', ""), ('a_total{other="x"}', ""),
                               ("sum by (other) (a_total)", ""), ("a_total", "{{other}}"), ("1", ""),
                               ("a_total / on (instance) b", "")]:
        before = len(checker.problems)
        checker.check("bad", expression, legend)
        assert len(checker.problems) > before, expression


def main():
    program, deploy = os.path.abspath(sys.argv[1]), pathlib.Path(sys.argv[2])
    self_test()
    with tempfile.TemporaryDirectory(prefix="tidemark-") as folder:
        text = scraped(program, pathlib.Path(folder))
    checker = Checker(text)
    check_dashboard(checker, json.loads((deploy / "grafana.json").read_text()))
    check_alerts(checker, (deploy / "alerts.yml").read_text())
    print("\n".join(checker.problems) or f"monitoring: {checker.seen} selectors name what is there")
    if len(sys.argv) > 3:  # for promtool
        pathlib.Path(sys.argv[3]).write_text(text)
    sys.exit(1 if checker.problems else 0)


main()
