#include "cli/output.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <nlohmann/json.hpp>

#include "cli/units.h"
#include "daemon/json_forms.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;
using daemon::json_string;

// A writer's repair is not waited for when an error is told.
constexpr std::chrono::milliseconds kLookDeadline{200};

int write_error = 0;  // errno of the first write to stdout that failed; one thread writes

// The client marks a time-out of its own; no source said that word.
std::string_view without_mark(std::string_view source_text) {
  constexpr std::string_view kMark = "TIMEOUT ";
  if (source_text.starts_with(kMark)) source_text.remove_prefix(kMark.size());
  return source_text;
}

std::string state_text(const CacheStatus& status, const Error& told) {
  if (!status.exists) return "there is no cache yet";
  if (!status.readable) return "the cache cannot be read either";
  Freshness freshness = status.freshness;
  if (freshness.source_unavailable_reason == told.message) {
    freshness.source_unavailable_reason.clear();  // said once is enough
  }
  return "the cache can be used: " + freshness_text(freshness);
}

void add_since(std::string& text, const char* what,
               const std::optional<std::chrono::system_clock::time_point>& since,
               const std::string& reason) {
  if (!since) return;
  const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now() - *since);
  text += std::string("; ") + what + " for " +
          format_duration(std::max(time, std::chrono::milliseconds(0)));
  if (!reason.empty()) text += ": " + reason;
}

}  // namespace

int exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable:
      return kSourceUnavailable;
    case ErrorCode::invalid:
    case ErrorCode::unsupported:
      return kUsage;
    case ErrorCode::corrupt:
    case ErrorCode::needs_repair:
      return kCorrupt;
    case ErrorCode::busy:
      return kBusy;
    case ErrorCode::stale:
      return kTooOld;
    case ErrorCode::cancelled:
      return kInterrupted;
    case ErrorCode::rejected:
    case ErrorCode::no_space:
    case ErrorCode::internal:
      return kError;
  }
  return kError;
}

