#include "daemon/json_forms.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace tidemark::daemon {
namespace {

using Json = nlohmann::ordered_json;
using std::chrono::system_clock;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// null: it is no object.
Json parsed_object(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_object() ? json : Json();
}

Json unix_ms(const std::optional<system_clock::time_point>& time) {
  using std::chrono::milliseconds;
  if (!time) return nullptr;
  return std::chrono::duration_cast<milliseconds>(time->time_since_epoch()).count();
}

Json to_json(const std::optional<ReadCounts>& reads) {
  if (!reads) return nullptr;
  return {{"hits", reads->hits}, {"absent", reads->absent}, {"unknown", reads->unknown}};
}

Json to_json(const std::optional<MissedByCapture>& missed) {
  if (!missed) return nullptr;
  Json tables = Json::object();
  for (const auto& [table, count] : missed->tables) tables[table] = count;
  return {{"found_at_ms", unix_ms(missed->found_at)}, {"tables", std::move(tables)}};
}

// Nor with the text that a vector may come from, which discovery knows by this name.
Json without_vectors(const Row& row) {
  Json json = parsed_object(row.to_json(VectorJson::nothing));
  json.erase("embedding_data");
  return json;
}

Json to_json(const Neighbour& neighbour) {
  Json parent;
  if (!neighbour.parent_key.empty()) {
    const std::string& collection = neighbour.parent_collection;
    parent = {{"collection", collection.empty() ? Json() : Json(collection)},
              {"key", neighbour.parent_key}};
  }
  return {{"score", neighbour.score},
          {"collection", std::string(neighbour.row.collection())},
          {"key", std::string(neighbour.row.key())},
          {"parent", std::move(parent)},
          {"row", without_vectors(neighbour.row)}};
}

Json to_json(const Coverage& c) {
  return {{"searched", c.searched},
          {"no_vector", c.no_vector},
          {"other_parent", c.other_parent},
          {"other_model", c.other_model},
          {"other_dimension", c.other_dimension},
          {"not_finite", c.not_finite},
          {"zero", c.zero},
          {"filtered", c.filtered},
          {"window_complete", c.window_complete},
          {"in_scope", c.in_scope},
          {"complete", c.complete}};
}

std::string repair_json(const RepairReport& report) {
  Json json = {{"problems", report.problems}, {"rows_dropped", report.rows_dropped}};
  json["kept_as"] = report.kept_as.empty() ? Json() : Json(report.kept_as);
  json["sync"] = parsed_object(report.sync.to_json());
  return dump(json);
}

std::string audit_json(const AuditReport& audit) {
  Json json = {
      {"against_source", true}, {"differs", audit.differs()}, {"requests", audit.requests}};
  json["rows_read"] = audit.rows_read ? Json(*audit.rows_read) : Json();
  json["collections"] = Json::object();
  for (const auto& [name, found] : audit.collections) {
    json["collections"][name] = {{"equal", found.equal},
                                 {"missing", found.missing},
                                 {"different", found.different},
                                 {"surplus", found.surplus},
                                 {"keys", found.keys}};
  }
  return dump(json);
}

}  // namespace

std::string json_string(std::string_view text) { return dump(Json(std::string(text))); }

std::string time_json(const std::optional<system_clock::time_point>& time) {
  return dump(unix_ms(time));
}

std::string error_json(const Error& error) {
  return dump({{"code", std::string(to_string(error.code))},
               {"message", error.message},
               {"hint", error.hint}});
}

std::string freshness_json(const Freshness& f) {
  Json json = {{"state", std::string(to_string(f.state))}};
  json["checked_at_ms"] = unix_ms(f.checked_at);
  json["age_ms"] = f.age ? Json(f.age->count()) : Json(nullptr);
  json["source_unavailable_since_ms"] = unix_ms(f.source_unavailable_since);
  json["source_unavailable_reason"] = f.source_unavailable_reason;
  json["source_refused_since_ms"] = unix_ms(f.source_refused_since);
  json["source_refused_reason"] = f.source_refused_reason;
  json["doubt"] = f.doubt;
  json["catching_up"] = f.catching_up;
  json["incomplete"] = f.incomplete;
  json["consistent"] = f.consistent;
  return dump(json);
}

std::string missed_json(const std::optional<MissedByCapture>& missed) {
  return dump(to_json(missed));
}

std::string cache_json(const CacheStatus& s) {
  Json json = {
      {"path", s.path},     {"exists", s.exists},         {"readable", s.readable},
      {"source", s.source}, {"generation", s.generation}, {"format_version", s.format_version}};
  json["scope"] = {{"max_episodes_cache", s.scope.max_episodes_cache},
                   {"sync_patterns", s.scope.sync_patterns},
                   {"sync_embeddings", s.scope.sync_embeddings}};
  json["window_complete"] = s.window_complete;
  json["collections"] = Json::object();
  for (const auto& [name, count] : s.counts) json["collections"][name] = {{"count", count}};
  json["file_bytes"] = s.file_bytes;
  json["live_bytes"] = s.live_bytes ? Json(*s.live_bytes) : Json();
  json["reads"] = to_json(s.reads);
  json["holder"] = s.holder ? Json(*s.holder) : Json();
  json["audited_at_ms"] = unix_ms(s.audited_at);
  json["missed_by_capture"] = to_json(s.missed_by_capture);
  json["notes"] = s.notes;
  json["last_report"] = parsed_object(s.last_report_json.value_or(""));
  return dump(json);
}

std::string done_json(const Done& done) {
  if (const auto* const sync = std::get_if<SyncReport>(&done)) return sync->to_json();
  if (const auto* const repair = std::get_if<RepairReport>(&done)) return repair_json(*repair);
  return audit_json(std::get<AuditReport>(done));
}

std::string progress_json(const Progress& progress) {
  return dump(parsed_object(encode(Reply(progress)))["progress"]);
}

std::string item_json(std::string_view collection, std::string_view key, Presence presence,
                      const std::string& row, const std::string& more) {
  return "{\"collection\":" + json_string(collection) + ",\"key\":" + json_string(key) +
         ",\"presence\":" + json_string(to_string(presence)) + ",\"row\":" + row + more + "}";
}

std::string nearest_json(const Nearest& nearest, const std::string& more) {
  Json neighbours = Json::array();
  for (const Neighbour& neighbour : nearest.neighbours) neighbours.push_back(to_json(neighbour));
  return "{\"neighbours\":" + dump(neighbours) +
         ",\"coverage\":" + dump(to_json(nearest.coverage)) + more + "}";
}

std::string status_json(const Status& status, const CacheStatus& cache, const Freshness& now,
                        const Watched& watched) {
  Json json = parsed_object(encode(Reply(status)));
  json["error"] = cache.problem ? parsed_object(error_json(*cache.problem)) : Json();
  json["freshness"] = parsed_object(freshness_json(now));
  json["max_staleness_ms"] = watched.max_staleness.count();
  json["cache"] = parsed_object(cache_json(cache));
  json["build"] = {{"version", watched.build.version},
                   {"commit", watched.build.commit},
                   {"redb", watched.build.redb}};
  return dump(json) + "\n";
}

}  // namespace tidemark::daemon
