// Which columns a source can look up without reading the whole table. Pure.
#pragma once

#include <string_view>

#include "model/row_set.h"

namespace tidemark::source {

// Whether some index of `table`, one that its CREATE TABLE implies too, begins with `column`, by
// the SQL in the rows of schema_statement(). Partial indexes do not count.
[[nodiscard]] bool is_indexed(const model::RowSet& schema_rows, std::string_view table,
                              std::string_view column);

}  // namespace tidemark::source
