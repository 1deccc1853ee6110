"""nearest() against numpy's brute force."""
import struct
import threading

import numpy
import pytest
import tidemark

ROWS, DIMENSION = 2_000, 48


def keys_and_scores(found):
    return [n.row.key for n in found.neighbours], numpy.array([n.score for n in found.neighbours])


def brute_force(vectors, query, similarity, k):
    """Positions and scores of the k nearest, in double precision."""
    rows, one = vectors.astype("f8"), query.astype("f8")
    if similarity == "l2":
        scores = numpy.linalg.norm(rows - one, axis=1)
        order = numpy.argsort(scores, kind="stable")[:k]
    else:
        scores = rows @ one
        if similarity == "cosine":
            scores /= numpy.linalg.norm(rows, axis=1) * numpy.linalg.norm(one)
        order = numpy.argsort(-scores, kind="stable")[:k]
    return order, scores[order]


@pytest.fixture
def vectors(world):
    """Random ones in a table of their own, row n under key em-00n; of episodes, and each fifth of a
    pattern."""
    made = numpy.random.default_rng(7).standard_normal((ROWS, DIMENSION)).astype("<f4")
    world.db.execute("CREATE TABLE embeddings_48(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,"
                     " embedding_data TEXT, embedding_vector F32_BLOB(48), dimension INTEGER, model TEXT)")
    world.db.executemany(
        "INSERT INTO embeddings_48 VALUES(?, ?, ?, NULL, ?, 48, 'mini')",
        [(f"em-{n:05}", "p-1" if n % 5 == 0 else "ep-4", "pattern" if n % 5 == 0 else "episode", v.tobytes())
         for n, v in enumerate(made)])
    world.db.commit()
    world.sync("--full")
    return made


@pytest.mark.parametrize("similarity", ["cosine", "dot", "l2"])
@pytest.mark.parametrize("vector_cache_bytes", [0, 1])
def test_is_numpys_brute_force(world, vectors, similarity, vector_cache_bytes):
    queries = numpy.random.default_rng(8).standard_normal((5, DIMENSION)).astype("<f4")
    with tidemark.open(world.cache, vector_cache_bytes=vector_cache_bytes) as cache:
        for query in queries:
            order, scores = brute_force(vectors, query, similarity, 25)
            found = cache.nearest(query, 25, similarity=similarity)
            keys, said = keys_and_scores(found)
            assert keys == [f"em-{n:05}" for n in order]
            numpy.testing.assert_allclose(said, scores, rtol=1e-12, atol=1e-12)


def test_any_sequence_of_numbers_is_a_vector(world, vectors):
    query = vectors[3]
    with tidemark.open(world.cache) as cache:
        expected = keys_and_scores(cache.nearest(query))[0]
        assert len(expected) == 10 and expected[0] == "em-00003"
        strided = numpy.repeat(query, 2)[::2]
        for same in (query.tolist(), tuple(query.tolist()), query.astype("f8"), query.astype(">f4"), strided):
            assert keys_and_scores(cache.nearest(same))[0] == expected
        with cache.snapshot() as snapshot:
            assert keys_and_scores(snapshot.nearest(query))[0] == expected


def test_a_neighbour_has_its_row_its_parent_and_what_was_searched(world, vectors):
    with tidemark.open(world.cache) as cache:
        found = cache.nearest(vectors[5], 1, collection="embeddings_48", model="mini", of="patterns")
    near = found.neighbours[0]
    assert near.score == pytest.approx(1) and near.row.key == "em-00005"
    assert (near.parent_collection, near.parent_key) == ("patterns", "p-1")
    assert numpy.array_equal(near.row["embedding_vector"], vectors[5])
    assert found.coverage.searched == ROWS // 5 and found.coverage.other_parent == ROWS - ROWS // 5
    assert found.coverage.complete and found.coverage.in_scope and not found.coverage.window_complete
    assert found.freshness.state is tidemark.State.FRESH
    with tidemark.open(world.cache) as cache:
        assert not cache.nearest(vectors[5], of="episodes").coverage.complete
        assert cache.nearest(vectors[5], model="").neighbours == []


def test_a_filter_chooses_which_rows_count(world, vectors):
    order, _ = brute_force(vectors, vectors[9], "cosine", ROWS)
    with tidemark.open(world.cache) as cache:
        found = cache.nearest(vectors[9], 20, filter=lambda row: row["item_id"] == "p-1")
    assert keys_and_scores(found)[0] == [f"em-{n:05}" for n in order if n % 5 == 0][:20]
    assert found.coverage.filtered > 0


def test_what_a_filter_raises_is_raised(world, vectors):
    asked = []

    def angry(row):
        asked.append(row.key)
        raise KeyError("no")

    with tidemark.open(world.cache) as cache:
        with pytest.raises(KeyError):
            cache.nearest(vectors[0], filter=angry)
        assert asked == ["em-00000"]
        assert cache.nearest(vectors[0])


def test_follows_what_the_source_changes(world, vectors):
    with tidemark.open(world.cache) as cache:
        assert cache.nearest(vectors[1], 1).neighbours[0].row.key == "em-00001"
        world.db.execute("DELETE FROM embeddings_48 WHERE embedding_id = 'em-00001'")
        world.db.execute("UPDATE embeddings_48 SET embedding_vector = ? WHERE embedding_id = 'em-00002'",
                         (struct.pack("<48f", *(-vectors[1])),))
        world.db.commit()
        world.sync()
        found = cache.nearest(-vectors[1], 1)
        assert found.neighbours[0].row.key == "em-00002" and found.coverage.searched == ROWS - 1
        world.sync("--full")
        assert cache.nearest(vectors[1], 1).neighbours[0].row.key != "em-00001"


def test_threads_search_at_once_while_a_filter_runs(world, vectors):
    """Neither the interpreter nor a lock of the library is held while a filter waits."""
    other_done = threading.Event()
    with tidemark.open(world.cache) as cache:
        cache.nearest(vectors[0])

        def other():
            cache.nearest(vectors[1])
            other_done.set()

        thread = threading.Thread(target=other)

        def wait(row):
            if not thread.is_alive() and not other_done.is_set():
                thread.start()
            return other_done.wait(30)

        assert len(cache.nearest(vectors[0], filter=wait).neighbours) == 10
        thread.join(30)
    assert other_done.is_set()


def test_what_means_nothing_is_refused(world, vectors):
    with tidemark.open(world.cache) as cache:
        for bad in ([], [0.0] * DIMENSION, [float("nan")] * DIMENSION):
            with pytest.raises(tidemark.InvalidError):
                cache.nearest(bad)
        for bad in (None, 1.0, vectors[:2]):
            with pytest.raises(ValueError, match="one dimension"):
                cache.nearest(bad)
        with pytest.raises(ValueError):
            cache.nearest(vectors[0], similarity="manhattan")
        with pytest.raises(ValueError):
            cache.nearest(vectors[0], 0)
        with pytest.raises(tidemark.InvalidError, match="episodes"):
            cache.nearest(vectors[0], collection="episodes")
        assert cache.nearest([1.0] * 7).coverage.other_dimension == ROWS + 1
