/* Reading a tidemark cache from C, and from any language that can call C: the stable interface.
 *
 * Conventions
 * - Handles are opaque. Each kind has one function that frees it, which also takes NULL.
 * - Texts and bytes are tidemark_bytes: an address and a size, without a NUL at the end. Texts are
 *   UTF-8. What goes in is borrowed for the call; what comes out of a handle lives as long as it.
 * - What can fail returns TIDEMARK_OK or another code. Out-parameters come last, the error behind
 *   them. They are written only on success, and *error only on failure; `error` may be NULL.
 * - A struct whose first member is `size` is the caller's: set it to sizeof of that struct, and the
 *   rest to zero for the defaults. A later version may add members at the end; it reads and writes
 *   `size` bytes.
 * - No function prints, exits, raises a signal or lets a C++ exception out.
 * - Threads: any number may read one cache at once; a snapshot belongs to one thread at a time.
 *   Rows and errors may be read by any number, and freed by one.
 * - After fork() the child opens its own: what it inherited answers TIDEMARK_INVALID, and may still
 *   be freed.
 * - Symbols are versioned, and none is ever changed: another meaning gets another name.
 */
#ifndef TIDEMARK_H
#define TIDEMARK_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define TIDEMARK_C_API __attribute__((visibility("default")))
#else
#define TIDEMARK_C_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* A cache that is open, or a snapshot of one. */
typedef struct tidemark_cache tidemark_cache;
/* One cached item. It owns its bytes and outlives the cache that it came from. */
typedef struct tidemark_row tidemark_row;
typedef struct tidemark_error tidemark_error;

typedef struct {
  const void* data; /* may be NULL when size is 0 */
  size_t size;
} tidemark_bytes;

/* What a caller can act on; docs/errors.md says more. Others may be added. */
typedef int32_t tidemark_code;
enum {
  TIDEMARK_OK = 0,
  TIDEMARK_UNAVAILABLE = 1,  /* the source cannot be reached now */
  TIDEMARK_REJECTED = 2,     /* the source refuses us */
  TIDEMARK_INVALID = 3,      /* bad argument, no such cache, not a cache */
  TIDEMARK_UNSUPPORTED = 4,  /* a cache of a newer format, a network file system */
  TIDEMARK_BUSY = 5,         /* a writer is repairing the file, beyond open_deadline_ms */
  TIDEMARK_STALE = 6,        /* older than max_staleness_ms, and fail_when_stale was set */
  TIDEMARK_CORRUPT = 7,      /* stored bytes do not match their hash: `tidemark repair` */
  TIDEMARK_NEEDS_REPAIR = 8, /* cannot be opened until it was repaired: `tidemark repair` */
  TIDEMARK_NO_SPACE = 9,
  TIDEMARK_CANCELLED = 10,
  TIDEMARK_INTERNAL = 11 /* a bug, or no memory */
};

/* hit: there is a row. absent: the source had none at some moment between checked_at and the read.
 * unknown: not cached and not proven absent: ask the source. */
typedef int32_t tidemark_presence;
enum { TIDEMARK_HIT = 0, TIDEMARK_ABSENT = 1, TIDEMARK_UNKNOWN = 2 };

typedef struct {
  size_t size;
  uint64_t page_cache_bytes;   /* 0: 8 MiB */
  int64_t open_deadline_ms;    /* waiting for a writer's repair; 0: 5 s */
  int64_t max_staleness_ms;    /* older than this is stale; 0: 5 min */
  int32_t fail_when_stale;     /* not 0: reads of a stale cache answer TIDEMARK_STALE */
  int32_t never_repair;        /* not 0: leaves a file that a killed writer left as it is */
  uint64_t vector_cache_bytes; /* vectors that tidemark_nearest() keeps in memory; 0: 256 MiB */
} tidemark_options;

typedef int32_t tidemark_type;
enum {
  TIDEMARK_NULL = 0,
  TIDEMARK_INT64 = 1,
  TIDEMARK_REAL = 2,
  TIDEMARK_TEXT = 3,
  TIDEMARK_BLOB = 4,
  TIDEMARK_VECTOR = 5,  /* bytes: little-endian f32, 4 each, at any alignment */
  TIDEMARK_REPEATED = 6 /* a text that only repeats its row's vector, and is not kept */
};

typedef struct {
  tidemark_type type;
  int64_t int64;        /* of TIDEMARK_INT64, else 0 */
  double real;          /* of TIDEMARK_REAL, else 0 */
  tidemark_bytes bytes; /* of a text, blob or vector: the row's */
} tidemark_value;

typedef int32_t tidemark_state;
enum {
  TIDEMARK_IS_FRESH = 0,
  TIDEMARK_IS_STALE = 1,
  TIDEMARK_NEVER_SYNCED = 2,
  TIDEMARK_TO_REPAIR = 3
};

