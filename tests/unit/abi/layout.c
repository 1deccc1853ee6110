/* What programs that were built before rely on: sizes, places and numbers of tidemark.h. A line here
 * is never changed; what is new is added. 64-bit, as all that tidemark runs on. */
#include <stddef.h>

#include "tidemark.h"
#include "tidemark_nearest.h"

#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type " changed its size")
#define PLACE(type, member, at) \
  _Static_assert(offsetof(type, member) == (at), #type "." #member " moved")
#define NUMBER(name, number) _Static_assert((name) == (number), #name " changed")

SIZE(tidemark_bytes, 16);
PLACE(tidemark_bytes, size, 8);

SIZE(tidemark_value, 40);
PLACE(tidemark_value, int64, 8);
PLACE(tidemark_value, real, 16);
PLACE(tidemark_value, bytes, 24);

PLACE(tidemark_options, size, 0);
PLACE(tidemark_options, page_cache_bytes, 8);
PLACE(tidemark_options, open_deadline_ms, 16);
PLACE(tidemark_options, max_staleness_ms, 24);
PLACE(tidemark_options, fail_when_stale, 32);
PLACE(tidemark_options, never_repair, 36);
PLACE(tidemark_options, vector_cache_bytes, 40);

PLACE(tidemark_freshness, size, 0);
PLACE(tidemark_freshness, state, 8);
PLACE(tidemark_freshness, consistent, 12);
PLACE(tidemark_freshness, checked_at_ms, 16);
PLACE(tidemark_freshness, age_ms, 24);
PLACE(tidemark_freshness, source_unavailable_since_ms, 32);
PLACE(tidemark_freshness, source_refused_since_ms, 40);
PLACE(tidemark_freshness, incomplete, 48);
PLACE(tidemark_freshness, catching_up, 56);
PLACE(tidemark_freshness, in_doubt, 60);

PLACE(tidemark_query, size, 0);
PLACE(tidemark_query, collection, 8);
PLACE(tidemark_query, limit, 24);
PLACE(tidemark_query, of_key, 32);
PLACE(tidemark_query, of_collection, 48);
PLACE(tidemark_query, where_index, 64);
PLACE(tidemark_query, where_value, 80);

PLACE(tidemark_nearest_query, size, 0);
PLACE(tidemark_nearest_query, vector, 8);
PLACE(tidemark_nearest_query, k, 24);
PLACE(tidemark_nearest_query, collection, 32);
PLACE(tidemark_nearest_query, similarity, 48);
PLACE(tidemark_nearest_query, model, 56);
PLACE(tidemark_nearest_query, of_collection, 72);
PLACE(tidemark_nearest_query, filter, 88);
PLACE(tidemark_nearest_query, filter_context, 96);

PLACE(tidemark_neighbour, size, 0);
PLACE(tidemark_neighbour, score, 8);
PLACE(tidemark_neighbour, row, 16);
PLACE(tidemark_neighbour, parent_collection, 24);
PLACE(tidemark_neighbour, parent_key, 40);

PLACE(tidemark_coverage, size, 0);
PLACE(tidemark_coverage, searched, 8);
PLACE(tidemark_coverage, no_vector, 16);
PLACE(tidemark_coverage, other_parent, 24);
PLACE(tidemark_coverage, other_model, 32);
PLACE(tidemark_coverage, other_dimension, 40);
PLACE(tidemark_coverage, not_finite, 48);
PLACE(tidemark_coverage, zero, 56);
PLACE(tidemark_coverage, filtered, 64);
PLACE(tidemark_coverage, window_complete, 72);
PLACE(tidemark_coverage, in_scope, 76);
PLACE(tidemark_coverage, complete, 80);

NUMBER(TIDEMARK_OK, 0);
NUMBER(TIDEMARK_UNAVAILABLE, 1);
NUMBER(TIDEMARK_REJECTED, 2);
NUMBER(TIDEMARK_INVALID, 3);
NUMBER(TIDEMARK_UNSUPPORTED, 4);
NUMBER(TIDEMARK_BUSY, 5);
NUMBER(TIDEMARK_STALE, 6);
NUMBER(TIDEMARK_CORRUPT, 7);
NUMBER(TIDEMARK_NEEDS_REPAIR, 8);
NUMBER(TIDEMARK_NO_SPACE, 9);
NUMBER(TIDEMARK_CANCELLED, 10);
NUMBER(TIDEMARK_INTERNAL, 11);
NUMBER(TIDEMARK_HIT, 0);
NUMBER(TIDEMARK_ABSENT, 1);
NUMBER(TIDEMARK_UNKNOWN, 2);
NUMBER(TIDEMARK_NULL, 0);
NUMBER(TIDEMARK_INT64, 1);
NUMBER(TIDEMARK_REAL, 2);
NUMBER(TIDEMARK_TEXT, 3);
NUMBER(TIDEMARK_BLOB, 4);
NUMBER(TIDEMARK_VECTOR, 5);
NUMBER(TIDEMARK_REPEATED, 6);
NUMBER(TIDEMARK_IS_FRESH, 0);
NUMBER(TIDEMARK_IS_STALE, 1);
NUMBER(TIDEMARK_NEVER_SYNCED, 2);
NUMBER(TIDEMARK_TO_REPAIR, 3);
NUMBER(TIDEMARK_COSINE, 0);
NUMBER(TIDEMARK_DOT, 1);
NUMBER(TIDEMARK_L2, 2);

/* The first sizes of what may grow: as a program that was built against them says. */
NUMBER(sizeof(tidemark_options) >= 40, 1);
NUMBER(sizeof(tidemark_freshness) >= 64, 1);
NUMBER(sizeof(tidemark_query) >= 120, 1);
NUMBER(sizeof(tidemark_nearest_query) >= 104, 1);
NUMBER(sizeof(tidemark_neighbour) >= 56, 1);
NUMBER(sizeof(tidemark_coverage) >= 88, 1);
