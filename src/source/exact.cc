#include "source/exact.h"

#include <limits>
#include <string>
#include <vector>

namespace tidemark::source {
namespace {

constexpr std::size_t kCellsPerColumn = 3;  // value, class, sign

ValueView plain(ValueView value, ValueView type, ValueView positive) {
  if (type.bytes() == "text") return ValueView::text(value.bytes());
  const bool infinite =
      value.type() == ValueType::real && value.as_real() == std::numeric_limits<double>::infinity();
  if (infinite && positive.as_int64() == 0) return ValueView::real(-value.as_real());
  return value;
}

}  // namespace

turso::Statement exact_statement(const turso::Statement& statement, std::size_t columns) {
  std::string names;
  std::string cells;
  for (std::size_t i = 0; i < columns; ++i) {
    const std::string name = "c" + std::to_string(i);
    const char* const comma = i == 0 ? "" : ",";
    names.append(comma).append(name);
    cells.append(comma).append("CASE typeof(").append(name).append(") WHEN 'text' THEN CAST(");
    cells.append(name).append(" AS BLOB) ELSE ").append(name).append(" END,typeof(");
    cells.append(name).append("),").append(name).append(">0");
  }
  return {"WITH tidemark_rows(" + names + ") AS (" + statement.sql + ") SELECT " + cells +
              " FROM tidemark_rows",
          statement.args};
}

Result<model::RowSet> read_exact(const model::RowSet& rows) {
  const std::size_t columns = rows.columns().size() / kCellsPerColumn;
  if (columns == 0 || rows.columns().size() % kCellsPerColumn != 0) {
    return turso::unexpected_reply("rows in their exact form");
  }
  model::RowSet out;
  std::vector<std::string> names(columns);
  out.set_columns(std::move(names));
  std::vector<ValueView> cells(columns);
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const auto row = rows.row(r);
    for (std::size_t c = 0; c < columns; ++c) {
      const std::size_t at = c * kCellsPerColumn;
      cells[c] = plain(row[at], row[at + 1], row[at + 2]);
    }
    out.add(cells);
  }
  return out;
}

}  // namespace tidemark::source
