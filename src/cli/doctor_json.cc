#include "cli/doctor_json.h"

#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/status.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json count_or_null(const std::optional<T>& time) {
  return time ? Json(time->count()) : Json();
}

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}

Json error_json(const Error& error) {
  return {{"code", std::string(to_string(error.code))},
          {"message", error.message},
          {"hint", error.hint}};
}

Json error_json(const std::optional<Error>& error) { return error ? error_json(*error) : Json(); }

Json source_json(const std::optional<sync::SourceProbe>& probe) {
  if (!probe) return nullptr;
  Json json = {{"name", probe->name}, {"error", error_json(probe->error)}};
  json["first_answer_us"] = count_or_null(probe->first_answer);
  json["round_trip_us"] = count_or_null(probe->round_trip);
  json["clock_ahead_ms"] = count_or_null(probe->clock_ahead);
  json["page"] = probe->page ? Json{{"rows", probe->page->rows},
                                    {"bytes", probe->page->bytes},
                                    {"took_us", probe->page->took.count()}}
                             : Json();
  json["capture"] = probe->capture ? Json::parse(capture_json(*probe->capture)) : Json();
  json["rows"] = Json::object();
  for (const auto& [table, count] : probe->rows) json["rows"][table] = count;
  json["not_learned"] = Json::array();
  for (const Error& error : probe->not_learned) json["not_learned"].push_back(error_json(error));
  return json;
}

Json lock_json(const std::optional<doctor::LockHolder>& lock) {
  if (!lock) return nullptr;
  return {{"holder", lock->name},
          {"program", lock->process ? Json(lock->process->name) : Json()},
          {"held_ms", count_or_null(lock->held)}};
}

// What it says of itself is the cache's "daemon".
Json daemon_json(const std::optional<doctor::DaemonFound>& daemon) {
  if (!daemon) return nullptr;
  Json json = {{"holder", daemon->name}, {"answers", daemon->status.has_value()}};
  json["resident_bytes"] = daemon->memory ? Json(daemon->memory->resident_bytes) : Json();
  json["peak_bytes"] = daemon->memory ? Json(daemon->memory->peak_bytes) : Json();
  return json;
}

Json openers_json(const std::vector<doctor::Process>& openers) {
  Json json = Json::array();
  for (const auto& process : openers) {
    json.push_back({{"pid", process.pid}, {"program", process.name}});
  }
  return json;
}

Json memory_json(const std::optional<doctor::Memory>& memory) {
  if (!memory) return nullptr;
  return {{"total_bytes", memory->total_bytes},
          {"available_bytes", memory->available_bytes},
          {"limit_bytes", or_null(memory->limit_bytes)}};
}

Json mode_json(const std::optional<doctor::Rights>& rights) {
  return rights ? Json(rights->mode) : Json();
}

Json measurements_json(const doctor::Measurements& m) {
  const StatusSeen seen{m.cache, m.daemon ? m.daemon->status : std::nullopt};
  Json json = {{"source", source_json(m.source)}};
  json["cache"] = Json::parse(status_json(seen));
  json["cache"]["error"] = error_json(m.cache.problem);
  json["lock"] = lock_json(m.lock);
  json["daemon"] = daemon_json(m.daemon);
  json["opened_by"] = openers_json(m.openers);
  json["cannot_write"] = error_json(m.cannot_write);
  json["memory"] = memory_json(m.memory);
  json["disk"] =
      m.disk ? Json{{"free_bytes", m.disk->free_bytes}, {"total_bytes", m.disk->total_bytes}}
             : Json();
  json["modes"] = {{"cache", mode_json(m.cache_rights)},
                   {"folder", mode_json(m.folder_rights)},
                   {"token_file", mode_json(m.token_rights)}};
  json["settings"] = {{"batch_size", m.subject.config.batch_size},
                      {"max_concurrent_fetches", m.subject.config.max_concurrent_fetches},
                      {"page_cache_bytes", m.subject.page_cache_bytes},
                      {"interval_ms", m.subject.interval.count()},
                      {"heartbeat_ms", m.subject.config.heartbeat.count()},
                      {"max_staleness_ms", m.subject.max_staleness.count()}};
  return json;
}

}  // namespace

std::string doctor_json(const doctor::Measurements& measured,
                        const std::vector<doctor::Finding>& findings) {
  Json json = {{"measurements", measurements_json(measured)}, {"findings", Json::array()}};
  for (const doctor::Finding& finding : findings) {
    json["findings"].push_back({{"heading", std::string(to_string(finding.heading))},
                                {"severity", std::string(to_string(finding.severity))},
                                {"text", finding.text},
                                {"help", finding.help}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace tidemark::cli
