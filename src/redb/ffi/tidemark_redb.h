/* The redb crate behind a narrow C ABI.
 *
 * Rules, for every function:
 * - Handles are opaque. Bytes go in as pointer + length and are borrowed for the call.
 * - Out-parameters come last, `error` the very last. A function returns TDMK_REDB_OK or a code;
 *   then, where `error` is not null, *error is an object to be freed with tdmk_redb_error_free,
 *   and the other out-parameters are untouched.
 * - No panic crosses: it becomes TDMK_REDB_INTERNAL.
 * - A batch is one call.
 * - After fork() an inherited handle answers TDMK_REDB_INVALID; freeing it leaks it on purpose.
 * Threads: db, read and guard may be used by any threads at once (closing or freeing is the last
 * use); a write transaction and an error belong to one thread.
 */
#ifndef TIDEMARK_REDB_H
#define TIDEMARK_REDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct tdmk_redb_db tdmk_redb_db;
typedef struct tdmk_redb_read tdmk_redb_read;
typedef struct tdmk_redb_write tdmk_redb_write;
typedef struct tdmk_redb_guard tdmk_redb_guard;
typedef struct tdmk_redb_buffer tdmk_redb_buffer;
typedef struct tdmk_redb_error tdmk_redb_error;

enum {
  TDMK_REDB_OK = 0,
  TDMK_REDB_INVALID = 1,      /* not a redb file, not there, no right, inherited handle */
  TDMK_REDB_UNSUPPORTED = 2,  /* a file format that needs an upgrade */
  TDMK_REDB_BUSY = 3,         /* another writer */
  TDMK_REDB_CORRUPT = 4,
  TDMK_REDB_NEEDS_REPAIR = 5, /* read-only open of a killed writer's file */
  TDMK_REDB_NO_SPACE = 6,
  TDMK_REDB_INTERNAL = 7
};

/* An end of a range. */
enum { TDMK_REDB_UNBOUNDED = 0, TDMK_REDB_INCLUDED = 1, TDMK_REDB_EXCLUDED = 2 };

typedef struct {
  const char* from;
  size_t from_len;
  const char* to;
  size_t to_len;
  uint8_t from_bound;
  uint8_t to_bound;
  bool backward;      /* from the end of the range downwards */
  bool keys_only;     /* values come back empty */
  size_t entries_max; /* a slice ends at either bound, after at least one entry */
  size_t bytes_max;
} tdmk_redb_range;

typedef struct {
  const char* key;
  size_t key_len;
  const char* value;
  size_t value_len;
  bool remove; /* the value is ignored */
} tdmk_redb_change;

/* Opens `path`: for writing (created with `file_mode` when missing; repaired when its writer was
 * killed, `progress` called with 0..1 and false aborting) or read-only. check_pages: each page that
 * is loaded is compared with the checksum in its parent; one that does not match is
 * TDMK_REDB_CORRUPT to each read that needs it, and ends all writing. defer_sync: commits survive
 * the process, but not the machine, until tdmk_redb_sync_commits. fail_after > 0: every storage
 * operation after that many fails (feature "fault" only). */
int32_t tdmk_redb_open(const char* path, size_t path_len, bool write, size_t cache_bytes,
                       uint32_t file_mode, bool (*progress)(void*, double), void* context,
                       bool check_pages, bool defer_sync, uint64_t fail_after, tdmk_redb_db** db,
                       tdmk_redb_error** error);
/* From the next commit on they are durable, with all that was committed before. */
void tdmk_redb_sync_commits(tdmk_redb_db* db);
int32_t tdmk_redb_close(tdmk_redb_db* db, tdmk_redb_error** error); /* frees it in any case */
/* True: intact. Needs a writable handle without transactions. */
int32_t tdmk_redb_check_integrity(tdmk_redb_db* db, bool* intact, tdmk_redb_error** error);

