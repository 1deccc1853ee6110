// What the tools share that answer with rows.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/mcp/arguments.h"
#include "cli/mcp/tools.h"
#include "tidemark/freshness.h"
#include "tidemark/row.h"

namespace tidemark::cli::mcp {

using MaxAge = std::optional<std::chrono::milliseconds>;
inline constexpr std::uint64_t kMaxAgeMsMax = 366ULL * 86'400'000;
struct RowOptions {
  MaxAge max_age;
  bool vectors = false;  // as numbers
};

// The arguments "max_age_ms" and "vectors".
template <typename Json>
[[nodiscard]] MaxAge max_age_of(Arguments<Json>& arguments) {
  const auto ms = arguments.number("max_age_ms", 0, kMaxAgeMsMax);
  return ms ? MaxAge(*ms) : std::nullopt;
}
template <typename Json>
[[nodiscard]] RowOptions row_options(Arguments<Json>& arguments) {
  return {max_age_of(arguments), arguments.flag("vectors")};
}
// Adds the first, or both and "collection", to an input schema, which is JSON.
[[nodiscard]] std::string with_max_age(const std::string& input_schema);
[[nodiscard]] std::string with_row_options(const std::string& input_schema);

// What a call reads, and how fresh that is.
struct Seen {
  Snapshot snapshot;
  Freshness freshness;
};
// Errors: as CacheReader::snapshot; stale, when it is older than `max_age`.
[[nodiscard]] Result<Seen> see(CacheReader& cache, const MaxAge& max_age);
// Row::to_json(), where {"dimension":N} stands for a vector that was not asked for: it is
// thousands of tokens that no model reads.
[[nodiscard]] std::string row_json(const Row& row, const RowOptions& options);

// The items of one answer, up to kRowsBytesMax.
class Items {
 public:
  // `item`: JSON. False: this one and what comes after it is left out.
  bool add(const std::string& item);
  void leave_out_the_rest() { truncated_ = true; }
  // {"items":[...],"truncated":...,"freshness":...,"error":null}. Errors: unsupported, when not
  // even the first one has room.
  [[nodiscard]] Result<ToolAnswer> answer(const Freshness& freshness) const;

 private:
  std::string json_;
  bool truncated_ = false;
};
// JSON Schema of that answer. `members`: of an item, besides collection, key and row; a JSON
// object.
[[nodiscard]] std::string items_schema(const std::string& members);

}  // namespace tidemark::cli::mcp
