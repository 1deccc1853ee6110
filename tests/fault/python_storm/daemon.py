"""The built daemon on a source, and the program beside it."""
import collections
import re
import signal
import subprocess
import threading
import time

from rows import WINDOW
from source import PATIENCE_SECONDS


class Daemon:
    def __init__(self, program, folder, url, interval):
        self._program, self._folder = program, folder
        self._config, self._log = folder / "tidemark.toml", folder / "daemon.log"
        self._config.write_text(f'[source]\nurl = "{url}"\n[cache]\npath = "{folder}/cache.redb"\n[sync]\n'
                                f'interval = "{interval}"\nmax_staleness = "2h"\nmax_episodes_cache = {WINDOW}\n', encoding="utf-8")

    def __enter__(self):
        """Done with its first pass."""
        self.run("capture", "install")
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen([self._program, "-v", "--config", self._config, "daemon"],
                                             cwd=self._folder, stderr=log)
        deadline, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
        while self.passes()["fill"] == 0:
            assert self._process.poll() is None and time.monotonic() < deadline, self.log()
            pause.wait(0.02)
        return self

    def __exit__(self, kind, *_):
        self._process.send_signal(signal.SIGTERM)
        exit_code = self._process.wait(PATIENCE_SECONDS)
        assert kind or exit_code == 0, f"the daemon ended with {exit_code}: {self.log()}"

    def begin(self, *words):
        return subprocess.Popen([self._program, "--config", self._config, *words], cwd=self._folder,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def run(self, *words):
        with self.begin(*words) as process:
            said, _ = process.communicate(timeout=PATIENCE_SECONDS)
        assert process.returncode == 0, f"{words}: exit code {process.returncode}: {said.decode()}"

    def passes(self):
        """By mode, as its log tells them."""
        log = self._log.read_text(encoding="utf-8")
        return collections.Counter(re.findall(r": sync \(\w+\): (\w+) in ", log))

    def log(self):
        return self._log.read_text(encoding="utf-8")[-3000:]
