// The SQL that change capture is made of. Each statement stands alone: no arguments, so that it can
// be printed and run by hand; random values are the source's own.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::source {

// The log, meta and the triggers that guard the log, after removing what there is of them.
// `database_id` is kept; empty: a new one.
[[nodiscard]] std::vector<std::string> create_log(const std::string& database_id);

// `keep`: older changes of the same item are deleted beyond this distance.
[[nodiscard]] std::vector<std::string> create_table_triggers(const std::string& table,
                                                             const std::string& key,
                                                             std::string_view table_sql,
                                                             std::int64_t keep);
// Mints the table's epoch and records its SQL and that of its triggers, as the source has them.
[[nodiscard]] std::vector<std::string> record_table(const std::string& table,
                                                    std::string_view table_sql);
[[nodiscard]] std::vector<std::string> forget_table(const std::string& table);
[[nodiscard]] std::string drop_trigger(std::string_view name);

// Raises the floor to `floor` and deletes what is below, in one transaction.
[[nodiscard]] std::vector<std::string> prune_to(std::int64_t floor);

}  // namespace tidemark::source
