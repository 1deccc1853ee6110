#include "cli/output.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/units.h"

namespace tidemark::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::int64_t unix_ms(std::chrono::system_clock::time_point time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
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

std::string json_string(std::string_view text) { return dump(Json(std::string(text))); }

std::string freshness_json(const Freshness& f) {
  Json json = {{"state", std::string(to_string(f.state))}};
  json["checked_at_ms"] = f.checked_at ? Json(unix_ms(*f.checked_at)) : Json(nullptr);
  json["age_ms"] = f.age ? Json(f.age->count()) : Json(nullptr);
  json["source_unavailable_since_ms"] =
      f.source_unavailable_since ? Json(unix_ms(*f.source_unavailable_since)) : Json(nullptr);
  json["source_unavailable_reason"] = f.source_unavailable_reason;
  json["doubt"] = f.doubt;
  json["catching_up"] = f.catching_up;
  json["incomplete"] = f.incomplete;
  json["consistent"] = f.consistent;
  return dump(json);
}

std::string freshness_text(const Freshness& f) {
  std::string text(to_string(f.state));
  if (f.age) text += ", checked " + format_duration(*f.age) + " ago";
  if (f.checked_at && !f.age) text += " (the clock went back)";
  if (f.incomplete > 0) text += ", " + std::to_string(f.incomplete) + " rows skipped";
  if (f.source_unavailable_since) {
    const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now() - *f.source_unavailable_since);
    text +=
        "; source unavailable since " + format_duration(since) + ": " + f.source_unavailable_reason;
  }
  return text;
}

void print_envelope(std::string_view command, int exit, const Error* error,
                    const Freshness* freshness, const std::string& result_json) {
  Json error_json = nullptr;
  if (error != nullptr) {
    error_json = {{"code", std::string(to_string(error->code))},
                  {"message", error->message},
                  {"hint", error->hint}};
  }
  std::printf("{\"v\":1,\"command\":%s,\"exit\":%d,\"error\":%s,\"freshness\":%s,\"result\":%s}\n",
              json_string(command).c_str(), exit, dump(error_json).c_str(),
              freshness == nullptr ? "null" : freshness_json(*freshness).c_str(),
              result_json.empty() ? "null" : result_json.c_str());
}

int report_error(const Context& context, std::string_view command, const Error& error) {
  const int exit = exit_code_of(error.code);
  std::fprintf(stderr, "tidemark: %s\n", error.message.c_str());
  if (!error.source_text.empty() && error.message.find(error.source_text) == std::string::npos) {
    std::fprintf(stderr, "the source said: %s\n", error.source_text.c_str());
  }
  if (!error.hint.empty()) std::fprintf(stderr, "hint: %s\n", error.hint.c_str());
  if (context.json) print_envelope(command, exit, &error, nullptr, {});
  return exit;
}

bool too_old(const Freshness& freshness, const std::optional<std::chrono::milliseconds>& max_age) {
  return max_age && (!freshness.age || *freshness.age > *max_age);
}

ReaderOptions reader_options(const Context& context) {
  ReaderOptions options;
  options.max_staleness = context.settings.max_staleness.value_or(kMaxStaleness);
  return options;
}

}  // namespace tidemark::cli
