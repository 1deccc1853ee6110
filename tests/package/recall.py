"""The nearest episodes by brute force, to judge what examples/recall.py prints."""
import contextlib
import json
import math
import sqlite3
import struct

ROWS = """SELECT item_id, embedding_vector, embedding_data, task_description, outcome FROM embeddings
          JOIN episodes ON episode_id = item_id WHERE item_type = 'episode'"""


def unit(blob, text):
    floats = struct.unpack(f"<{len(blob) // 4}f", blob) if blob else json.loads(text)
    length = math.sqrt(sum(number * number for number in floats))
    return [number / length for number in floats]


def nearest(database, key, count):
    """Lines as the example has them, without the last."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        rows = {row[0]: (unit(row[1], row[2]), row[3], row[4]) for row in db.execute(ROWS)}
    asked = rows.pop(key)[0]
    scored = sorted(((sum(a * b for a, b in zip(asked, vector)), item, task, outcome)
                     for item, (vector, task, outcome) in rows.items()), reverse=True)
    return [f"{score:.3f}  {item}  {task}: {outcome}" for score, item, task, outcome in scored[:count]]
