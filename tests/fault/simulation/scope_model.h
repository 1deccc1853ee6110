// What a cache of a scope must hold when the source is in a given state.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tests/fault/simulation/model.h"
#include "tidemark/reader.h"

namespace tidemark::simulation {

using Listing = std::vector<std::pair<std::string, RowHash>>;  // key and row, in the cache's order

struct ScopeView {
  std::map<std::string, Listing> rows;                    // by collection
  std::map<std::string, std::set<std::string>> children;  // of each parent's id, by type
  std::set<std::pair<std::string, std::string>> skipped;  // collection, key
  std::set<std::pair<std::string, std::string>> odd;      // NULL and blob keys, likewise
  std::size_t not_utf8 = 0;                               // keys that may be on the skip list, too
  bool window_complete = true;
  bool operator==(const ScopeView&) const = default;
};

// "episodes", "patterns", "heuristics", "embeddings" and every "embeddings_...": what a table's
// name makes it; empty: nothing of ours.
[[nodiscard]] std::string kind_of(const std::string& table);

[[nodiscard]] ScopeView scope_of(const State& state, const Scope& scope);

}  // namespace tidemark::simulation
