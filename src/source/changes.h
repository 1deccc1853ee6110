// What the change log says was touched in one range of it, and the rows as they are now: statements
// of one request, so that all of it is one snapshot. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/collection.h"
#include "model/row_set.h"
#include "tidemark/error.h"
#include "tidemark/value.h"
#include "turso/connection.h"

namespace tidemark::source {

// Log rows (after, up], where `up` is the last of the first `limit` rows: chosen by the source, so
// that every statement of a request reads exactly this range.
struct ChangeRange {
  std::int64_t after = 0;
  std::size_t limit = 0;
};

struct Changes {
  std::int64_t up = 0;  // == after: nothing new
  std::optional<std::int64_t> up_nonce;
  // Keys by table, each once; only such as can be cached (integer, or UTF-8 text).
  std::map<std::string, std::vector<Value>> touched;

  [[nodiscard]] std::span<const Value> of(const std::string& table) const {
    const auto found = touched.find(table);
    return found == touched.end() ? std::span<const Value>{} : std::span(found->second);
  }
};

[[nodiscard]] std::vector<turso::Statement> changes_statements(const ChangeRange& range);
inline constexpr std::size_t kChangesStatements = 2;
[[nodiscard]] Result<Changes> read_changes(std::span<const model::RowSet> results,
                                           const ChangeRange& range);

// The rows of `collection` with a touched key; docs/capture.md says why in this form.
[[nodiscard]] turso::Statement touched_rows_statement(const model::Collection& collection,
                                                      const ChangeRange& range);
// The rows of `embeddings` whose parent id is a touched key of one of the tables `parents` (one at
// the least).
[[nodiscard]] turso::Statement touched_children_statement(const model::Collection& embeddings,
                                                          std::span<const std::string> parents,
                                                          const ChangeRange& range);

}  // namespace tidemark::source
