#!/usr/bin/env python3
"""A scripted Hrana-over-HTTP server that executes real SQL on a SQLite file, for tests.

main.py OPTIONS_JSON prints {"port":N,"control":N} once it listens. The control port takes
GET /stats, POST /options (merged in), POST /faults (a new script), POST /reset (counters to 0).
"""
import gzip
import http.server
import json
import os
import socket
import ssl
import sys
import threading
import time

import engine
import faults

DEFAULTS = {
    "db": None, "v2": True, "v3": True, "close": True, "get_autocommit": True, "batons": True,
    "base_url": None, "tokens": [], "forbidden_tokens": [], "latency_ms": 0, "gate": 0,
    "gate_seconds": 2, "reply_bytes_max": 0, "gzip": True, "padded": True, "rows_read": True,
    "replication_index": None, "keep_alive": True, "stream_idle_seconds": 10, "cert": None,
    "key": None, "read_only": False, "faults": []}
COUNTERS = ("connections", "probes", "requests", "hanging", "in_flight", "max_in_flight",
            "bytes_in", "bytes_out", "unauthorized", "gzipped", "too_large")
GZIP_BYTES_MIN = 256


def refuse_unknown(names, known):
    unknown = sorted(set(names) - set(known))
    if unknown:
        raise ValueError(f"unknown: {unknown}")


def encode(reply):
    return json.dumps(reply, separators=(",", ":"), ensure_ascii=False).encode()


class State:
    """Options, script, streams and counters; one lock for all of them."""

    def __init__(self, options):
        self.lock = threading.Condition()
        self.options = DEFAULTS | options
        self.script = faults.Script(self.options["faults"])
        self.streams = {}
        self.last_reply = b""
        self.reset()

    def reset(self):
        busy = {name: getattr(self, "stats", {}).get(name, 0) for name in ("hanging", "in_flight")}
        self.stats = dict.fromkeys(COUNTERS, 0) | busy | {"bodies": [], "paths": []}

    def count(self, name, by=1):
        with self.lock:
            self.stats[name] += by
            self.stats["max_in_flight"] = max(self.stats["max_in_flight"], self.stats["in_flight"])
            self.lock.notify_all()

    def snapshot(self):
        with self.lock:
            return self.stats | {"open_streams": len(self.streams)}

    def wait_at_gate(self):
        """Holds a request until `gate` of them are in flight, so that a test need not race."""
        with self.lock:
            self.lock.wait_for(lambda: self.stats["max_in_flight"] >= self.options["gate"],
                               self.options["gate_seconds"])

    def take_stream(self, baton):
        """The database of a baton (each is good for one request), or a new one for None."""
        if baton is None:
            return engine.open_database(self.options["db"], self.options["read_only"])
        with self.lock:
            db, since = self.streams.pop(baton, (None, 0))
        if db is None or time.monotonic() - since > self.options["stream_idle_seconds"]:
            return None
        return db

    def keep_stream(self, db):
        baton = os.urandom(12).hex()
        with self.lock:
            self.streams[baton] = (db, time.monotonic())
        return baton


