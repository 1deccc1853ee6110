"""Eight processes that read: half of them forked with the cache open, half spawned."""
import multiprocessing
import os
import traceback

import tidemark
from plants import PLANTS
from rows import Shared
from source import PATIENCE_SECONDS
from witness import Witness, everything

PAUSE_SECONDS = 0.01  # of each, between two looks: leaves the processor to the others
LOOKS_OF_ONE_OPENING = 40


def read(cache, again, shared, seed, pipe, parent, plant):
    """A reader's life. `again`: a path that it opens now and then anew; else it keeps the cache it was given."""
    if plant:
        PLANTS[plant]()
    witness = Witness(shared, seed)
    try:
        while not pipe.poll(PAUSE_SECONDS):
            if os.getppid() != parent:
                return  # it is dead
            if again and witness.counts["looks"] % LOOKS_OF_ONE_OPENING == 0:
                cache = tidemark.open(again)
            witness.look(cache)
        pipe.recv()
        pipe.send(("done", witness.counts, everything(cache)))
    except BaseException:
        pipe.send(("wrong", witness.counts, traceback.format_exc()))


class Readers:
    def __init__(self, path, count, seed, plant=None):
        """Half are forked from a process that has read, and still holds a snapshot and a row."""
        self.shared = Shared(multiprocessing.get_context("spawn"))
        self._path, self._count, self._seed, self._plant = path, count, seed, plant
        self._processes, self._pipes = [], []

    def start(self):
        self._cache = tidemark.open(self._path)
        self._cache.nearest([1.0] * 8)
        self._held = self._cache.snapshot(), self._cache.list("patterns")
        for number in range(self._count):
            context = multiprocessing.get_context("fork" if number % 2 == 0 else "spawn")
            mine, theirs = context.Pipe()
            again = self._path if number % 4 > 1 else None
            what = (self._cache, again, self.shared, self._seed + number, theirs, os.getpid(), self._plant)
            process = context.Process(target=read, args=what, daemon=True)
            process.start()
            theirs.close()
            self._processes.append(process)
            self._pipes.append(mine)
        self._held[0].close()

    def spoke(self):
        """One of them has ended, since something was wrong."""
        return any(pipe.poll() for pipe in self._pipes)

    def end(self):
        """Each one's counts, and its last look at everything. Raises what one found wrong."""
        for pipe in self._pipes:
            if not pipe.poll():
                pipe.send("end")
        told = []
        for number, (process, pipe) in enumerate(zip(self._processes, self._pipes)):
            assert pipe.poll(PATIENCE_SECONDS), f"reader {number} hangs"
            try:
                said, counts, what = pipe.recv()
            except EOFError:
                raise AssertionError(f"reader {number} died: {process.exitcode}") from None
            assert said == "done", f"reader {number} ({'fork' if number % 2 == 0 else 'spawn'}): {what}"
            process.join(PATIENCE_SECONDS)
            assert process.exitcode == 0, f"reader {number} ended with {process.exitcode}"
            told.append((counts, what))
        return told

    def kill(self):
        for process in self._processes:
            process.kill()
            process.join()
        if hasattr(self, "_cache"):
            self._cache.close()
