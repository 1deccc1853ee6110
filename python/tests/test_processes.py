"""Threads, forked children and multiprocessing."""
import concurrent.futures
import multiprocessing
import os
import pickle
import signal
import threading
import traceback
from datetime import timedelta

import pytest
import tidemark


def read(cache, key):
    return cache.get("episodes", key).row["start_time"]


def test_threads_share_a_cache(world):
    with tidemark.open(world.cache) as cache:
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            keys = [f"ep-{n}" for n in (2, 3, 4)] * 200
            assert list(pool.map(lambda key: read(cache, key), keys)) == [int(key[3:]) for key in keys]


def child(cache, key, pipe):
    pipe.send(read(cache, key))
    pipe.close()


def read_in_a_process(context, cache, key):
    mine, theirs = context.Pipe()
    process = context.Process(target=child, args=(cache, key, theirs))
    process.start()
    assert mine.poll(60)
    value = mine.recv()
    process.join(30)
    assert process.exitcode == 0
    return value


def test_a_forked_child_opens_the_file_again_by_itself(world):
    context = multiprocessing.get_context("fork")
    with tidemark.open(world.cache) as cache:
        assert read(cache, "ep-2") == 2
        assert read_in_a_process(context, cache, "ep-3") == 3
        assert read(cache, "ep-4") == 4


def test_a_child_that_does_nothing_leaves_its_parents_cache_alone(world):
    with tidemark.open(world.cache) as cache:
        pid = os.fork()
        if pid == 0:
            cache.close()
            os._exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        assert read(cache, "ep-4") == 4


class Recall:
    """As an agent's worker has it: a cache opened before the pool was made."""

    def __init__(self, cache):
        self.cache = cache

    def __call__(self, key):
        return read(self.cache, key)


def test_a_pool_of_forked_workers(world):
    global recall
    with tidemark.open(world.cache) as cache:
        recall = Recall(cache)
        with multiprocessing.get_context("fork").Pool(3) as pool:
            result = pool.map_async(call_recall, ["ep-2", "ep-3", "ep-4"] * 20)
            assert result.get(60) == [2, 3, 4] * 20


def call_recall(key):
    return recall(key)


def test_a_spawned_process_opens_the_file_that_it_is_given(world, tmp_path, monkeypatch):
    context = multiprocessing.get_context("spawn")
    monkeypatch.chdir(tmp_path)
    with tidemark.open(world.cache.name, max_staleness=timedelta(hours=1)) as cache:
        assert read_in_a_process(context, cache, "ep-3") == 3
        same = pickle.loads(pickle.dumps(cache))
        assert read(same, "ep-2") == 2
    with pytest.raises(ValueError):
        pickle.dumps(cache)


def test_what_a_pickled_cache_was_asked_for_is_asked_for_again(world):
    with tidemark.open(world.cache, max_staleness=timedelta(milliseconds=1), fail_when_stale=True) as cache:
        with pytest.raises(tidemark.StaleError):
            read(pickle.loads(pickle.dumps(cache)), "ep-4")


def inherited(cache, snapshot, row):
    """The exit code of a child that was forked with all of this open."""
    try:
        assert row["start_time"] == 4 and read(cache, "ep-3") == 3
        assert cache.nearest([0.5, -1.0, 2.0, 0.25]).neighbours[0].row.key == "em-4"
        with pytest.raises(tidemark.InvalidError, match="fork"):
            snapshot.get("episodes", "ep-4")
        snapshot.close()
        cache.close()
        return 0
    except BaseException:
        traceback.print_exc()
        return 1


def test_children_are_forked_while_threads_read(world):
    """Whatever lock a thread of the parent holds at that moment."""
    done = threading.Event()

    def use():
        while not done.is_set():
            read(cache, "ep-2")
            cache.nearest([1.0, 2.0, 3.0, 4.0])
            with tidemark.open(world.cache) as other, other.snapshot() as snapshot:
                snapshot.list("episodes")

    with tidemark.open(world.cache) as cache, cache.snapshot() as snapshot:
        row = snapshot.get("episodes", "ep-4").row
        threads = [threading.Thread(target=use) for _ in range(3)]
        for thread in threads:
            thread.start()
        for _ in range(20):
            pid = os.fork()
            if pid == 0:
                signal.alarm(60)
                os._exit(inherited(cache, snapshot, row))
            status = os.waitpid(pid, 0)[1]
            if status != 0:
                break
        done.set()
        for thread in threads:
            thread.join()
        assert status == 0
        assert snapshot.get("episodes", "ep-4")
