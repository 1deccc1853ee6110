// What a pass will do, decided from what the cache says of itself and what was asked. Pure.
#pragma once

#include <optional>
#include <string>

#include "cache/meta.h"
#include "model/collection.h"
#include "tidemark/error.h"
#include "tidemark/syncer.h"
#include "turso/connection.h"

namespace tidemark::sync {

// reconcile: a scan beside a change log that is followed from then on.
enum class Mode { fill, scan, delta, reconcile };

[[nodiscard]] const char* to_string(Mode mode);

// Does the scope hold rows of this collection?
[[nodiscard]] bool in_scope(const model::Collection& collection, const Scope& scope);

struct Plan {
  Mode mode = Mode::fill;
  std::string reason;  // why this mode
  Scope scope;
};

// The scope of this pass. A named field that differs from the stored scope needs set_scope; without
// a cache, unnamed fields come from `config`. Errors: invalid, naming each field that differs.
[[nodiscard]] Result<Scope> resolve_scope(const std::optional<Scope>& stored,
                                          const SyncConfig& config, const SyncRequest& request);

// Refuses the cache of another source.
[[nodiscard]] Result<void> check_identity(const cache::Identity& stored,
                                          const turso::SourceUrl& source);

// Fill or scan. `stored`: the cache's catalog when there is a usable cache; `older_format`: the
// cache is one of an older format; `other_database`: its rows came from another database.
[[nodiscard]] Plan make_plan(const std::optional<model::Catalog>& stored,
                             const model::Catalog& found, bool older_format, bool full,
                             const Scope& scope, bool other_database = false);

}  // namespace tidemark::sync
