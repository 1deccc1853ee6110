#include "tests/fault/simulation/tables.h"

#include <string>

namespace tidemark::simulation {

const std::vector<Made>& tables() {
  static const std::vector<Made> all = {
      {"episodes",
       "(episode_id TEXT PRIMARY KEY, task_description TEXT, start_time, reward REAL, raw BLOB)"},
      {"patterns",
       "(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, domain TEXT, pattern_data TEXT)"},
      {"heuristics", "(heuristic_id INTEGER PRIMARY KEY, condition_text TEXT)"},
      {"embeddings",
       "(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT, embedding_data TEXT, "
       "embedding_vector F32_BLOB(2), dimension INTEGER)"},
      {"embeddings_384",
       "(embedding_id TEXT PRIMARY KEY, item_id TEXT, embedding_data TEXT, "
       "embedding_vector F32_BLOB(2))"},
      {"embeddings_other",
       "(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT, embedding_data TEXT)"}};
  return all;
}

void make_tables(Database& source) {
  for (const Made& table : tables()) {
    source.run("CREATE TABLE " + std::string(table.name) + table.sql);
  }
}

}  // namespace tidemark::simulation
