// What a request in capture mode reads about its source besides its rows, in its own transaction,
// and what makes a cache doubt that it still follows that source. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/row_set.h"
#include "tidemark/error.h"
#include "turso/connection.h"

namespace tidemark::source {

// True when the rows of schema_statement() name both of tidemark's tables: only then may guard
// statements be sent, since they read them. Whether capture is healthy is for read_guard() to say.
[[nodiscard]] bool capture_present(const model::RowSet& schema_rows);
// The error of a guarded request at a source whose capture was removed meanwhile.
[[nodiscard]] bool is_capture_gone(const Error& error);

// Log rows whose nonces are the cache's anchors.
struct GuardRequest {
  std::int64_t position = 0;          // 0: none
  std::optional<std::int64_t> ahead;  // where the cache may hold rows from beyond its position
};

// They go in front of a batch. Rows scanned: one for each object of the schema and of meta before
// its schemas, and three seeks in the log; nothing grows with the log or the tables.
[[nodiscard]] std::vector<turso::Statement> guard_statements(const GuardRequest& request);
inline constexpr std::size_t kGuardStatements = 3;

struct Guard {
  std::string schema;  // of the user's own objects: as fingerprint() of schema_statement()'s rows
  std::string database_id;
  std::int64_t version = 0;  // of capture; 0: none
  std::int64_t floor = 0;    // changes up to here may be missing from the log
  std::int64_t head = 0;     // the newest change; never below the floor, however empty the log
  std::string log_trouble;   // why the log itself cannot be trusted; empty: it can
  std::map<std::string, std::string> epochs;     // of each captured table
  std::map<std::string, std::string> unhealthy;  // captured table -> why its log cannot be trusted
  std::optional<std::int64_t> head_nonce;        // of the row at `head`; none when pruned
  std::optional<std::int64_t> anchor_nonce;      // of the row at request.position
  std::optional<std::int64_t> ahead_nonce;
};

// `results`: of a batch that starts with guard_statements(). Errors: unavailable (not such rows).
[[nodiscard]] Result<Guard> read_guard(std::span<const model::RowSet> results);

// What a cache remembers of the source that it follows.
struct GuardState {
  std::string database_id;
  std::map<std::string, std::string> epochs;  // of the tables that it follows by the log
  std::int64_t position = 0;
  std::optional<std::int64_t> position_nonce;  // none while the position is 0
  std::int64_t ahead = 0;                      // <= position: nothing was read beyond it
  std::optional<std::int64_t> ahead_nonce;
};

// The source shows less than the cache has seen. First a lagging replica: ask again; if it stays
// so, doubt() has the reason.
[[nodiscard]] bool is_behind(const GuardState& stored, const Guard& now);

// What a request of such a cache asks of the log.
[[nodiscard]] GuardRequest guard_request(const GuardState& state);

// Why the cache can no longer be brought in step by the log alone, in a person's words.
[[nodiscard]] std::optional<std::string> doubt(const GuardState& stored, const Guard& now);

}  // namespace tidemark::source
