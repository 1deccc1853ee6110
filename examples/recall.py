"""recall.py CACHE EPISODE: the three cached episodes that are most like that one, by their vectors."""
import sys
import tidemark

with tidemark.open(sys.argv[1]) as cache:
    asked = cache.list("embeddings", of=sys.argv[2])[0]  # or what your model makes of a question
    found = cache.nearest(asked["embedding_vector"], k=3, of="episodes",
                          filter=lambda row: row["item_id"] != sys.argv[2])
    for near in found.neighbours:
        episode = cache.get("episodes", near.parent_key).row
        print(f"{near.score:.3f}  {near.parent_key}  {episode['task_description']}: {episode['outcome']}")
    print(f"of {found.coverage.searched} vectors, checked {found.freshness.age.total_seconds():.0f} s ago")