/* Times are ms since 1970, UTC; INT64_MIN where there is none. */
typedef struct {
  size_t size;
  tidemark_state state;
  int32_t consistent;    /* 1: all rows are one snapshot of the source */
  int64_t checked_at_ms; /* the source was last seen to say this */
  int64_t age_ms;        /* since then, by this process's clock */
  int64_t source_unavailable_since_ms;
  int64_t source_refused_since_ms;
  uint64_t incomplete; /* rows that could not be cached */
  int32_t catching_up; /* 1: more changes are known to be waiting */
  int32_t in_doubt;    /* 1: the cache is being read again */
} tidemark_freshness;

/* What to list: all zero but `collection` is all of it, episodes newest first, others by key. */
typedef struct {
  size_t size;
  tidemark_bytes collection;    /* a table's name; "embeddings": every embedding table */
  uint64_t limit;               /* 0: no limit */
  tidemark_bytes of_key;        /* embeddings of this parent; data NULL: of all */
  tidemark_bytes of_collection; /* narrows of_key to a parent in that collection */
  tidemark_bytes where_index;   /* an indexed column of patterns; size 0: none */
  tidemark_value where_value;
} tidemark_query;

/* Returns 0 to end the listing. `row` is borrowed for the call; tidemark_row_keep() for longer. */
typedef int (*tidemark_visit)(const tidemark_row* row, void* context);

/* "0.1.0"; static. */
TIDEMARK_C_API const char* tidemark_version(void);

/* Opens the cache at `path`. `options` may be NULL.
 * Errors: invalid, needs_repair, busy, unsupported, corrupt. */
TIDEMARK_C_API tidemark_code tidemark_open(tidemark_bytes path, const tidemark_options* options,
                                           tidemark_cache** cache, tidemark_error** error);
/* One commit of `cache`, which it must not outlive and must not be a snapshot itself. Hold it for
 * milliseconds: the file grows while it is held and passes commit. */
TIDEMARK_C_API tidemark_code tidemark_snapshot(const tidemark_cache* cache,
                                               tidemark_cache** snapshot, tidemark_error** error);
TIDEMARK_C_API void tidemark_close(tidemark_cache* cache);

/* Of a cache: reads the newest commit. *row is set to NULL unless *presence is TIDEMARK_HIT.
 * Errors: invalid (no such collection), stale, corrupt, needs_repair, busy. */
TIDEMARK_C_API tidemark_code tidemark_get(const tidemark_cache* cache, tidemark_bytes collection,
                                          tidemark_bytes key, tidemark_presence* presence,
                                          tidemark_row** row, tidemark_error** error);
/* Of a cache, rows may come from several commits, each row once; of a snapshot, from one.
 * Errors: as tidemark_get. */
TIDEMARK_C_API tidemark_code tidemark_list(const tidemark_cache* cache, const tidemark_query* query,
                                           tidemark_visit visit, void* context,
                                           tidemark_error** error);
/* `freshness->size` is set by the caller. Of a snapshot: as it was when that was made. */
TIDEMARK_C_API tidemark_code tidemark_freshness_of(const tidemark_cache* cache,
                                                   tidemark_freshness* freshness,
                                                   tidemark_error** error);

/* A copy of a row that was only borrowed. NULL: no memory. */
TIDEMARK_C_API tidemark_row* tidemark_row_keep(const tidemark_row* row);
TIDEMARK_C_API tidemark_bytes tidemark_row_collection(const tidemark_row* row);
TIDEMARK_C_API tidemark_bytes tidemark_row_key(const tidemark_row* row);
TIDEMARK_C_API size_t tidemark_row_columns(const tidemark_row* row);
/* `column` is below tidemark_row_columns(); beyond it: empty, and TIDEMARK_NULL. */
TIDEMARK_C_API tidemark_bytes tidemark_row_column(const tidemark_row* row, size_t column);
TIDEMARK_C_API tidemark_value tidemark_row_value(const tidemark_row* row, size_t column);
/* One JSON object (docs/reading.md has its form), made at the first call and kept in the row. */
TIDEMARK_C_API tidemark_bytes tidemark_row_json(const tidemark_row* row);
TIDEMARK_C_API void tidemark_row_free(tidemark_row* row);

TIDEMARK_C_API tidemark_code tidemark_error_code(const tidemark_error* error);
/* What happened, and what to do (may be empty). */
TIDEMARK_C_API tidemark_bytes tidemark_error_message(const tidemark_error* error);
TIDEMARK_C_API tidemark_bytes tidemark_error_hint(const tidemark_error* error);
TIDEMARK_C_API void tidemark_error_free(tidemark_error* error);

#ifdef __cplusplus
}
#endif

#endif
