// What the SQL of a schema says of its columns, and no PRAGMA does everywhere. Pure.
#pragma once

#include <string>
#include <string_view>

#include "model/row_set.h"

namespace tidemark::source {

// Whether some index of `table`, one that its CREATE TABLE implies too, begins with `column`, by
// the SQL in the rows of schema_statement(). Partial indexes do not count.
[[nodiscard]] bool is_indexed(const model::RowSet& schema_rows, std::string_view table,
                              std::string_view column);

// Whether `column` of `table` compares in BINARY order: its declaration names no collation.
[[nodiscard]] bool is_binary(const model::RowSet& schema_rows, std::string_view table,
                             std::string_view column);

// The size that `table` declares for `column`, as "(384)"; empty where it declares none. Turso 0.6
// leaves it out of PRAGMA table_info.
[[nodiscard]] std::string declared_size(const model::RowSet& schema_rows, std::string_view table,
                                        std::string_view column);

}  // namespace tidemark::source
