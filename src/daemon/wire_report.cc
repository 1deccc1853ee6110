// The reports of passes, from JSON.
#include <nlohmann/json.hpp>

#include "daemon/json_fields.h"
#include "daemon/wire.h"

namespace tidemark::daemon {
namespace {

using Json = nlohmann::ordered_json;

CollectionReport collection_of(const Json& json) {
  CollectionReport c;
  read_member(json, "upserted", c.upserted);
  read_member(json, "deleted", c.deleted);
  read_member(json, "evicted", c.evicted);
  read_member(json, "unchanged", c.unchanged);
  read_member(json, "skipped", c.skipped);
  return c;
}

SkippedItem skipped_of(const Json& json) {
  SkippedItem item;
  read_member(json, "collection", item.collection);
  read_member(json, "key", item.key);
  read_member(json, "reason", item.reason);
  return item;
}

ValidationReport validation_of(const Json& json) {
  ValidationReport v;
  read_member(json, "episode_count", v.episode_count);
  read_member(json, "newest_present", v.newest_present);
  read_member(json, "pattern_count", v.pattern_count);
  read_member(json, "embeddings", v.embeddings);
  read_member(json, "indexes", v.indexes);
  read_member(json, "checksums", v.checksums);
  read_member(json, "problems", v.problems);
  return v;
}

void read_freshness(const Json& json, Freshness& f) {
  std::string state;
  read_member(json, "state", state);
  for (const FreshnessState known : {FreshnessState::fresh, FreshnessState::stale,
                                     FreshnessState::never_synced, FreshnessState::needs_repair}) {
    if (state == to_string(known)) f.state = known;
  }
  read_member(json, "checked_at_ms", f.checked_at);
  read_member(json, "age_ms", f.age);
  read_member(json, "incomplete", f.incomplete);
  read_member(json, "consistent", f.consistent);
}

}  // namespace

SyncReport report_from_json(std::string_view json_text) {
  SyncReport r;
  const Json json = Json::parse(json_text, nullptr, false);
  if (!json.is_object()) return r;
  read_member(json, "mode", r.mode);
  read_member(json, "reason", r.reason);
  read_member(json, "resumed", r.resumed);
  read_member(json, "duration_ms", r.duration);
  read_member(json, "episodes_synced", r.episodes_synced);
  read_member(json, "patterns_synced", r.patterns_synced);
  read_member(json, "heuristics_synced", r.heuristics_synced);
  read_member(json, "embeddings_synced", r.embeddings_synced);
  for (const auto& [name, counts] : member(json, "collections").items()) {
    r.collections[name] = collection_of(counts);
  }
  read_member(json, "pages", r.pages);
  read_member(json, "requests", r.requests);
  read_member(json, "retries", r.retries);
  read_member(json, "bytes_received", r.bytes_received);
  read_member(json, "rows_read", r.rows_read);
  read_member(json, "commits", r.commits);
  read_member(json, "vectors_kept_raw", r.vectors_kept_raw);
  for (const auto& item : member(json, "skipped")) r.skipped.push_back(skipped_of(item));
  read_member(json, "missed_by_capture", r.missed_by_capture);
  for (const auto& item : member(json, "missed")) {
    MissedItem& missed = r.missed.emplace_back();
    read_member(item, "collection", missed.collection);
    read_member(item, "key", missed.key);
  }
  read_member(json, "notes", r.notes);
  read_member(json, "roles", r.roles);
  r.validation = validation_of(member(json, "validation"));
  read_member(json, "position", r.position);
  read_member(json, "position_lag", r.position_lag);
  read_freshness(member(json, "freshness"), r.freshness);
  return r;
}

}  // namespace tidemark::daemon
