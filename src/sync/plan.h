// What a pass will do, decided from what the cache says of itself and what was asked. Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cache/meta.h"
#include "model/collection.h"
#include "tidemark/error.h"
#include "tidemark/syncer.h"
#include "turso/connection.h"

namespace tidemark::sync {

// reconcile: a scan beside a change log that is followed from then on; audit: one beside a log that
// is followed already.
enum class Mode { fill, scan, delta, reconcile, audit };

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

inline constexpr const char* kOtherDatabase = "the source is another database than before";

// Fill or scan. `stored`: the cache's catalog when there is a usable cache; `older_format`: the
// cache is one of an older format; `other_database`: its rows came from another database.
[[nodiscard]] Plan make_plan(const std::optional<model::Catalog>& stored,
                             const model::Catalog& found, bool older_format, bool full,
                             const Scope& scope, bool other_database = false);

// How many rows the source reads at the least when everything is read, by what the cache holds:
// each is listed, and read.
[[nodiscard]] std::uint64_t least_price(const cache::Meta& meta, const Scope& scope);

// Why a pass that followed the log compares everything, too; nothing: it need not. A clock that was
// set back makes an audit due, so that it cannot put them off for good.
[[nodiscard]] std::optional<std::string> why_audit(const cache::AuditRecord& last,
                                                   std::chrono::system_clock::time_point now,
                                                   const SyncConfig& config);

}  // namespace tidemark::sync
