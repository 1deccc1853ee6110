#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/units.h"
#include "daemon/client.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

Json parsed_report(const CacheStatus& s) {
  Json report = s.last_report_json ? Json::parse(*s.last_report_json, nullptr, false) : Json();
  return report.is_object() ? report : Json();
}

Json reads_json(const std::optional<ReadCounts>& reads) {
  if (!reads) return nullptr;
  return {{"hits", reads->hits}, {"absent", reads->absent}, {"unknown", reads->unknown}};
}

std::string reads_text(const ReadCounts& reads) {
  const std::uint64_t all = reads.hits + reads.absent + reads.unknown;
  std::string text = grouped(all) + ": " + grouped(reads.hits) + " hit, " + grouped(reads.absent) +
                     " absent, " + grouped(reads.unknown) + " unknown";
  if (all > 0) text += "; hit rate " + std::to_string(reads.hits * 100 / all) + " %";
  return text;
}

// A daemon answers at once, whatever it does; one that hangs is not waited for.
constexpr std::chrono::milliseconds kDaemonPatience{500};

Json daemon_json(const std::string& cache) {
  const auto status = daemon::daemon_status(cache, kDaemonPatience);
  if (!status) return nullptr;
  return Json::parse(daemon::encode(*status), nullptr, false)["status"];
}

std::string daemon_text(const std::string& cache) {
  const auto status = daemon::daemon_status(cache, kDaemonPatience);
  if (!status) return "none, or it does not answer";
  std::string text = "pid " + std::to_string(status->pid);
  if (!status->running.empty()) text += ", runs " + status->running;
  if (status->next_pass) text += ", next pass in " + format_duration(*status->next_pass);
  return text + " (" + status->trigger + ")";
}

void line(const char* name, const std::string& text) {
  std::string label = name;
  label.resize(13, ' ');
  write_out(label + text + "\n");
}

std::string bytes_text(std::uint64_t bytes) {
  return bytes < (1U << 20U) ? grouped(bytes) + " bytes" : grouped(bytes >> 20U) + " MiB";
}

std::string scope_text(const CacheStatus& s) {
  return "the newest " + grouped(s.scope.max_episodes_cache) + " episodes" +
         (s.window_complete ? " (all of the source)" : "") +
         (s.scope.sync_patterns ? ", patterns and heuristics" : ", no patterns") +
         (s.scope.sync_embeddings ? ", embeddings" : ", no embeddings");
}

std::uint64_t number_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

// The report lies in its own commit: what came after that is not in its duration.
std::string last_pass_text(const Json& report) {
  std::uint64_t written = 0;
  std::uint64_t removed = 0;
  if (const auto all = report.find("collections"); all != report.end() && all->is_object()) {
    for (const auto& counts : *all) {
      if (!counts.is_object()) continue;
      written += number_in(counts, "upserted");
      removed += number_in(counts, "deleted") + number_in(counts, "evicted");
    }
  }
  const auto mode = report.find("mode");
  return (mode != report.end() && mode->is_string() ? mode->get<std::string>() : "a pass") +
         ", committed after " +
         format_duration(std::chrono::milliseconds(number_in(report, "duration_ms"))) + ": " +
         grouped(written) + " rows written, " + grouped(removed) + " removed";
}

// The skipped rows, so that "incomplete" is not a riddle.
void print_skipped(const Json& report) {
  const auto skipped = report.find("skipped");
  if (skipped == report.end() || !skipped->is_array()) return;
  for (const auto& item : *skipped) {
    line("skipped", item.value("collection", "") + " " + item.value("key", "") + ": " +
                        item.value("reason", ""));
  }
}

void print_status(const Context& context, const CacheStatus& s) {
  line("cache", s.path);
  line("source", s.source);
  line("freshness", freshness_text(s.freshness));
  if (!s.freshness.consistent) line("", "not one snapshot of the source");
  if (s.missed_by_capture) line("capture", missed_text(*s.missed_by_capture));
  line("scope", scope_text(s));
  std::size_t width = 0;
  for (const auto& [name, count] : s.counts) width = std::max(width, name.size());
  const char* label = "rows";
  for (const auto& [name, count] : s.counts) {
    line(label, name + std::string(width - name.size() + 2, ' ') + grouped(count));
    label = "";
  }
  line("file", bytes_text(s.file_bytes) +
                   (s.live_bytes ? ", of which live " + bytes_text(*s.live_bytes) : ""));
  if (context.verbose > 0) line("generation", s.generation);
  const Json report = parsed_report(s);
  if (!report.is_null()) line("last pass", last_pass_text(report));
  line("reads", s.reads ? reads_text(*s.reads) : "not known");
  line("daemon", daemon_text(s.path));
  line("writer", s.holder ? *s.holder + " holds the lock" : "none now");
  if (!report.is_null()) print_skipped(report);
  for (const auto& note : s.notes) line("note", note);
  if (context.verbose > 0 && report.contains("roles")) {
    for (const auto& role : report["roles"]) line("found", role.get<std::string>());
  }
}

}  // namespace

std::string status_json(const CacheStatus& s) {
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
  json["reads"] = reads_json(s.reads);
  json["holder"] = s.holder ? Json(*s.holder) : Json();
  json["audited_at_ms"] = Json::parse(time_json(s.audited_at));
  json["missed_by_capture"] = Json::parse(missed_json(s.missed_by_capture));
  json["daemon"] = daemon_json(s.path);
  json["notes"] = s.notes;
  json["last_report"] = parsed_report(s);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int run_status(const Context& context, std::optional<std::chrono::milliseconds> max_age) {
  const CacheStatus status = inspect(cache_path(context.settings), reader_options(context));
  if (!status.readable) {
    const int exit = exit_code_of(status.problem->code);
    Error problem = *status.problem;
    if (!status.exists && status.holder) {
      problem.hint = *status.holder + " is filling it now: wait for it to end";
    }
    if (!context.json) return report_error(context, "status", problem);
    print_envelope("status", exit, &problem, &status.freshness, status_json(status));
    return exit;
  }
  const bool old = too_old(status.freshness, max_age);
  const bool damaged = status.freshness.state == FreshnessState::needs_repair;
  const int exit = damaged ? kCorrupt : old ? kTooOld : kDone;
  const Error error = too_old_error(status.freshness);
  if (context.json) {
    print_envelope("status", exit, old ? &error : nullptr, &status.freshness, status_json(status));
    return exit;
  }
  if (!context.quiet) print_status(context, status);
  if (old) {
    std::fprintf(stderr, "tidemark: %s\nhint: %s\n", error.message.c_str(), error.hint.c_str());
  }
  return exit;
}

}  // namespace tidemark::cli
