"""A real daemon on a real source, who hears its events, and a real browser."""
import contextlib
import json
import pathlib
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from ports import free_port  # noqa: E402

PATIENCE_SECONDS = 30  # a busy machine may do it late
SOURCE = """
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_description TEXT, start_time INTEGER);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT);
CREATE TABLE heuristics(heuristic_id TEXT PRIMARY KEY, condition_text TEXT);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT, embedding_vector F32_BLOB(2),
  dimension INTEGER);
INSERT INTO episodes VALUES('e1', 'one', 1), ('e2', 'two', 2), ('e3', 'three', 3);
INSERT INTO patterns VALUES('p1', 'retry'), ('p2', 'plan');
INSERT INTO embeddings VALUES('v1', 'e3', 'episode', x'0000803F00000040', 2);
"""


def wait_until(seen, what):
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not seen():
        assert time.monotonic() < deadline, f"waited too long for {what}"
        time.sleep(0.02)


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class World:
    """A folder with a source, a configuration and the daemon on it; ends all with the `with`.

    The source is a file, or with `server` what that program, a tursodb, serves of it.
    """

    def __init__(self, program, sync='interval = "1h"\nmax_staleness = "2h"\n', rows="", server=None):
        self.program = program
        self.server = server
        self.serving = None
        self.folder_ = tempfile.TemporaryDirectory(prefix="tidemark-")
        self.folder = pathlib.Path(self.folder_.name)
        self.source = self.folder / "source.db"
        self.cache = self.folder / "memories.redb"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self.daemon = None
        self.make_source(rows)
        self.source_port = free_port()
        source_url = f"http://127.0.0.1:{self.source_port}" if server else f"file:{self.source}"
        (self.folder / "tidemark.toml").write_text(
            f'[source]\nurl = "{source_url}"\n[cache]\npath = "{self.cache}"\n[sync]\n{sync}'
            f'[daemon]\nlisten = "127.0.0.1:{self.port}"\nstop_deadline = "2s"\n', encoding="utf-8")

    def make_source(self, rows):
        self.write(SOURCE + rows)

    def __enter__(self):
        self.bring_source_back()
        self.start()
        wait_until(lambda: self.cache.exists() and self.asked("v1/reports")["reports"], "the first pass")
        return self

    def __exit__(self, *_):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGCONT)
            self.stop()
        self.take_source_away()
        self.folder_.cleanup()

    def start(self):
        words = [self.program, "--config", self.folder / "tidemark.toml", "daemon"]
        with open(self.folder / "daemon.log", "ab") as log:
            self.daemon = subprocess.Popen(words, cwd=self.folder, stderr=log)
        wait_until(self.answers, "the daemon")

    def stop(self):
        self.daemon.terminate()
        self.daemon.wait(PATIENCE_SECONDS)

    def answers(self):
        try:
            with urllib.request.urlopen(self.url + "healthz", timeout=10) as answer:
                return answer.status == 200
        except urllib.error.URLError:
            return False

    def token(self):
        return pathlib.Path(f"{self.cache}.token").read_text(encoding="utf-8").strip()

    def open(self, path):
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"Bearer {self.token()}"})
        return urllib.request.urlopen(request, timeout=PATIENCE_SECONDS)

    def asked(self, path):
        with self.open(path) as answer:
            return json.load(answer)

    def run(self, *words):
        return subprocess.run([self.program, "--config", self.folder / "tidemark.toml", *words], capture_output=True,
                              cwd=self.folder, timeout=PATIENCE_SECONDS, check=False)

    def sync(self):
        done = self.run("sync")
        assert done.returncode in (0, 7), done.stderr  # 7: done, but rows were skipped

    def write(self, sql):
        with contextlib.closing(sqlite3.connect(self.source)) as db:
            db.executescript(sql)

    def take_source_away(self):
        if self.serving:
            self.serving.terminate()
            self.serving.wait(PATIENCE_SECONDS)

    def bring_source_back(self):
        if self.server:
            words = [self.server, self.source, "--sync-server", f"127.0.0.1:{self.source_port}"]
            self.serving = subprocess.Popen(words, cwd=self.folder, stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL)
            wait_until(lambda: listens(self.source_port), "the source")


class Listener:
    """Another client of /v1/events, which notes when it heard a status that is so."""

    def __init__(self, world, wanted):
        self.heard_at = None  # Unix time
        self.stream = world.open("v1/events")
        self.thread = threading.Thread(target=self.listen, args=(wanted,), daemon=True)
        self.thread.start()

    def listen(self, wanted):
        for line in self.stream:
            told = json.loads(line[6:]) if line.startswith(b"data: ") else {}
            if "freshness" in told and wanted(told["freshness"]):
                self.heard_at = time.time()
                return

    def await_it(self):
        self.thread.join(PATIENCE_SECONDS)
        assert self.heard_at is not None, "the daemon did not say so"
        return self.heard_at


class Browser:
    """One headless Chromium, and what is looked at in it."""

    def __init__(self):
        options = webdriver.ChromeOptions()
        for flag in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
                     "--hide-scrollbars", "--force-prefers-reduced-motion"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.size(1280, 900)
        self.scheme("light")

    def close(self):
        self.driver.quit()

    def size(self, width, height, phone=False):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone})
        # A phone's viewport is as wide as what sticks out, until the charts fit.
        self.wait(lambda: self.do("return innerWidth") == width, f"a viewport of {width}")

    def scheme(self, name):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": name}]})

    def show(self, world):
        self.driver.get(world.url)

    def sign_in(self, token, keep=False):
        field = self.element("token")
        field.clear()
        field.send_keys(token)
        if keep:
            self.element("keep").click()
        self.driver.find_element(By.CSS_SELECTOR, "#token-form button").click()

    def show_cache(self, world):
        self.show(world)
        self.sign_in(world.token())
        self.await_text("link", "live")

    def element(self, name):
        return self.driver.find_element(By.ID, name)

    def text(self, name):
        return self.do("return document.getElementById(arguments[0]).innerText", name)

    def visible(self, name):
        return self.element(name).is_displayed()

    def do(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, seen, what):
        WebDriverWait(self.driver, PATIENCE_SECONDS, 0.05).until(lambda _: seen(), f"waited too long for {what}")

    def await_text(self, name, part):
        try:
            self.wait(lambda: part in self.text(name), part)
        except Exception as error:
            raise AssertionError(f"#{name} says {self.text(name)!r}, not {part!r}") from error

    def complaints(self):
        """What the console says that is not just advice, since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("WARNING", "SEVERE")]

    def note_when(self, name, part):
        """From now on window.noted is the Unix time at which the element's text first had `part`."""
        self.do("""
            const [name, part] = arguments, at = document.getElementById(name);
            window.noted = null;
            const look = () => {
              if (window.noted === null && at.textContent.includes(part)) window.noted = Date.now() / 1000;
            };
            new MutationObserver(look).observe(at, {childList: true, characterData: true, subtree: true});
            look();""", name, part)

    def noted(self):
        self.wait(lambda: self.do("return window.noted") is not None, "what was to be noted")
        return self.do("return window.noted")