std::string capture_json(const CaptureStatus& s) {
  Json json = {{"installed", s.installed}, {"healthy", s.healthy}, {"trouble", s.trouble},
               {"version", s.version},     {"head", s.head},       {"floor", s.floor}};
  json["database_id"] = s.database_id;
  json["log_rows_max"] = s.log_rows_max;
  json["tables"] = Json::array();
  for (const CapturedTable& t : s.tables) {
    json["tables"].push_back({{"table", t.table},
                              {"captured", t.captured},
                              {"healthy", t.healthy},
                              {"reason", t.reason},
                              {"epoch", t.epoch}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string one_line(std::string text) {
  constexpr unsigned char kDelete = 0x7F;
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ' || byte == kDelete) c = ' ';
  }
  return text;
}

std::string row_line(const Row& row) {
  return "{\"collection\":" + json_string(row.collection()) + ",\"key\":" + json_string(row.key()) +
         ",\"row\":" + row.to_json() + "}\n";
}

std::string freshness_text(const Freshness& f) {
  std::string text(to_string(f.state));
  if (f.age) text += ", checked " + format_duration(*f.age) + " ago";
  if (f.checked_at && !f.age) text += " (the clock went back)";
  if (f.incomplete > 0) {
    text +=
        ", " + std::to_string(f.incomplete) + (f.incomplete == 1 ? " row" : " rows") + " skipped";
  }
  if (!f.doubt.empty()) text += "; in doubt: " + f.doubt;
  if (f.catching_up) text += "; catching up";
  add_since(text, "source unavailable", f.source_unavailable_since, f.source_unavailable_reason);
  add_since(text, "refused by the source", f.source_refused_since, f.source_refused_reason);
  return text;
}

std::string missed_text(const MissedByCapture& missed) {
  std::uint64_t changes = 0;
  std::string tables;
  for (const auto& [table, count] : missed.tables) {
    changes += count;
    tables += (tables.empty() ? "" : ", ") + table;
  }
  const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::now() - missed.found_at);
  return "missed " + grouped(changes) + (changes == 1 ? " change of " : " changes of ") + tables +
         ", as an audit found " + format_duration(std::max(age, std::chrono::milliseconds(0))) +
         " ago: each pass reads the whole scope. A client writes with triggers off, or writes "
         "rowid "
         "with REPLACE; once none does, run `tidemark capture install --renew`";
}

bool write_out(std::string_view text) {
  if (write_error != 0) return false;
  errno = 0;
  // A device is line-buffered: its failure may show in the error flag alone.
  const std::size_t written = std::fwrite(text.data(), 1, text.size(), stdout);
  if (written != text.size() || std::ferror(stdout) != 0) {
    write_error = errno == 0 ? EIO : errno;
  }
  return write_error == 0;
}

bool flush_out() {
  errno = 0;
  if (std::fflush(stdout) != 0 && write_error == 0) write_error = errno == 0 ? EIO : errno;
  return write_error == 0;
}

int finish_output(int exit) {
  flush_out();
  if (write_error == 0 || write_error == EPIPE) return exit;
  std::fprintf(stderr, "tidemark: cannot write the output: %s\n", std::strerror(write_error));
  return kError;
}

void print_envelope(std::string_view command, int exit, const Error* error,
                    const Freshness* freshness, const std::string& result_json) {
  write_out(
      "{\"v\":1,\"command\":" + json_string(command) + ",\"exit\":" + std::to_string(exit) +
      ",\"error\":" + (error == nullptr ? "null" : daemon::error_json(*error)) +
      ",\"freshness\":" + (freshness == nullptr ? "null" : daemon::freshness_json(*freshness)) +
      ",\"result\":" + (result_json.empty() ? "null" : result_json) + "}\n");
}

int report_error(const Context& context, std::string_view command, const Error& error,
                 const Freshness* freshness) {
  const int exit = exit_code_of(error.code);
  std::fprintf(stderr, "tidemark: %s\n", error.message.c_str());
  const std::string_view said = without_mark(error.source_text);
  if (!said.empty() && error.message.find(said) == std::string::npos) {
    std::fprintf(stderr, "the source said: %s\n", std::string(said).c_str());
  }
  if (!error.hint.empty()) std::fprintf(stderr, "hint: %s\n", error.hint.c_str());
  if (context.json) print_envelope(command, exit, &error, freshness, {});
  return exit;
}

int report_cache_error(const Context& context, std::string_view command, const Error& error) {
  ReaderOptions options = reader_options(context);
  options.repair = false;
  options.open_deadline = kLookDeadline;
  const CacheStatus status = inspect(cache_path(context.settings), options);
  const bool known = status.readable || status.freshness.state == FreshnessState::needs_repair;
  const Freshness* const freshness = known ? &status.freshness : nullptr;
  const int exit = report_error(context, command, error, freshness);
  if (exit == kSourceUnavailable && !context.quiet) {
    std::fprintf(stderr, "%s\n", state_text(status, error).c_str());
  }
  return exit;
}

bool too_old(const Freshness& freshness, const std::optional<std::chrono::milliseconds>& max_age) {
  return max_age && (!freshness.age || *freshness.age > *max_age);
}

Error too_old_error(const Freshness& freshness) {
  const std::string age = freshness.age ? "checked " + format_duration(*freshness.age) + " ago"
                                        : freshness_text(freshness);
  return {ErrorCode::stale,
          "the cache is older than --max-age: " + age,
          "run `tidemark sync`, or allow a larger --max-age",
          {}};
}

void warn_if_stale(const Context& context, const Freshness& freshness) {
  if (freshness.state == FreshnessState::fresh || context.quiet || context.json) return;
  std::fprintf(stderr, "warning: the cache is %s\n", freshness_text(freshness).c_str());
}

ReaderOptions reader_options(const Context& context) {
  ReaderOptions options;
  options.max_staleness = context.settings.max_staleness.value_or(kMaxStaleness);
  return options;
}

}  // namespace tidemark::cli
