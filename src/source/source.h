// The SQL of a memory source: discovery, window lists, rows by key. Builds batches and decodes
// their replies (pure); sync owns the connection and drives them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/collection.h"
#include "model/record.h"
#include "tidemark/error.h"
#include "turso/connection.h"

namespace tidemark::source {

// Configuration may override a role: empty means "find it by looking".
struct RoleOverrides {
  std::string episodes_key;
  std::string episodes_order;
};

// Discovery in two steps, so that an unchanged schema costs one statement in a data request.
//
// schema_statement() is the guard block without capture: type, name, table and SQL of every object
// that is not SQLite's own nor tidemark's, and tidemark's two tables where they are, so that
// capture_present() (guard.h) can tell. fingerprint() of its rows is what Catalog::fingerprint
// holds; it passes over what is tidemark's, so that installing capture changes no schema.
[[nodiscard]] turso::Statement schema_statement();
[[nodiscard]] std::string fingerprint(const model::RowSet& schema_rows);

// The second step: one batch that asks the columns, indexes, collations and encoding of the tables
// that schema_rows names as ours. A missing `episodes` is `invalid` and lists the tables found.
[[nodiscard]] Result<turso::Batch> discovery_batch(const model::RowSet& schema_rows);
// Statements of the second step for the tables that a source usually has, so that they can go with
// the first: asking about a table that is not there gives no rows.
[[nodiscard]] std::vector<turso::Statement> usual_discovery();
[[nodiscard]] Result<model::Catalog> read_discovery(const model::RowSet& schema_rows,
                                                    const turso::BatchReply& reply,
                                                    const RoleOverrides& overrides = {});

// A list of places, newest first for episodes, by key ascending (BINARY) for the others, and for
// episodes where that is asked for: then without order values.
// With `after`, episodes whose order value is NULL come only in a second walk (nulls_only): a
// single condition that allows both cannot use an index.
struct ListRequest {
  std::optional<model::Place> after;  // exclusive; the last place of the chunk before
  bool by_key = false;                // episodes: like the others
  bool nulls_only = false;            // episodes: those with a NULL order value
  bool overflows = false;             // episodes: the source is known to have more than fit
  std::size_t limit = 0;              // rows asked for
};
// Only keys of class integer or text are listed; see odd_keys_statement for the rest. The results
// of all statements, one after the other, are one list, of which the first `limit` rows count.
[[nodiscard]] std::vector<turso::Statement> list_statements(const model::Collection& collection,
                                                            const ListRequest& request);
// Embeddings whose parent id is one of `parent_keys`, in no order. Columns: key, parent id, parent
// type (NULL where there is no such column).
[[nodiscard]] std::vector<turso::Statement> list_children_statements(
    const model::Collection& embeddings, std::span<const Value> parent_keys);

struct Listed {
  std::vector<model::Place> places;     // valid keys only
  std::vector<model::Skipped> skipped;  // non-UTF-8 keys
  std::size_t rows = 0;                 // with those
  std::optional<model::Place> last;     // of all rows: the walk goes on after it
};
// What was asked for: no more than its limit.
[[nodiscard]] Result<Listed> read_list(const model::Collection& collection,
                                       const ListRequest& request, const model::RowSet& rows);

// One row where more than `rows` rows have a key that can be cached, else none.
[[nodiscard]] turso::Statement more_than_statement(const model::Collection& collection,
                                                   std::uint64_t rows);
// Places of the episodes with these keys, in no order; for read_list().
[[nodiscard]] std::vector<turso::Statement> places_statements(const model::Collection& episodes,
                                                              std::span<const Value> keys);

struct Child {
  Value key;
  model::Parent parent;
};
[[nodiscard]] Result<std::vector<Child>> read_children(const model::Collection& embeddings,
                                                       const model::RowSet& rows);

// Rows with exactly these keys, all columns, in no order; a key that is gone gives no row. A row
// whose key is not byte-equal to one asked for (NOCASE) is left out by read_rows. Their results,
// one after the other, are one row set.
[[nodiscard]] std::vector<turso::Statement> rows_statements(const model::Collection& collection,
                                                            std::span<const Value> keys);
// All rows with a key from `first` to `last` in BINARY order, in no order; of more than `limit`
// that many. For a collection with access.key_index. A third of the time, at the server, of asking
// for each key.
[[nodiscard]] turso::Statement range_statement(const model::Collection& collection,
                                               const Value& first, const Value& last,
                                               std::size_t limit);
// Decodes: UTF-8 and size checks, vectors to f32 (embedding_vector, else JSON text; other encodings
// kept and counted), dimension checks. Invalid rows go to `skipped`.
[[nodiscard]] Result<model::RecordPage> read_rows(const model::Collection& collection,
                                                  std::span<const Value> keys, model::RowSet rows);

// At most `limit` keys that can never be cached: NULL, real or blob.
[[nodiscard]] turso::Statement odd_keys_statement(const model::Collection& collection,
                                                  std::size_t limit);
[[nodiscard]] std::vector<model::Skipped> read_odd_keys(const model::Collection& collection,
                                                        const model::RowSet& rows);

}  // namespace tidemark::source
