"""Executes Hrana requests on SQLite and encodes the replies the way real servers do."""
import base64
import json
import math
import sqlite3


class Text(bytes):
    """A text cell as its bytes, so that it can be told from a blob."""


class SqlError(Exception):
    """An SQL error, as a Hrana error object."""

    def __init__(self, message, code="SQL_INPUT_ERROR"):
        super().__init__(message)
        self.object = {"message": message, "code": code}


def open_database(path, read_only=False):
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5)
    db.text_factory = Text
    if read_only:  # as with a token that may only read
        db.execute("PRAGMA query_only = 1")
    return db


def encode_blob(data, padded):
    text = base64.b64encode(data).decode()
    return text if padded else text.rstrip("=")


def encode_value(value, options):
    if value is None:
        return {"type": "null"}
    if isinstance(value, int):
        return {"type": "integer", "value": str(value)}
    if isinstance(value, float):
        return {"type": "float", "value": value if math.isfinite(value) else None}
    if isinstance(value, Text):
        return {"type": "text", "value": value.decode("utf-8", "replace")}
    return {"type": "blob", "base64": encode_blob(value, options["padded"])}


def decode_value(value):
    kind = value["type"]
    if kind == "null":
        return None
    if kind == "integer":
        return int(value["value"])
    if kind == "float":
        return float(value["value"])
    if kind == "text":
        return value["value"]
    if kind == "blob":
        text = value["base64"]
        return base64.b64decode(text + "=" * (-len(text) % 4))
    raise SqlError(f"unknown value type {kind}", "HRANA_PROTO_ERROR")


def run_statement(db, stmt, options):
    args = [decode_value(value) for value in stmt.get("args", [])]
    if stmt.get("named_args"):
        args = {arg["name"].lstrip(":@$"): decode_value(arg["value"])
                for arg in stmt["named_args"]}
    try:
        cursor = db.execute(stmt["sql"], args)
        columns = [{"name": column[0], "decltype": None} for column in cursor.description or ()]
        rows = [[encode_value(value, options) for value in row] for row in cursor]
    except (sqlite3.Error, sqlite3.Warning, OverflowError, UnicodeError) as error:
        raise SqlError(f"SQLite error: {error}") from error
    result = {"cols": columns, "rows": rows if stmt.get("want_rows", True) else [],
              "affected_row_count": max(cursor.rowcount, 0), "last_insert_rowid": None}
    if options["rows_read"]:
        result |= {"rows_read": len(rows), "rows_written": max(cursor.rowcount, 0)}
    if options["replication_index"]:
        result["replication_index"] = options["replication_index"]
    return result


def holds(condition, batch, db):
    if condition is None:
        return True
    kind = condition["type"]
    if kind == "ok":
        return batch["step_results"][condition["step"]] is not None
    if kind == "error":
        return batch["step_errors"][condition["step"]] is not None
    if kind == "not":
        return not holds(condition["cond"], batch, db)
    if kind == "and":
        return all(holds(inner, batch, db) for inner in condition["conds"])
    if kind == "or":
        return any(holds(inner, batch, db) for inner in condition["conds"])
    if kind == "is_autocommit":
        return not db.in_transaction
    raise SqlError(f"unknown condition {kind}", "HRANA_PROTO_ERROR")


def run_batch(db, request, options):
    batch = {"step_results": [], "step_errors": []}
    for step in request["batch"]["steps"]:
        result = error = None
        if holds(step.get("condition"), batch, db):
            try:
                result = run_statement(db, step["stmt"], options)
            except SqlError as failed:
                error = failed.object
        batch["step_results"].append(result)
        batch["step_errors"].append(error)
    if options["replication_index"]:
        batch["replication_index"] = options["replication_index"]
    return batch


def refuse_too_large(result, options):
    limit = options["reply_bytes_max"]
    if limit and len(json.dumps(result, separators=(",", ":"))) > limit:
        raise SqlError("Response is too large", "RESPONSE_TOO_LARGE")
    return result


def respond(db, request, options):
    """The `response` object of one stream request."""
    kind = request["type"]
    if kind == "execute":
        result = run_statement(db, request["stmt"], options)
        return {"type": kind, "result": refuse_too_large(result, options)}
    if kind == "batch":
        return {"type": kind, "result": refuse_too_large(run_batch(db, request, options), options)}
    if kind == "close":
        return {"type": kind}
    if kind == "get_autocommit":
        return {"type": kind, "is_autocommit": not db.in_transaction}
    raise SqlError(f"unknown request {kind}", "HRANA_PROTO_ERROR")


def run_requests(db, requests, options):
    """The `results` of a pipeline: each request stands or fails alone."""
    results = []
    for request in requests:
        try:
            results.append({"type": "ok", "response": respond(db, request, options)})
        except SqlError as error:
            results.append({"type": "error", "error": error.object})
    return results