class Base(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        pass

    @property
    def state(self):
        return self.server.state

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def send_head(self, status, headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, str(value))
        self.end_headers()

    def send_raw(self, data):
        self.wfile.write(data)
        self.wfile.flush()

    def send_body(self, status, body, content_type, headers=()):
        self.send_head(status, [("Content-Type", content_type), ("Content-Length", len(body)),
                                *headers])
        self.send_raw(body)

    def send_json(self, status, value):
        self.send_body(status, json.dumps(value).encode(), "application/json")


class Hrana(Base):
    def setup(self):
        super().setup()
        self.state.count("connections")

    def handle(self):
        try:
            super().handle()
        except (OSError, ssl.SSLError, ValueError):
            self.close_connection = True  # the client went away

    def send_raw(self, data):
        super().send_raw(data)
        self.state.count("bytes_out", len(data))

    def drop(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def hang(self):
        """Until the client hangs up."""
        self.state.count("hanging")
        try:
            while self.connection.recv(4096):
                pass
        except OSError:
            pass
        self.state.count("hanging", -1)
        self.close_connection = True

    def allowed(self):
        options = self.state.options
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token in options["forbidden_tokens"]:
            self.send_json(403, {"error": "Forbidden: the token does not grant this"})
        elif options["tokens"] and token not in options["tokens"]:
            self.send_json(401, {"error": "Unauthorized: invalid or missing token"})
        else:
            return True
        self.state.count("unauthorized")
        return False

    def speaks(self, path):
        version = path.strip("/").split("/")[0]
        return version in ("v2", "v3") and self.state.options[version]

    def do_GET(self):
        self.state.count("probes")
        if not self.allowed():
            return
        if self.speaks(self.path) and self.path.strip("/") in ("v2", "v3"):
            self.send_body(200, b"", "text/plain")
        else:
            self.send_body(404, b"not found", "text/plain")

    def do_POST(self):
        body = self.read_body()
        with self.state.lock:
            self.state.stats["requests"] += 1
            self.state.stats["bytes_in"] += len(body)
            self.state.stats["bodies"].append(body.decode("utf-8", "replace"))
            self.state.stats["paths"].append(self.path)
        self.state.count("in_flight")
        try:
            self.answer(body)
        finally:
            self.state.count("in_flight", -1)
        if not self.state.options["keep_alive"]:
            self.close_connection = True

    def answer(self, body):
        options = self.state.options
        if options["gate"]:
            self.state.wait_at_gate()
        if options["latency_ms"]:
            time.sleep(options["latency_ms"] / 1000)
        if not self.allowed():
            return
        if not (self.speaks(self.path) and self.path.endswith("/pipeline")):
            self.send_body(404, b"not found", "text/plain")
            return
        with self.state.lock:
            fault = self.state.script.next(body)
        if fault is not None:
            reply = encode(self.run(body)) if fault["kind"] in NEED_REPLY else b""
            faults.KINDS[fault["kind"]](self, fault, reply)
            return
        try:
            self.send_reply(self.run(body))
        except PipelineRefused as refused:
            self.send_body(refused.status, refused.body, refused.content_type)

    def run(self, body):
        try:
            pipeline = json.loads(body)
            requests = pipeline["requests"]
            kinds = [request["type"] for request in requests]
        except (ValueError, KeyError, TypeError) as error:
            raise PipelineRefused(400, b"cannot parse the request body") from error
        options = self.state.options
        if any(kind in ("close", "get_autocommit") and not options[kind] for kind in kinds):
            raise PipelineRefused(500, b"unsupported request")
        db = self.state.take_stream(pipeline.get("baton"))
        if db is None:
            error = {"error": "The stream has expired", "code": "STREAM_EXPIRED"}
            raise PipelineRefused(400, json.dumps(error).encode(), "application/json")
        results = engine.run_requests(db, requests, options)
        self.state.count("too_large", sum(result.get("error", {}).get("code") == "RESPONSE_TOO_LARGE"
                                          for result in results))
        keep = options["batons"] and "close" not in kinds
        if not keep:
            db.close()
        return {"baton": self.state.keep_stream(db) if keep else None,
                "base_url": options["base_url"], "results": results}

    def send_reply(self, reply):
        body = self.state.last_reply = encode(reply)
        headers = []
        if (self.state.options["gzip"] and len(body) >= GZIP_BYTES_MIN
                and "gzip" in self.headers.get("Accept-Encoding", "")):
            body = gzip.compress(body, 1)
            headers = [("Content-Encoding", "gzip")]
            self.state.count("gzipped")
        if not self.state.options["keep_alive"]:
            headers.append(("Connection", "close"))
        self.send_body(200, body, "application/json", headers)


NEED_REPLY = ("close_mid_body", "truncated_chunked", "hang_after_headers", "drip", "wrong_count",
              "duplicate", "huge_header", "wrong_content_type")


class PipelineRefused(Exception):
    def __init__(self, status, body, content_type="text/plain"):
        super().__init__(body)
        self.status, self.body, self.content_type = status, body, content_type


class Control(Base):
    def do_GET(self):
        self.send_json(200, self.state.snapshot())

    def do_POST(self):
        value = json.loads(self.read_body() or b"{}")
        try:
            with self.state.lock:
                self.change(value)
        except ValueError as error:
            self.send_body(400, str(error).encode(), "text/plain")
        else:
            self.send_json(200, {})

    def change(self, value):
        if self.path == "/options":
            refuse_unknown(value, DEFAULTS)
            self.state.options = self.state.options | value
        elif self.path == "/faults":
            refuse_unknown([fault["kind"] for fault in value], faults.KINDS)
            self.state.script = faults.Script(value)
        else:
            self.state.reset()


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, state, handler, tls=None):
        super().__init__(("127.0.0.1", 0), handler)
        self.state, self.tls = state, tls

    def finish_request(self, request, client_address):
        """The handshake runs in the connection's thread: a slow client holds up no other."""
        if self.tls is not None:
            try:
                request = self.tls.wrap_socket(request, server_side=True)
            except (OSError, ssl.SSLError):
                return
        super().finish_request(request, client_address)

    def handle_error(self, *_):
        pass


def tls_context(options):
    if options["cert"] is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options["cert"], options["key"])
    context.set_alpn_protocols(["http/1.1"])
    return context


def main():
    given = json.loads(sys.argv[1])
    refuse_unknown(given, DEFAULTS)
    state = State(given)
    server = Server(state, Hrana, tls_context(state.options))
    control = Server(state, Control)
    threading.Thread(target=control.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_port, "control": control.server_port}), flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
