// Memory databases for the benchmarks of whole passes: episodes with random keys in time order.
#pragma once

#include <string>

#include "model/collection.h"
#include "tests/support/sqlite_source.h"

namespace tidemark::bench {

inline constexpr std::size_t kFirstStartTime = 1'760'000'000;  // less one

inline void make_memories(const std::string& path, std::size_t rows, std::size_t row_bytes) {
  support::SqliteSource source(path);
  source.run(
      "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
      "CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_type TEXT, context TEXT,"
      " start_time INTEGER);"
      "CREATE INDEX episodes_by_start ON episodes(start_time)");
  source.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < " +
             std::to_string(rows) +
             ") INSERT INTO episodes SELECT lower(hex(randomblob(16))), 'task', hex(zeroblob(" +
             std::to_string(row_bytes / 2) + ")), " + std::to_string(kFirstStartTime) +
             " + i FROM n");
}

// Their table, as discovery finds it.
inline model::Collection memories() {
  model::Collection collection;
  collection.name = "episodes";
  collection.columns = {{"episode_id", "TEXT"},
                        {"task_type", "TEXT"},
                        {"context", "TEXT"},
                        {"start_time", "INTEGER"}};
  collection.order_column = 3;
  collection.access.key_index = true;
  collection.access.order_index = true;
  return collection;
}

}  // namespace tidemark::bench
