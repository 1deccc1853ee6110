#include "source/look.h"

#include "source/quoting.h"

namespace tidemark::source {
namespace {

std::optional<std::int64_t> only_integer(const model::RowSet& rows) {
  if (rows.size() != 1 || rows.row(0)[0].type() != ValueType::int64) return std::nullopt;
  return rows.row(0)[0].as_int64();
}

}  // namespace

turso::Statement clock_statement() {
  // Unix time begins at this Julian day.
  return {"SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)", {}};
}

std::optional<std::chrono::system_clock::time_point> read_clock(const model::RowSet& rows) {
  const auto ms = only_integer(rows);
  if (!ms) return std::nullopt;
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(*ms));
}

turso::Statement count_statement(const model::Collection& collection) {
  // For count(*) SQLite takes the smallest index, and finds one of libSQL's vectors empty; an
  // expression of the key wants one that has the key.
  const std::string& key = collection.columns[collection.key_column].name;
  return {"SELECT count(+" + quote_name(key) + ") FROM " + quote_name(collection.name), {}};
}

std::optional<std::uint64_t> read_count(const model::RowSet& rows) {
  const auto count = only_integer(rows);
  if (!count || *count < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*count);
}

}  // namespace tidemark::source
