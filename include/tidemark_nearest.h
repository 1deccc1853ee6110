/* The cached embeddings that are most like a vector, from C. The conventions are those of
 * tidemark.h.
 */
#ifndef TIDEMARK_NEAREST_H
#define TIDEMARK_NEAREST_H

#include "tidemark.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cosine: of the angle, -1 to 1, greater is nearer. dot: the inner product, greater is nearer. l2:
 * the Euclidean distance, smaller is nearer. */
typedef int32_t tidemark_similarity;
enum { TIDEMARK_COSINE = 0, TIDEMARK_DOT = 1, TIDEMARK_L2 = 2 };

/* Returns 0 to leave `row`, which is borrowed for the call, out. */
typedef int (*tidemark_filter)(const tidemark_row* row, void* context);

/* Vectors of different models say nothing of each other: where the comparable ones are of several,
 * one must be named. */
typedef struct {
  size_t size;
  tidemark_bytes vector;     /* f32, 4 bytes each, at any alignment */
  uint64_t k;                /* at most 10,000; 0: 10 */
  tidemark_bytes collection; /* an embedding table; size 0: all of them */
  tidemark_similarity similarity;
  tidemark_bytes model;         /* data NULL: any one; size 0: rows that name none */
  tidemark_bytes of_collection; /* only of episodes, patterns or heuristics; size 0: of any */
  tidemark_filter filter;       /* asked from the nearest on until k count; NULL: all do */
  void* filter_context;
} tidemark_nearest_query;

/* What a search found. It outlives the cache that it came from, and any number of threads may read
 * it. */
typedef struct tidemark_neighbours tidemark_neighbours;

typedef struct {
  size_t size;
  double score;
  const tidemark_row* row; /* the embedding's, borrowed; tidemark_row_keep() for longer */
  /* What it is an embedding of. The collection is empty where the row does not say it, the key
   * where there is none. */
  tidemark_bytes parent_collection;
  tidemark_bytes parent_key;
} tidemark_neighbour;

/* Over how much a search went. Each cached row is counted as searched or for the first reason that
 * left it out. */
typedef struct {
  size_t size;
  uint64_t searched;
  uint64_t no_vector; /* none, or in an encoding that is kept as it is */
  uint64_t other_parent;
  uint64_t other_model;
  uint64_t other_dimension;
  uint64_t not_finite;     /* NaN or infinity among its floats */
  uint64_t zero;           /* cosine: no direction */
  uint64_t filtered;       /* of those searched: near, and left out by the filter */
  int32_t window_complete; /* 1: every episode of the source is cached */
  int32_t in_scope;        /* 1: the cache keeps what was searched for */
  int32_t complete;        /* 1: the source had no more at some moment since checked_at */
} tidemark_coverage;

/* The embeddings whose vectors are nearest to the query's, of one commit, exactly. The first search
 * of a table, and of one whose rows changed, reads all of it; their vectors are then kept in
 * memory, up to vector_cache_bytes of tidemark_options. Errors: as tidemark_get; invalid also for a
 * vector that is empty, not finite or, of cosine, zero, and for several models of which none is
 * named. */
TIDEMARK_C_API tidemark_code tidemark_nearest(const tidemark_cache* cache,
                                              const tidemark_nearest_query* query,
                                              tidemark_neighbours** found, tidemark_error** error);
/* At most k. */
TIDEMARK_C_API size_t tidemark_nearest_count(const tidemark_neighbours* found);
/* The nearest is 0; `number` is below tidemark_nearest_count(), beyond it all is zero.
 * `neighbour->size` is set by the caller. */
TIDEMARK_C_API void tidemark_nearest_at(const tidemark_neighbours* found, size_t number,
                                        tidemark_neighbour* neighbour);
/* `size` is set by the caller. The freshness is that of the commit that was searched. */
TIDEMARK_C_API void tidemark_nearest_coverage(const tidemark_neighbours* found,
                                              tidemark_coverage* coverage);
TIDEMARK_C_API void tidemark_nearest_freshness(const tidemark_neighbours* found,
                                               tidemark_freshness* freshness);
TIDEMARK_C_API void tidemark_nearest_free(tidemark_neighbours* found);

#ifdef __cplusplus
}
#endif

#endif
