"""What an agent does with a cache: get, list, snapshots, freshness."""
import gc
import json
from datetime import datetime, timedelta, timezone

import numpy
import pytest
import tidemark
from tidemark import Presence, State


def test_each_presence(world):
    with tidemark.open(world.cache) as cache:
        hit = cache.get("episodes", "ep-4")
        assert hit and hit.presence is Presence.HIT
        unknown = cache.get("episodes", "ep-0")
        assert not unknown and unknown.presence is Presence.UNKNOWN and unknown.row is None
        assert cache.get("patterns", "nowhere").presence is Presence.ABSENT


def test_a_row_is_a_mapping_of_python_values(world):
    with tidemark.open(world.cache) as cache:
        row = cache.get("episodes", "ep-3").row
    assert (row.collection, row.key) == ("episodes", "ep-3")
    assert dict(row) == {"episode_id": "ep-3", "start_time": 3, "context": "größe 3", "reward": 1.5,
                         "notes": b"\0\xff" * 3, "big": 2**60 + 3, "missing": None}
    assert json.loads(row.to_json())["big"] == {"int64": str(2**60 + 3)}
    assert repr(row) == 'Row(episodes, "ep-3")'
    with pytest.raises(KeyError):
        row["no such column"]


def test_a_column_is_found_wherever_its_row_has_it(world):
    """Where it was in the last row is looked at first: rows of one table may differ, too."""
    with tidemark.open(world.cache) as cache:
        old = cache.get("patterns", "p-1").row
        assert old["pattern_type"] == "loop"
        world.db.executescript("""
          DROP TABLE patterns;
          CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_typ TEXT, longer_pattern_type TEXT, pattern_type TEXT);
          INSERT INTO patterns VALUES('p-1', 'x', 'y', 'walk');
        """)
        world.sync()
        new = cache.get("patterns", "p-1").row
        for _ in range(2):
            assert (old["pattern_type"], new["pattern_type"]) == ("loop", "walk")
            assert new["longer_pattern_type"] == "y" and new.get("context") is None
            with pytest.raises(KeyError):
                old["longer_pattern_type"]
        assert list(old) == ["pattern_id", "pattern_type"] and len(new) == 4


def test_a_text_that_repeats_the_vector_is_no_column_of_its_row(world):
    world.db.execute("INSERT INTO embeddings SELECT 'em-5', item_id, item_type, '[0.5, -1.0, 2.0, 0.25]', embedding_vector,"
                     " dimension FROM embeddings")
    world.db.commit()
    world.sync()
    with tidemark.open(world.cache) as cache:
        null, repeated = cache.list("embeddings")
    for _ in range(2):
        assert null["embedding_data"] is None and repeated["embedding_vector"].tolist() == [0.5, -1.0, 2.0, 0.25]
        with pytest.raises(KeyError):
            repeated["embedding_data"]
        assert "embedding_data" in null and "embedding_data" not in repeated and len(repeated) == len(null) - 1


def test_a_vector_is_an_array_over_the_rows_bytes_and_outlives_it(world):
    with tidemark.open(world.cache) as cache:
        row = cache.list("embeddings", of="ep-4")[0]
    vector = row["embedding_vector"]
    assert vector.dtype == numpy.dtype("<f4") and not vector.flags.owndata
    del row, cache
    gc.collect()
    [bytes(100) for _ in range(1000)]
    assert vector.tolist() == [0.5, -1.0, 2.0, 0.25]
    with pytest.raises(ValueError):
        vector[0] = 1


def test_lists_newest_first_by_index_and_with_a_limit(world):
    with tidemark.open(world.cache) as cache:
        assert [row.key for row in cache.list("episodes")] == ["ep-4", "ep-3", "ep-2"]
        assert [row.key for row in cache.list("episodes", 1)] == ["ep-4"]
        assert cache.list("episodes", 0) == []
        assert [row.key for row in cache.list("patterns", where=("pattern_type", "loop"))] == ["p-1", "p-3"]
        assert cache.list("embeddings", of="ep-3") == []
        assert [row.key for row in cache.list("embeddings", of="ep-4", of_collection="episodes")] == ["em-4"]
        with pytest.raises(tidemark.InvalidError):
            cache.list("episodes", where=("context", "x"))
        with pytest.raises(TypeError):
            cache.list("patterns", where=("pattern_type", object()))


def test_a_snapshot_stands_still_while_the_cache_moves_on(world):
    with tidemark.open(world.cache) as cache, cache.snapshot() as snapshot:
        world.db.execute("UPDATE episodes SET context = 'new' WHERE episode_id = 'ep-4'")
        world.db.commit()
        world.sync()
        assert snapshot.get("episodes", "ep-4").row["context"] == "größe 4"
        assert cache.get("episodes", "ep-4").row["context"] == "new"
        cache.close()
        assert snapshot.list("patterns", 1)[0].key == "p-1"
    with pytest.raises(ValueError):
        snapshot.get("episodes", "ep-4")
    snapshot.close()


def test_moves_to_a_new_generation_by_itself(world):
    with tidemark.open(world.cache) as cache:
        world.db.execute("DELETE FROM episodes WHERE episode_id = 'ep-4'")
        world.db.commit()
        world.sync("--full")
        assert [row.key for row in cache.list("episodes")] == ["ep-3", "ep-2", "ep-1"]


def test_freshness(world):
    with tidemark.open(world.cache) as cache:
        freshness = cache.freshness()
        assert freshness.state is State.FRESH and freshness.consistent and not freshness.in_doubt
        assert timedelta(0) <= freshness.age < timedelta(minutes=2)
        assert abs(datetime.now(timezone.utc) - freshness.checked_at) < timedelta(minutes=2)
        assert freshness.source_unavailable_since is None and freshness.incomplete == 0
        with cache.snapshot() as snapshot:
            assert snapshot.freshness().checked_at == freshness.checked_at


def test_a_stale_cache_can_be_refused(world):
    old = timedelta(milliseconds=1)
    with tidemark.open(world.cache, max_staleness=old, fail_when_stale=True) as cache:
        assert cache.freshness().state is State.STALE
        with pytest.raises(tidemark.StaleError) as told:
            cache.get("episodes", "ep-4")
        assert told.value.message
    with tidemark.open(world.cache, max_staleness=old) as cache:
        assert cache.get("episodes", "ep-4")
    with pytest.raises(tidemark.InvalidError):
        tidemark.open(world.cache, max_staleness=timedelta(0))


def test_errors_say_what_to_do(world, tmp_path):
    with pytest.raises(tidemark.InvalidError) as told:
        tidemark.open(tmp_path / "none.redb")
    assert "none.redb" in told.value.message and "tidemark sync" in told.value.hint
    with tidemark.open(world.cache) as cache:
        with pytest.raises(tidemark.InvalidError, match="episodes"):
            cache.get("nothing", "x")
    with pytest.raises(ValueError):
        cache.get("episodes", "ep-4")
    cache.close()


def test_a_damaged_row_is_an_error_and_never_a_value(world):
    data = bytearray(world.cache.read_bytes())
    at = data.find("größe 4".encode())
    while at >= 0:
        data[at] ^= 1
        at = data.find("größe 4".encode(), at + 1)
    world.cache.write_bytes(data)
    with tidemark.open(world.cache) as cache:
        with pytest.raises(tidemark.CorruptError) as told:
            cache.get("episodes", "ep-4")
        assert "repair" in told.value.hint
        assert cache.get("patterns", "p-1")  # whose pages are sound
