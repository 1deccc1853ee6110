#include "tidemark/report.h"

#include <nlohmann/json.hpp>

namespace tidemark {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json optional_json(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json to_json(const CollectionReport& c) {
  return {{"upserted", c.upserted},
          {"deleted", c.deleted},
          {"evicted", c.evicted},
          {"unchanged", c.unchanged},
          {"skipped", c.skipped}};
}

Json to_json(const ValidationReport& v) {
  return {{"episode_count", optional_json(v.episode_count)},
          {"newest_present", optional_json(v.newest_present)},
          {"pattern_count", optional_json(v.pattern_count)},
          {"embeddings", optional_json(v.embeddings)},
          {"indexes", optional_json(v.indexes)},
          {"checksums", optional_json(v.checksums)},
          {"problems", v.problems}};
}

Json to_json(const Freshness& f) {
  Json json = {{"state", std::string(to_string(f.state))}};
  const auto ms = [](auto time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  };
  json["checked_at_ms"] = f.checked_at ? Json(ms(*f.checked_at)) : Json(nullptr);
  json["age_ms"] = f.age ? Json(f.age->count()) : Json(nullptr);
  json["incomplete"] = f.incomplete;
  json["consistent"] = f.consistent;
  return json;
}

}  // namespace

bool ValidationReport::failed() const {
  for (const auto& check :
       {episode_count, newest_present, pattern_count, embeddings, indexes, checksums}) {
    if (check == false) return true;
  }
  return false;
}

std::string SyncReport::to_json() const {
  Json by_collection = Json::object();
  for (const auto& [name, counts] : collections) by_collection[name] = tidemark::to_json(counts);
  Json skips = Json::array();
  for (const auto& item : skipped) {
    skips.push_back({{"collection", item.collection}, {"key", item.key}, {"reason", item.reason}});
  }
  Json unlogged = Json::array();
  for (const auto& item : missed) {
    unlogged.push_back({{"collection", item.collection}, {"key", item.key}});
  }
  const Json json = {{"mode", mode},
                     {"reason", reason},
                     {"resumed", resumed},
                     {"duration_ms", duration.count()},
                     {"episodes_synced", episodes_synced},
                     {"patterns_synced", patterns_synced},
                     {"heuristics_synced", heuristics_synced},
                     {"embeddings_synced", embeddings_synced},
                     {"collections", by_collection},
                     {"pages", pages},
                     {"requests", requests},
                     {"retries", retries},
                     {"bytes_received", bytes_received},
                     {"rows_read", optional_json(rows_read)},
                     {"commits", commits},
                     {"vectors_kept_raw", vectors_kept_raw},
                     {"skipped", skips},
                     {"missed_by_capture", missed_by_capture},
                     {"missed", unlogged},
                     {"notes", notes},
                     {"roles", roles},
                     {"validation", tidemark::to_json(validation)},
                     {"position", position},
                     {"position_lag", position_lag},
                     {"freshness", tidemark::to_json(freshness)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tidemark
