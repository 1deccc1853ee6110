// Index entries of a row: one function for old and new rows, so that indexes can be rebuilt from
// data.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cache/row_format.h"
#include "model/record.h"

namespace tidemark::cache {

// Names of the redb tables; their keys are &[u8] and their values empty.
[[nodiscard]] std::string newest_table(std::string_view collection);
[[nodiscard]] std::string children_table(std::string_view collection);
// The keys of a collection, once more: a key that its data table does not find is absent only when
// it is not here either. None for embeddings, which are never absent.
[[nodiscard]] std::string keys_table(std::string_view collection);
[[nodiscard]] bool has_keys_table(const model::Collection& collection);
[[nodiscard]] std::string by_table(std::string_view collection, std::string_view column);
// All index tables that a collection has.
[[nodiscard]] std::vector<std::string> index_tables(const model::Collection& collection);

// Keys of entries, one after the other in one buffer, so that a row costs no allocation.
struct IndexKeys {
  struct Key {
    std::size_t table;  // its place in index_tables()
    std::size_t end;    // where the key ends in `bytes`; it begins where the one before ends
  };
  std::string bytes;
  std::vector<Key> keys;

  [[nodiscard]] std::string_view key(std::size_t n) const {
    const std::size_t start = n == 0 ? 0 : keys[n - 1].end;
    return std::string_view(bytes).substr(start, keys[n].end - start);
  }
  void clear() {
    bytes.clear();
    keys.clear();
  }
};

// Appends the entries of a stored row, at most one for each table, in the order of index_tables().
void append_index_keys(const model::Collection& collection, std::string_view key,
                       const RowView& row, IndexKeys& out);

struct IndexEntry {
  std::string table;
  std::string key;
  auto operator<=>(const IndexEntry&) const = default;
};

// The same, each with its table's name; sorted.
[[nodiscard]] std::vector<IndexEntry> index_entries(const model::Collection& collection,
                                                    std::string_view key, const RowView& row);
// Is this the key of one of the row's entries in `table`?
[[nodiscard]] bool has_entry(const model::Collection& collection, const RowView& row,
                             std::string_view table, std::string_view entry);
// The place of an episode's row.
[[nodiscard]] std::string place_of_row(const model::Collection& episodes, const RowView& row);

// All children of a parent with this id start so; `kind` narrows to those that name it.
[[nodiscard]] std::string children_prefix(std::string_view parent_key);
[[nodiscard]] std::string children_prefix(std::string_view parent_key,
                                          std::optional<model::Kind> kind);
// The key text at the end of an index entry's key; empty when the bytes are damaged.
[[nodiscard]] std::string key_after(std::string_view prefix, std::string_view entry);
[[nodiscard]] std::string key_of_place(std::string_view place);
// The smallest byte string above all that start with `prefix`.
[[nodiscard]] std::string prefix_end(std::string_view prefix);

}  // namespace tidemark::cache
