"""An application that writes to a source at random, and tells the readers what it did."""
import random
import time

from rows import ALWAYS, FAR_NS, KEYS, NEVER, PAIR, TABLES, cells_of, key_of


def literal(cell):
    if cell is None:
        return "NULL"
    if isinstance(cell, (int, float)):
        return repr(cell)
    if isinstance(cell, str):
        return f"'{cell}'"
    return f"x'{bytes(cell).hex()}'"


class Application:
    """Nobody else writes, so `model` says what is there: by table and number (version, detail)."""

    def __init__(self, source, shared, seed):
        self._source = source
        self._random = random.Random(seed)
        self._issued, self._since = shared.array("issued"), shared.array("since_ns")
        self._version, self._settled = shared.array("version"), shared.array("settled_ns")
        self._next = 0
        self.model = {table: {} for table in TABLES}
        self.writes = 0

    def begin(self):
        for table in TABLES:
            self._put(table, range(NEVER))
        self._put("patterns", [ALWAYS])
        self._put("patterns", PAIR)

    def step(self):
        below, table = self._random.randrange, self._random.choice([*TABLES, "episodes"])
        kind, number = below(14), below(NEVER)
        if kind < 4:
            self._put(table, [number])
        elif kind == 4:
            self._put(table, [number], "INSERT OR REPLACE")
        elif kind < 7:
            self._erase(table, [number])
        elif kind == 7:
            self._rename(table, number, below(NEVER))
        elif kind == 8:
            start = below(NEVER - 20)
            self._put(table, range(start, start + 20))
        elif kind == 9:
            self._put("patterns", PAIR)
        elif kind == 10:
            self._erase("patterns", PAIR)
            self._put("patterns", PAIR)
        elif kind == 11:
            start = below(NEVER - 8)
            self._erase(table, range(start, start + 8))
        elif kind == 12 and below(12) == 0:
            self._erase(self._random.choice(["episodes", "embeddings"]), range(KEYS))
        else:
            self._put("patterns", [ALWAYS])

    def rows(self, table, tail):
        """Key, detail and body of each, as the source has them."""
        asked = TABLES[table]
        return self._source.execute(f"SELECT {asked.key}, {asked.detail}, body FROM {table} {tail}")

    def _detail(self, table):
        if table == "episodes":  # NULLs and ties
            return None if self._random.randrange(9) == 0 else self._random.randrange(30)
        if table == "embeddings":  # a parent that may be there
            return key_of(self._random.choice(["episodes", "patterns"]), self._random.randrange(NEVER))
        return f"kind{self._random.randrange(4)}"

    def _write(self, sql, table, after):
        """One statement, after which these numbers are there with (version, detail), or gone (None)."""
        row = TABLES[table].number
        version = self._next
        for number, now in after.items():
            self._settled[row, number] = FAR_NS  # so that nobody reads half of the two
            if now is None:
                self._since[row, number] = 0
            self._issued[row, number] = version
        self._source.execute(sql)
        self.writes += 1
        done = time.time_ns()
        for number, now in after.items():
            self._version[row, number] = version
            self._settled[row, number] = done
            if now is None:
                self.model[table].pop(number, None)
            else:
                self.model[table][number] = now
                if self._since[row, number] == 0:
                    self._since[row, number] = done

    def _put(self, table, numbers, verb="INSERT"):
        self._next += 1
        detail = self._detail(table)
        cells = [cells_of(table, key_of(table, number), self._next, detail) for number in numbers]
        values = ", ".join("(" + ", ".join(map(literal, row.values())) + ")" for row in cells)
        columns = list(cells[0])
        sql = f"{verb} INTO {table}({', '.join(columns)}) VALUES{values}"
        if verb == "INSERT":
            changed = ", ".join(f"{name} = excluded.{name}" for name in columns[1:])
            sql += f" ON CONFLICT({columns[0]}) DO UPDATE SET {changed}"
        self._write(sql, table, {number: (self._next, detail) for number in numbers})

    def _erase(self, table, numbers):
        self._next += 1
        keys = ", ".join(self._quoted(table, number) for number in numbers)
        self._write(f"DELETE FROM {table} WHERE {TABLES[table].key} IN ({keys})", table, dict.fromkeys(numbers))

    def _rename(self, table, number, to):
        """Another key, of a row that is there, over whichever row has it."""
        if number not in self.model[table] or number == to:
            return
        self._next += 1
        detail = self._detail(table)
        cells = cells_of(table, key_of(table, to), self._next, detail)
        changed = ", ".join(f"{name} = {literal(cell)}" for name, cell in cells.items())
        self._write(f"UPDATE OR REPLACE {table} SET {changed} WHERE {TABLES[table].key} = "
                    f"{self._quoted(table, number)}", table, {number: None, to: (self._next, detail)})

    @staticmethod
    def _quoted(table, number):
        key = key_of(table, number)
        return f"'{key}'" if TABLES[table].letter else key
