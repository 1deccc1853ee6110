#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "cli/progress_line.h"
#include "cli/status.h"
#include "cli/units.h"
#include "daemon/client.h"
#include "daemon/json_forms.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

Json parsed_report(const CacheStatus& s) {
  Json report = s.last_report_json ? Json::parse(*s.last_report_json, nullptr, false) : Json();
  return report.is_object() ? report : Json();
}

std::string reads_text(const ReadCounts& reads) {
  std::string text = grouped(reads.all()) + ": " + grouped(reads.hits) + " hit, " +
                     grouped(reads.absent) + " absent, " + grouped(reads.unknown) + " unknown";
  if (const auto rate = hit_percent(reads)) text += "; hit rate " + std::to_string(*rate) + " %";
  return text;
}

Json daemon_json(const std::optional<daemon::Status>& status) {
  if (!status) return nullptr;
  return Json::parse(daemon::encode(*status), nullptr, false)["status"];
}

void line(const char* name, const std::string& text) {
  std::string label = name;
  label.resize(13, ' ');
  write_out(label + text + "\n");
}

std::string bytes_text(std::uint64_t bytes) {
  return bytes < (1U << 20U) ? grouped(bytes) + " bytes" : grouped(bytes >> 20U) + " MiB";
}

std::uint64_t number_in(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
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

void print_status(const Context& context, const StatusSeen& seen) {
  const CacheStatus& s = seen.cache;
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
  if (!report.is_null()) line("last pass", last_pass_text(s));
  line("reads", s.reads ? reads_text(*s.reads) : "not known");
  line("daemon", daemon_text(seen.daemon));
  if (seen.daemon && seen.daemon->scrub) line("scrub", scrub_text(*seen.daemon->scrub));
  line("writer", s.holder ? *s.holder + " holds the lock" : "none now");
  if (!report.is_null()) print_skipped(report);
  for (const auto& note : s.notes) line("note", note);
  if (context.verbose > 0 && report.contains("roles")) {
    for (const auto& role : report["roles"]) line("found", role.get<std::string>());
  }
}

// Why it cannot be read, and what to do meanwhile.
Error problem_of(const CacheStatus& status) {
  Error problem = *status.problem;
  if (!status.exists && status.holder) {
    problem.hint = *status.holder + " is filling it now: wait for it to end";
  }
  return problem;
}

int exit_of(const CacheStatus& status, const std::optional<Error>& error) {
  if (status.readable && status.freshness.state == FreshnessState::needs_repair) return kCorrupt;
  return error ? exit_code_of(error->code) : kDone;
}

}  // namespace

std::optional<std::uint64_t> hit_percent(const ReadCounts& reads) {
  return reads.all() == 0 ? std::nullopt : std::optional(reads.answered() * 100 / reads.all());
}

std::string scope_text(const CacheStatus& cache) {
  return "the newest " + grouped(cache.scope.max_episodes_cache) + " episodes" +
         (cache.window_complete ? " (all of the source)" : "") +
         (cache.scope.sync_patterns ? ", patterns and heuristics" : ", no patterns") +
         (cache.scope.sync_embeddings ? ", embeddings" : ", no embeddings");
}

// The report lies in its own commit: what came after that is not in its duration.
std::string last_pass_text(const CacheStatus& cache) {
  const Json report = parsed_report(cache);
  if (report.is_null()) return {};
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

std::string daemon_text(const std::optional<daemon::Status>& daemon) {
  if (!daemon) return "none, or it does not answer";
  std::string text = "pid " + std::to_string(daemon->pid);
  if (!daemon->running.empty()) text += ", runs " + daemon->running;
  if (daemon->progress) text += ": " + progress_text(*daemon->progress);
  if (daemon->next_pass) text += ", next pass in " + format_duration(*daemon->next_pass);
  return text + " (" + daemon->trigger + ")";
}

std::string scrub_text(const daemon::ScrubState& scrub) {
  std::string text = std::to_string(scrub.percent) + " % of a walk over every row";
  if (!scrub.ended_at) return text;
  const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now() - *scrub.ended_at);
  return text + "; the last one ended " +
         format_duration(std::max(ago, std::chrono::milliseconds(0))) + " ago and found nothing";
}

StatusSeen see_status(const Context& context, const ReaderOptions& options) {
  StatusSeen seen{inspect(cache_path(context.settings), options), {}};
  seen.daemon = daemon::daemon_status(seen.cache.path, kDaemonPatience);
  return seen;
}

std::string status_json(const StatusSeen& seen) {
  Json json = Json::parse(daemon::cache_json(seen.cache));
  json["daemon"] = daemon_json(seen.daemon);
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

int print_status_envelope(const StatusSeen& seen,
                          const std::optional<std::chrono::milliseconds>& max_age) {
  const CacheStatus& status = seen.cache;
  std::optional<Error> error;
  if (!status.readable) {
    error = problem_of(status);
  } else if (too_old(status.freshness, max_age)) {
    error = too_old_error(status.freshness);
  }
  const int exit = exit_of(status, error);
  print_envelope("status", exit, error ? &*error : nullptr, &status.freshness, status_json(seen));
  return exit;
}

int run_status(const Context& context, const StatusArguments& arguments) {
  if (arguments.watch) return run_watch(context);
  const StatusSeen seen = see_status(context, reader_options(context));
  if (context.json) return print_status_envelope(seen, arguments.max_age);
  if (!seen.cache.readable) return report_error(context, "status", problem_of(seen.cache));
  if (!context.quiet) print_status(context, seen);
  if (!too_old(seen.cache.freshness, arguments.max_age)) return exit_of(seen.cache, {});
  const Error error = too_old_error(seen.cache.freshness);
  std::fprintf(stderr, "tidemark: %s\nhint: %s\n", error.message.c_str(), error.hint.c_str());
  return exit_of(seen.cache, error);
}

}  // namespace tidemark::cli
