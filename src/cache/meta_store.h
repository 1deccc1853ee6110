// Meta in redb: where each record lies in `tidemark:meta` and `tidemark:skips`.
#pragma once

#include <map>
#include <string>

#include "cache/meta.h"
#include "redb/database.h"

namespace tidemark::cache {

inline constexpr redb::TableName kMetaTable{"tidemark:meta", redb::KeyType::text};
inline constexpr redb::TableName kSkipsTable{"tidemark:skips", redb::KeyType::text};

[[nodiscard]] inline redb::TableName data_table(std::string_view collection) {
  return {collection, redb::KeyType::text};
}
[[nodiscard]] inline redb::TableName index_table(std::string_view name) {
  return {name, redb::KeyType::bytes};
}

// Reads a record of tidemark:meta; a missing one is `invalid`: the file is no cache of ours.
[[nodiscard]] Result<std::string> read_record(const redb::ReadTransaction& txn,
                                              std::string_view name);
[[nodiscard]] Result<State> load_state(const redb::ReadTransaction& txn);
// Everything. A redb file without our meta is `invalid` and must not be written.
[[nodiscard]] Result<Meta> load_meta(const redb::ReadTransaction& txn);
// Writes all of `meta`; the skip list is replaced when it differs from `before`.
[[nodiscard]] Result<void> store_meta(redb::WriteTransaction& txn, const Meta& meta,
                                      const Meta* before);

[[nodiscard]] std::string skip_key(std::string_view collection, std::string_view key);

}  // namespace tidemark::cache
