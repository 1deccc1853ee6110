"""The daemon's page as a browser meets it: its one file, the token, and then the events."""
import base64
import hashlib
import json
import re
import threading
import time
import urllib.error
import urllib.request

from steps import WAIT_SECONDS, require, until

SOON_SECONDS = 1  # docs/daemon.md


class Page:
    def __init__(self, port, token):
        self.url, self.token = f"http://127.0.0.1:{port}", token
        self.heard = []  # of /v1/events: when, and the freshness of each status

    def get(self, path, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=WAIT_SECONDS)

    def open(self):
        """Loads it, signs in, and listens from then on."""
        with self.get("/") as answer:
            kind, policy = answer.headers["Content-Type"], answer.headers["Content-Security-Policy"]
            html = answer.read().decode()
        require(kind == "text/html; charset=utf-8", "the page is", kind)
        for name, element in (("script-src", "script"), ("style-src", "style")):
            admitted = re.search(rf"{name} ([^;]*)", policy)[1].split()
            inside = re.findall(rf"<{element}>(.*?)</{element}>", html, re.S)
            require(inside and len(inside) == html.count(f"<{element}"), "a", element, "has attributes, or there is none")
            require(sorted(admitted) == sorted(map(hash_of, inside)), name, "of the page admits other than what is in it")
        elsewhere = re.findall(r"""\b(?:src|href)=["'](?!#|data:|https?://github\.com/)([^"']*)""", html)
        require(not elsewhere, "the page loads", elsewhere)
        for path in ("/v1/status", "/v1/events", "/v1/reports"):
            for token in (None, self.token[:-1] + "!"):
                require(self.refusal(path, token) == 401, path, "is open without the token")
        stream = self.get("/v1/events", self.token)
        kind = stream.headers["Content-Type"]
        require(kind == "text/event-stream", "the events are", kind)
        threading.Thread(target=self.listen, args=(stream,), daemon=True).start()
        print(f"the page: {len(html)} bytes, {policy.count('sha256-')} scripts and styles by their hashes")

    def refusal(self, path, token):
        try:
            with self.get(path, token) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    def listen(self, stream):
        with stream:
            for line in stream:
                told = json.loads(line[6:]) if line.startswith(b"data: ") else {}
                if "freshness" in told:
                    self.heard.append((time.time(), told["freshness"], told["max_staleness_ms"]))

    def first_heard(self, what, so):
        return until(f"the page hears that {what}", lambda: next((one for one in list(self.heard) if so(one[1])), None))

    def saw_it_turn_stale(self):
        at, fresh, _ = self.first_heard("the source is gone", lambda fresh: fresh["source_unavailable_since_ms"])
        reason, gone_after = fresh["source_unavailable_reason"], at - fresh["source_unavailable_since_ms"] / 1000
        require(reason and gone_after < SOON_SECONDS, "the page heard", repr(reason), "after", gone_after, "s")
        at, fresh, max_staleness = self.first_heard("it is stale", lambda fresh: fresh["state"] == "stale")
        stale_after = at - (fresh["checked_at_ms"] + max_staleness) / 1000
        require(0 <= stale_after < SOON_SECONDS, "the page heard of it", stale_after, "s after it was stale")
        require(fresh["source_unavailable_reason"] == reason, "it was stale without the reason:", fresh)
        with self.get("/v1/status", self.token) as answer:
            now = json.load(answer)["freshness"]
        require(now["state"] == "stale" and now["source_unavailable_reason"], "/v1/status says", now)
        print(f"the page: the reason after {gone_after * 1000:.0f} ms, stale after {stale_after * 1000:.0f} ms")
        self.heard.clear()

    def saw_it_recover(self):
        self.first_heard("it is fresh", lambda fresh: fresh["state"] == "fresh" and not fresh["source_unavailable_since_ms"])
        with self.get("/v1/status", self.token) as answer:
            require(json.load(answer)["freshness"]["state"] == "fresh", "/v1/status did not recover")


def hash_of(text):
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
