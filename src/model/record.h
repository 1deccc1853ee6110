// A source row with its roles read out: what the source layer hands to sync, and sync to the cache.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "model/collection.h"
#include "model/row_set.h"
#include "tidemark/value.h"

namespace tidemark::model {

// Place in the newest-first order: (order value, key); a missing order column is NULL.
struct Place {
  Value order;
  Value key;  // int64 or text
};

// What an embedding belongs to; no kind: any collection that has the id.
struct Parent {
  std::string key;
  std::optional<Kind> kind;
};
// The parent that a row of an embeddings collection names; nullopt: none (NULL or no such column).
[[nodiscard]] std::optional<Parent> parent_of(const Collection& embeddings,
                                              std::span<const ValueView> cells);

// The redb key of an SQL key: integers as decimal text.
[[nodiscard]] std::string key_text(const Value& key);

// One valid row. Views borrow from the RecordPage.
struct Record {
  std::string key;                   // integer keys as decimal text
  std::span<const ValueView> cells;  // as the collection's columns; vectors already f32
};

// A row that cannot be cached, and why. `key` is printable text of whatever the key was.
struct Skipped {
  std::string collection;
  std::string key;
  std::string reason;
  bool operator==(const Skipped&) const = default;
};

// The rows of one reply, decoded.
struct RecordPage {
  RowSet rows;  // owns the bytes
  std::vector<Record> records;
  std::vector<Skipped> skipped;
  std::size_t vectors_kept_raw = 0;  // embeddings in an encoding that is not f32
};

}  // namespace tidemark::model
