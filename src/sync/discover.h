// The first requests of a pass: what the source has.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/collection.h"
#include "sync/fetcher.h"
#include "tidemark/config.h"

namespace tidemark::sync {

struct Discovered {
  model::Catalog catalog;
  bool has_log = false;  // the source has a change log, healthy or not
};

// The schema, and the tables in detail when it is not the one that the cache knows.
[[nodiscard]] Result<Discovered> discover(Fetcher& fetcher,
                                          const std::optional<model::Catalog>& known);

// What discovery found, a sentence for each collection: its key, order, parent and indexes.
[[nodiscard]] std::vector<std::string> describe_roles(const model::Catalog& catalog);

// When a pass that starts now must have ended.
[[nodiscard]] std::chrono::steady_clock::time_point pass_deadline(const SyncConfig& config,
                                                                  const base::Clock& clock);

}  // namespace tidemark::sync
