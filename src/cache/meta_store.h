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

// Each answers `corrupt` where a record is missing, or does not match its hash; `invalid` where
// there is no meta at all: the file is no cache of ours and must not be written.
[[nodiscard]] Result<Identity> load_identity(const redb::ReadTransaction& txn);
// `unsupported` for the state of a newer format.
[[nodiscard]] Result<State> load_state(const redb::ReadTransaction& txn);
[[nodiscard]] Result<CatalogRecord> load_catalog(const redb::ReadTransaction& txn,
                                                 const State& state);
// "doubt", "unavailable", "report", "boundary".
[[nodiscard]] Result<std::string> load_text(const redb::ReadTransaction& txn, const State& state,
                                            std::string_view name);
[[nodiscard]] Result<Refusal> load_refusal(const redb::ReadTransaction& txn, const State& state);
// Zeroes for a table that nobody wrote to.
[[nodiscard]] Result<TableSum> load_sum(const redb::ReadTransaction& txn, const State& state,
                                        std::string_view collection);
// Everything.
[[nodiscard]] Result<Meta> load_meta(const redb::ReadTransaction& txn);
// Is this key on the skip list?
[[nodiscard]] Result<bool> is_skipped(const redb::ReadTransaction& txn, const State& state,
                                      std::string_view collection, std::string_view key);

// Writes all of `meta`, in the current format; the skip list is replaced when it differs from
// `before`.
[[nodiscard]] Result<void> store_meta(redb::WriteTransaction& txn, const Meta& meta,
                                      const Meta* before);

}  // namespace tidemark::cache
