// What the known cache holds, and how it is listed.
#pragma once

#include <string>
#include <vector>

#include "tests/support/sqlite_source.h"
#include "tidemark/reader.h"

namespace tidemark::fault {

inline void fill_source(support::SqliteSource& source) {
  source.run(
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 120) "
      "INSERT INTO episodes SELECT 'ep-' || i, printf('%.*c', 2400 + i, 'd') || i, "
      "i, 0.5, zeroblob(400) FROM n");
  source.run(
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 60) "
      "INSERT INTO patterns SELECT 'pat-' || i, 'type' || (i % 4), "
      "printf('%.*c', 1400, 'p') || i FROM n");
  source.run(
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 40) "
      "INSERT INTO heuristics SELECT 100 + i, printf('%.*c', 1900, 'h') || i FROM n");
  source.run(
      "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n LIMIT 60) "
      "INSERT INTO embeddings SELECT 'emb-' || i, 'ep-' || (i % 20), 'episode', "
      "'[1.0,' || i || ']', NULL, 2 FROM n");
  // Cannot be cached: on the skip list, and so never absent.
  source.run("INSERT INTO patterns VALUES(x'6F6464', 'type1', 'odd')");
}

// All that a row says, in one text.
inline std::string flat(const Row& row) {
  std::string out;
  for (std::size_t i = 0; i < row.column_count(); ++i) {
    const ValueView value = row.at(i);
    out += static_cast<char>('0' + static_cast<int>(value.type()));
    out += value.bytes();
    if (value.type() == ValueType::int64) out += std::to_string(value.as_int64());
    if (value.type() == ValueType::real) out += std::to_string(value.as_real());
  }
  return out;
}

// Every way to list.
inline std::vector<Query> queries() {
  std::vector<Query> out = {{.collection = "episodes"},
                            {.collection = "patterns"},
                            {.collection = "heuristics"},
                            {.collection = "embeddings"}};
  for (const char* type : {"type0", "type1", "type2", "type3"}) {
    out.push_back({.collection = "patterns",
                   .where_index = "pattern_type",
                   .where_value = std::string(type)});
  }
  for (int i = 0; i < 6; ++i) {
    out.push_back({.collection = "embeddings", .of_key = "ep-" + std::to_string(i)});
  }
  return out;
}

}  // namespace tidemark::fault
