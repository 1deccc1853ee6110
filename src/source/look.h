// Questions about a source that no pass asks: its clock, and how many rows a table has. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "model/collection.h"
#include "model/row_set.h"
#include "turso/connection.h"

namespace tidemark::source {

// The smallest question there is. Not `unixepoch('subsec')`, which SQLite before 3.42 lacks.
[[nodiscard]] turso::Statement clock_statement();
// To the millisecond; nullopt: the rows are no answer to it.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> read_clock(
    const model::RowSet& rows);

// Reads each key of the table.
[[nodiscard]] turso::Statement count_statement(const model::Collection& collection);
[[nodiscard]] std::optional<std::uint64_t> read_count(const model::RowSet& rows);

}  // namespace tidemark::source
