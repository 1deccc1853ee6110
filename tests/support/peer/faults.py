"""Scripted faults: which request meets which, and what each sends instead of a good reply.

A fault is {"kind": ..., "at": N | "from": N | "every": N, "contains": SQL text, "times": N}; `at`
counts pipeline requests from 1 since the script was set. Without any of these it meets each request.
"""
import json
import time

DRIP_SECONDS = 0.05  # between two bytes of a `drip`


class Script:
    """The faults of one run; used under the server's lock."""

    def __init__(self, faults):
        self.faults = [dict(fault) for fault in faults]
        self.seen = 0

    def next(self, body):
        self.seen += 1
        for fault in self.faults:
            if self.meets(fault, body):
                if "times" in fault:
                    fault["times"] -= 1
                return fault
        return None

    def meets(self, fault, body):
        return (fault.get("at", self.seen) == self.seen and fault.get("from", 0) <= self.seen
                and self.seen % fault.get("every", 1) == 0
                and fault.get("contains", "").encode() in body and fault.get("times", 1) > 0)


def whole(handler, status, body, content_type="text/plain", headers=()):
    handler.send_body(status, body.encode() if isinstance(body, str) else body, content_type, headers)


def as_json(handler, status, value, headers=()):
    whole(handler, status, json.dumps(value), "application/json", headers)


def error_results(message, code):
    error = {"type": "error", "error": {"message": message, "code": code}}
    return {"baton": None, "base_url": None, "results": [error]}


def status(handler, fault, _reply):
    whole(handler, fault["status"], fault.get("body", "the peer was told to fail"),
          fault.get("content_type", "text/plain"), fault.get("headers", {}).items())


def bad_gateway(handler, _fault, _reply):
    whole(handler, 502, "<html><body><h1>502 Bad Gateway</h1></body></html>", "text/html")


def too_many(handler, fault, _reply):
    headers = [("Retry-After", fault["retry_after"])] if "retry_after" in fault else []
    as_json(handler, 429, {"error": "too many requests"}, headers)


def stream_expired(handler, _fault, _reply):
    as_json(handler, 400, {"error": "The stream has expired due to inactivity",
                           "code": "STREAM_EXPIRED"})


def blocked(handler, fault, _reply):
    message = "SQL read operations are forbidden (reads are blocked, do you need to upgrade your plan?)"
    if fault.get("status", 200) == 200:
        as_json(handler, 200, error_results(message, "BLOCKED"))
    else:
        as_json(handler, fault["status"], {"error": message, "code": "BLOCKED"})


def sql_error(handler, fault, _reply):
    as_json(handler, 200, error_results(fault.get("message", "SQLite error: no such table: nope"),
                                        fault.get("code", "SQL_INPUT_ERROR")))


def close_before(handler, _fault, _reply):
    handler.drop()


def close_mid_body(handler, _fault, reply):
    handler.send_head(200, [("Content-Type", "application/json"), ("Content-Length", len(reply))])
    handler.send_raw(reply[:len(reply) // 2])
    handler.drop()


def truncated_chunked(handler, _fault, reply):
    handler.send_head(200, [("Content-Type", "application/json"), ("Transfer-Encoding", "chunked")])
    half = reply[:len(reply) // 2]
    handler.send_raw(b"%x\r\n%s\r\n" % (len(half), half))
    handler.drop()


def hang(handler, _fault, _reply):
    handler.hang()


def hang_after_headers(handler, _fault, reply):
    handler.send_head(200, [("Content-Type", "application/json"), ("Content-Length", len(reply))])
    handler.hang()


def drip(handler, fault, reply):
    """One byte at a time, more slowly than any client should wait for a whole reply."""
    handler.send_head(200, [("Content-Type", "application/json"), ("Content-Length", len(reply))])
    for byte in reply:
        handler.send_raw(bytes([byte]))
        time.sleep(fault.get("seconds", DRIP_SECONDS))


def garbage(handler, fault, _reply):
    whole(handler, 200, fault.get("body", '{"baton":null,"results":[{"type":"o'), "application/json")


def wrong_shape(handler, fault, _reply):
    as_json(handler, 200, fault.get("json", {"results": {"type": "ok"}}))


def wrong_count(handler, fault, reply):
    """One step result too few in each batch, and one result too few where there is no batch."""
    value = json.loads(reply)
    for result in value["results"]:
        batch = result.get("response", {}).get("result", {})
        for name in ("step_results", "step_errors"):
            if name in batch:
                batch[name].pop(fault.get("drop", -1))
    if not any("step_results" in result.get("response", {}).get("result", {})
               for result in value["results"]):
        value["results"].pop()
    as_json(handler, 200, value)


def duplicate(handler, _fault, reply):
    """The whole reply twice: the second has no request that it answers."""
    head = [("Content-Type", "application/json"), ("Content-Length", len(reply))]
    for _ in range(2):
        handler.send_head(200, head)
        handler.send_raw(reply)


def previous(handler, _fault, _reply):
    """The last good reply again: what a client out of step with its connection reads."""
    whole(handler, 200, handler.state.last_reply, "application/json")


def huge_body(handler, fault, _reply):
    total, piece = fault["bytes"], b" " * 65536
    handler.send_head(200, [("Content-Type", "application/json"), ("Content-Length", total)])
    for _ in range(total // len(piece)):
        handler.send_raw(piece)
    handler.send_raw(b" " * (total % len(piece)))


def huge_header(handler, fault, reply):
    whole(handler, 200, reply, "application/json", [("X-Large", "x" * fault["bytes"])])


def redirect(handler, fault, _reply):
    whole(handler, fault.get("status", 302), "", "text/plain", [("Location", fault["location"])])


def wrong_content_type(handler, fault, reply):
    whole(handler, 200, fault.get("body", reply), fault.get("content_type", "text/html"))


KINDS = {function.__name__: function for function in (
    status, bad_gateway, too_many, stream_expired, blocked, sql_error, close_before, close_mid_body,
    truncated_chunked, hang, hang_after_headers, drip, garbage, wrong_shape, wrong_count, duplicate,
    previous, huge_body, huge_header, redirect, wrong_content_type)}
