#include "source/tables.h"

#include <algorithm>

#include "source/capture_names.h"

namespace tidemark::source {
namespace {

std::optional<model::Kind> kind_of_table(std::string_view table) {
  const std::string name = lower_ascii(table);
  if (name.starts_with("embeddings_")) return model::Kind::embeddings;
  return model::kind_from_string(name);
}

}  // namespace

std::vector<Candidate> candidates(const model::RowSet& schema_rows) {
  std::vector<Candidate> found;
  for (std::size_t i = 0; i < schema_rows.size(); ++i) {
    const auto row = schema_rows.row(i);
    if (row[0].bytes() != "table") continue;
    if (const auto kind = kind_of_table(row[1].bytes())) {
      found.push_back({std::string(row[1].bytes()), *kind});
    }
  }
  std::ranges::sort(found, [](const Candidate& a, const Candidate& b) {
    return a.kind != b.kind ? a.kind < b.kind : a.name < b.name;
  });
  return found;
}

bool has_integer_affinity(std::string_view declared) {
  return lower_ascii(declared).find("int") != std::string::npos;
}

bool has_text_affinity(std::string_view declared) {
  const std::string type = lower_ascii(declared);
  return !has_integer_affinity(declared) &&
         (type.find("char") != std::string::npos || type.find("clob") != std::string::npos ||
          type.find("text") != std::string::npos);
}

}  // namespace tidemark::source
