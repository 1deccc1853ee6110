// The names of what change capture adds to a source, and which of them a table needs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::source {

// Raised when the log, the meta table or a trigger changes its form.
inline constexpr std::int64_t kCaptureVersion = 1;

// Everything of tidemark's at a source starts with this; nothing of the user's may.
inline constexpr std::string_view kOwnPrefix = "tidemark_";
inline constexpr std::string_view kLogTable = "tidemark_changes";
inline constexpr std::string_view kMetaTable = "tidemark_meta";
inline constexpr std::string_view kLogIndex = "tidemark_changes_item";
inline constexpr std::array<std::string_view, 3> kLogTriggers = {
    "tidemark_log_delete", "tidemark_log_insert", "tidemark_log_update"};

// Rows of tidemark_meta. Those before kSchemaKey are what a guard reads.
inline constexpr std::string_view kVersionKey = "capture_version";
inline constexpr std::string_view kDatabaseKey = "database_id";
inline constexpr std::string_view kEpochKey = "epoch:";  // + table
inline constexpr std::string_view kFloorKey = "floor";
inline constexpr std::string_view kSchemaKey = "schema:";  // + name: its SQL as read back

[[nodiscard]] std::string lower_ascii(std::string_view text);

// The triggers that a table needs, lower-cased as some servers do by themselves. One whose SQL
// names a collation has two more: a REPLACE of "A" by "a" removes a row that no delete trigger
// sees.
[[nodiscard]] std::vector<std::string> table_triggers(std::string_view table,
                                                      std::string_view table_sql);
// A name that capture gives to its triggers, whatever the table.
[[nodiscard]] bool is_capture_trigger(std::string_view name);
[[nodiscard]] bool names_collation(std::string_view table_sql);

}  // namespace tidemark::source
