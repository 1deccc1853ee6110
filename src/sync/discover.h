// The first requests of a pass: what the source has.
#pragma once

#include <chrono>
#include <optional>

#include "model/collection.h"
#include "sync/fetcher.h"
#include "tidemark/config.h"

namespace tidemark::sync {

// The schema, and the tables in detail when it is not the one that the cache knows.
[[nodiscard]] Result<model::Catalog> discover(Fetcher& fetcher,
                                              const std::optional<model::Catalog>& known);

// When a pass that starts now must have ended.
[[nodiscard]] std::chrono::steady_clock::time_point pass_deadline(const SyncConfig& config);

}  // namespace tidemark::sync
