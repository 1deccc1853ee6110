#include "sync/plan.h"

#include <algorithm>

#include "cache/staleness.h"

namespace tidemark::sync {
namespace {

std::string yes_no(bool value) { return value ? "true" : "false"; }

void note_difference(std::string& differences, const std::string& field, const std::string& stored,
                     const std::string& asked) {
  if (stored == asked) return;
  if (!differences.empty()) differences += ", ";
  differences += field + " is " + stored + ", asked " + asked;
}

}  // namespace

const char* to_string(Mode mode) {
  switch (mode) {
    case Mode::fill:
      return "fill";
    case Mode::scan:
      return "scan";
    case Mode::delta:
      return "delta";
    case Mode::reconcile:
      return "reconcile";
    case Mode::audit:
      return "audit";
  }
  return "";
}

bool in_scope(const model::Collection& collection, const Scope& scope) {
  switch (collection.kind) {
    case model::Kind::episodes:
      return true;
    case model::Kind::embeddings:
      return scope.sync_embeddings;
    case model::Kind::patterns:
    case model::Kind::heuristics:
      return scope.sync_patterns;
  }
  return false;
}

Result<Scope> resolve_scope(const std::optional<Scope>& stored, const SyncConfig& config,
                            const SyncRequest& request) {
  Scope asked;
  asked.max_episodes_cache = stored ? stored->max_episodes_cache : config.max_episodes_cache;
  asked.sync_patterns = stored ? stored->sync_patterns : config.sync_patterns;
  asked.sync_embeddings = stored ? stored->sync_embeddings : config.sync_embeddings;
  if (request.max_episodes_cache) asked.max_episodes_cache = *request.max_episodes_cache;
  if (request.sync_patterns) asked.sync_patterns = *request.sync_patterns;
  if (request.sync_embeddings) asked.sync_embeddings = *request.sync_embeddings;
  if (!stored || request.set_scope || asked == *stored) return asked;

  std::string differences;
  note_difference(differences, "max_episodes_cache", std::to_string(stored->max_episodes_cache),
                  std::to_string(asked.max_episodes_cache));
  note_difference(differences, "sync_patterns", yes_no(stored->sync_patterns),
                  yes_no(asked.sync_patterns));
  note_difference(differences, "sync_embeddings", yes_no(stored->sync_embeddings),
                  yes_no(asked.sync_embeddings));
  return fail(ErrorCode::invalid, "the cache has another scope: " + differences,
              "add --set-scope to change the cache's scope, or leave the named settings out");
}

Result<void> check_identity(const cache::Identity& stored, const turso::SourceUrl& source) {
  if (stored.source == source.identity) return {};
  return fail(ErrorCode::invalid,
              "the cache belongs to another source: " + stored.source + ", not " + source.display,
              "give another --cache path for this source; a cache is never overwritten");
}

Plan make_plan(const std::optional<model::Catalog>& stored, const model::Catalog& found,
               bool older_format, bool full, const Scope& scope, bool other_database) {
  if (older_format) return {Mode::fill, "the cache had an older format", scope};
  if (!stored) return {Mode::fill, "no cache yet", scope};
  if (full) return {Mode::fill, "asked for a full sync", scope};
  if (other_database) return {Mode::fill, kOtherDatabase, scope};
  if (!model::same_tables(stored->collections, found.collections)) {
    return {Mode::fill, "the tables of the source changed", scope};
  }
  return {Mode::scan, "no change capture at the source", scope};
}

std::uint64_t least_price(const cache::Meta& meta, const Scope& scope) {
  std::uint64_t rows = 0;
  for (const auto& collection : meta.catalog.catalog.collections) {
    const auto sum = meta.sums.find(collection.name);
    if (sum == meta.sums.end() || !in_scope(collection, scope)) continue;
    const bool all = scope.max_episodes_cache >= meta.identity.scope.max_episodes_cache;
    if (collection.kind == model::Kind::episodes) {
      rows += std::min(sum->second.count, scope.max_episodes_cache);
    } else if (collection.kind != model::Kind::embeddings || all) {
      rows += sum->second.count;
    }
  }
  return 2 * rows;
}

std::optional<std::string> why_audit(const cache::AuditRecord& last,
                                     std::chrono::system_clock::time_point now,
                                     const SyncConfig& config) {
  if (config.validate_checksums) return "every row is compared, as configured";
  if (last.ended_at_us == 0) return "the cache was never audited";
  const auto ended = cache::time_from_us(last.ended_at_us);
  if (ended > now + cache::kClockSkewMax) return "the clock was set back since the last audit";
  if (now - ended >= config.audit_interval) return "the last audit is older than audit_interval";
  return std::nullopt;
}

}  // namespace tidemark::sync
