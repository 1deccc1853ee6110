"""Threads, forked children and multiprocessing."""
import concurrent.futures
import multiprocessing
import os

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


def test_a_forked_child_opens_the_file_again_by_itself(world):
    context = multiprocessing.get_context("fork")
    with tidemark.open(world.cache) as cache:
        assert read(cache, "ep-2") == 2
        mine, theirs = context.Pipe()
        process = context.Process(target=child, args=(cache, "ep-3", theirs))
        process.start()
        assert mine.poll(30) and mine.recv() == 3
        process.join(30)
        assert process.exitcode == 0
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
