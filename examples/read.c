/* What read.cc does, in C: how fresh a cache is, the newest episodes, an embedding's floats, one item.
 * Build: gcc -std=c11 read.c $(pkg-config --cflags --libs tidemark-reader) -o read_c
 * Run:   ./read_c memories.redb [COLLECTION KEY] */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tidemark.h>

static tidemark_bytes text(const char* words) {
  tidemark_bytes bytes = {words, strlen(words)};
  return bytes;
}

static void print(tidemark_bytes bytes) { fwrite(bytes.data, 1, bytes.size, stdout); }

/* Says what went wrong and what to do, frees the error, and is the exit code. */
static int failed(tidemark_error* error) {
  tidemark_bytes message = tidemark_error_message(error);
  tidemark_bytes hint = tidemark_error_hint(error);
  fprintf(stderr, "read: %.*s\n", (int)message.size, (const char*)message.data);
  if (hint.size > 0) fprintf(stderr, "  %.*s\n", (int)hint.size, (const char*)hint.data);
  tidemark_error_free(error);
  return 1;
}

static int print_freshness(const tidemark_cache* cache) {
  static const char* const states[] = {"fresh", "stale", "never_synced", "needs_repair"};
  tidemark_freshness freshness = {.size = sizeof freshness};
  tidemark_error* error = NULL;
  if (tidemark_freshness_of(cache, &freshness, &error) != TIDEMARK_OK) return failed(error);
  printf("the cache is %s", states[freshness.state]);
  if (freshness.age_ms != INT64_MIN) printf(", checked %" PRId64 " ms ago", freshness.age_ms);
  printf("\n");
  return 0;
}

/* hit: here it is. absent: the source has none either. unknown: not cached, so ask the source. */
static int get(const tidemark_cache* cache, tidemark_bytes collection, tidemark_bytes key) {
  static const char* const presences[] = {"hit", "absent", "unknown"};
  tidemark_presence presence = TIDEMARK_UNKNOWN;
  tidemark_row* row = NULL;
  tidemark_error* error = NULL;
  if (tidemark_get(cache, collection, key, &presence, &row, &error) != TIDEMARK_OK) {
    return failed(error);
  }
  printf("get ");
  print(collection);
  printf(" ");
  print(key);
  printf(": %s\n", presences[presence]);
  if (row != NULL) {
    print(tidemark_row_json(row));
    printf("\n");
  }
  tidemark_row_free(row);
  return 0;
}

/* A visited row is only lent: the first is kept. */
static int show_key(const tidemark_row* row, void* context) {
  tidemark_row** newest = context;
  printf("  ");
  print(tidemark_row_key(row));
  printf("\n");
  if (*newest == NULL) *newest = tidemark_row_keep(row);
  return *newest != NULL; /* go on */
}

/* A vector's bytes are not aligned, so they are copied into floats of our own. */
static int show_embedding(const tidemark_row* row, void* context) {
  (void)context;
  for (size_t column = 0; column < tidemark_row_columns(row); ++column) {
    tidemark_value value = tidemark_row_value(row, column);
    size_t count = value.bytes.size / sizeof(float);
    if (value.type != TIDEMARK_VECTOR || count == 0) continue;
    float* floats = malloc(count * sizeof *floats);
    if (floats == NULL) return 0;
    memcpy(floats, value.bytes.data, count * sizeof *floats);
    printf("embedding ");
    print(tidemark_row_key(row));
    printf(": %zu floats from %.6f to %.6f\n", count, (double)floats[0], (double)floats[count - 1]);
    free(floats);
  }
  return 1;
}

/* A snapshot answers several questions from one commit. Keep it for milliseconds. */
static int show(const tidemark_cache* snapshot, tidemark_row** newest) {
  tidemark_query query = {.size = sizeof query, .collection = text("episodes"), .limit = 3};
  tidemark_error* error = NULL;
  printf("the newest episodes:\n");
  if (tidemark_list(snapshot, &query, show_key, newest, &error) != TIDEMARK_OK) {
    return failed(error);
  }
  if (*newest == NULL) return 0;
  tidemark_query of_parent = {.size = sizeof of_parent, .collection = text("embeddings")};
  of_parent.of_key = tidemark_row_key(*newest);
  if (tidemark_list(snapshot, &of_parent, show_embedding, NULL, &error) != TIDEMARK_OK) {
    return failed(error);
  }
  return 0;
}

static int read_all(const tidemark_cache* cache, int argc, char** argv) {
  tidemark_cache* snapshot = NULL;
  tidemark_row* newest = NULL;
  tidemark_error* error = NULL;
  int status = print_freshness(cache);
  if (status != 0) return status;
  if (tidemark_snapshot(cache, &snapshot, &error) != TIDEMARK_OK) return failed(error);
  status = show(snapshot, &newest);
  tidemark_close(snapshot);
  if (status == 0 && argc == 4) status = get(cache, text(argv[2]), text(argv[3]));
  if (status == 0 && argc == 2 && newest != NULL) {
    status = get(cache, text("episodes"), tidemark_row_key(newest));
  }
  tidemark_row_free(newest);
  return status;
}

int main(int argc, char** argv) {
  tidemark_cache* cache = NULL;
  tidemark_error* error = NULL;
  int status;
  if (argc != 2 && argc != 4) {
    fprintf(stderr, "usage: read_c CACHE [COLLECTION KEY]\n");
    return 2;
  }
  if (tidemark_open(text(argv[1]), NULL, &cache, &error) != TIDEMARK_OK) return failed(error);
  status = read_all(cache, argc, argv);
  tidemark_close(cache);
  return status;
}