int32_t tdmk_redb_error_code(const tdmk_redb_error* error);
const char* tdmk_redb_error_message(const tdmk_redb_error* error, size_t* len); /* UTF-8 */
/* TDMK_REDB_NO_SPACE: what the disk lacks at the least; 0: not known. */
uint64_t tdmk_redb_error_bytes_needed(const tdmk_redb_error* error);
void tdmk_redb_error_free(tdmk_redb_error* error);
void tdmk_redb_buffer_free(tdmk_redb_buffer* buffer);

/* *commit: a number that other commits of the file do not have (64 bits of a hash); 0: not known,
 * which is so where db is open for writing. */
int32_t tdmk_redb_begin_read(const tdmk_redb_db* db, tdmk_redb_read** read, uint64_t* commit,
                             tdmk_redb_error** error);
void tdmk_redb_read_free(tdmk_redb_read* read);
/* byte_key: the table's keys are &[u8], otherwise &str. Nothing found: *guard is null. The bytes
 * stay valid until the guard is freed; it holds their page, not the transaction. */
int32_t tdmk_redb_read_get(const tdmk_redb_read* read, const char* table, size_t table_len,
                           bool byte_key, const char* key, size_t key_len, tdmk_redb_guard** guard,
                           const char** data, size_t* len, tdmk_redb_error** error);
void tdmk_redb_guard_free(tdmk_redb_guard* guard);
/* One slice of a range: for each entry u32 key length, u32 value length (little-endian), key,
 * value.
 * *more is false when the range ended inside the slice. */
int32_t tdmk_redb_read_scan(const tdmk_redb_read* read, const char* table, size_t table_len,
                            bool byte_key, const tdmk_redb_range* range, tdmk_redb_buffer** buffer,
                            const char** data, size_t* len, bool* more, tdmk_redb_error** error);
int32_t tdmk_redb_read_count(const tdmk_redb_read* read, const char* table, size_t table_len,
                             bool byte_key, uint64_t* count, tdmk_redb_error** error);

int32_t tdmk_redb_begin_write(const tdmk_redb_db* db, tdmk_redb_write** write,
                              tdmk_redb_error** error);
void tdmk_redb_write_abort(tdmk_redb_write* write);
/* Durable when this returns. Frees the transaction in any case. */
int32_t tdmk_redb_write_commit(tdmk_redb_write* write, tdmk_redb_error** error);
int32_t tdmk_redb_write_apply(const tdmk_redb_write* write, const char* table, size_t table_len,
                              bool byte_key, const tdmk_redb_change* changes, size_t changes_len,
                              tdmk_redb_error** error);
/* Copies the value out; nothing found: *buffer is null. */
int32_t tdmk_redb_write_get(const tdmk_redb_write* write, const char* table, size_t table_len,
                            bool byte_key, const char* key, size_t key_len,
                            tdmk_redb_buffer** buffer, const char** data, size_t* len,
                            tdmk_redb_error** error);
/* The values of the first `*answered` keys, at least of one and until `bytes_max` are there: for
 * each u32 length (little-endian) and bytes, or UINT32_MAX where there is no such key. Of `keys`
 * only the key fields are looked at. */
int32_t tdmk_redb_write_get_batch(const tdmk_redb_write* write, const char* table, size_t table_len,
                                  bool byte_key, const tdmk_redb_change* keys, size_t keys_len,
                                  size_t bytes_max, tdmk_redb_buffer** buffer, const char** data,
                                  size_t* len, size_t* answered, tdmk_redb_error** error);
int32_t tdmk_redb_write_scan(const tdmk_redb_write* write, const char* table, size_t table_len,
                             bool byte_key, const tdmk_redb_range* range,
                             tdmk_redb_buffer** buffer, const char** data, size_t* len, bool* more,
                             tdmk_redb_error** error);
int32_t tdmk_redb_write_count(const tdmk_redb_write* write, const char* table, size_t table_len,
                              bool byte_key, uint64_t* count, tdmk_redb_error** error);
int32_t tdmk_redb_write_drop_table(const tdmk_redb_write* write, const char* table,
                                   size_t table_len, tdmk_redb_error** error);

/* Feature "fault" only: panics inside, so that a test sees it become an error. */
int32_t tdmk_redb_panic(tdmk_redb_error** error);

#ifdef __cplusplus
}
#endif

#endif
