// Bugs on purpose: what the engine sees is bent so that it behaves as if it lacked a rule. They
// prove that the simulation notices.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "turso/connection.h"

namespace tidemark::simulation {

enum class Plant {
  none,
  hides_newest,
  hides_last_of_list,
  hides_null_order,
  swaps_ties,
  hides_what_is_older,
  hides_embedding,
  drops_item_type,
  hides_row_of_page,
  hides_odd_keys,
  hides_dimension,
  bends_bad_text,
  stale_page,
  claims_a_snapshot,
  hides_schema_change,
  empty_for_lost,
  reply_to_another,
  keeps_old_file,
  fast_clock,
  loses_log_entries,
  hides_touched_row,
  hides_touched_children,
  hides_part_of_range,
  hides_other_branch,
  hides_backfill,
  never_audits,
  hides_log_from_audit,
  // Noticed by a history of their own: chance meets another rule that covers them.
  hides_floor,
  hides_new_epochs,
  hides_other_ahead
};

struct PlantInfo {
  Plant plant;
  const char* name;
  const char* rule;  // of the design, by its section
};
// Those that a random history meets soon.
[[nodiscard]] const std::vector<PlantInfo>& all_plants();

// What a plant remembers of earlier requests and passes.
struct PlantMemory {
  std::map<std::string, std::vector<std::vector<Value>>> schema;  // the first schema seen, by SQL
  std::map<std::int64_t, std::int64_t> nonces;  // of the change log, as first seen
  std::map<std::string, std::string> epochs;    // likewise, by their keys
  Result<turso::BatchReply> last = fail(ErrorCode::internal, "none yet");
  std::string last_sql;
  std::shared_ptr<turso::Connection> kept;  // of the first pass
};

[[nodiscard]] bool reads_rows(const turso::Batch& batch);

void corrupt(Plant plant, PlantMemory& memory, const turso::Batch& batch,
             Result<turso::BatchReply>& reply);

}  // namespace tidemark::simulation
