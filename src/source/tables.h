// Which tables of a schema hold memories, and what a declared type makes of a column.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "model/collection.h"
#include "model/row_set.h"

namespace tidemark::source {

struct Candidate {
  std::string name;
  model::Kind kind;
};

// Our tables among the rows of a schema (type, name, ...), in the order of the catalog.
[[nodiscard]] std::vector<Candidate> candidates(const model::RowSet& schema_rows);

[[nodiscard]] bool has_integer_affinity(std::string_view declared);
[[nodiscard]] bool has_text_affinity(std::string_view declared);

}  // namespace tidemark::source
