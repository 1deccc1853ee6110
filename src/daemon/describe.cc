#include "daemon/describe.h"

#include "turso/connection.h"

namespace tidemark::daemon {
namespace {

PassEnd end_of(const Error& error, bool own) {
  switch (error.code) {
    case ErrorCode::unavailable:
      return PassEnd::failed;
    case ErrorCode::rejected:
      return PassEnd::needs_help;
    case ErrorCode::invalid:
    case ErrorCode::unsupported:
      return own ? PassEnd::needs_help : PassEnd::ignored;
    default:
      return own ? PassEnd::failed : PassEnd::ignored;
  }
}

std::string text_of(const Error& error) {
  return error.message + (error.hint.empty() ? "" : " (" + error.hint + ")");
}

Outcome judge_sync(const SyncReport& report) {
  std::uint64_t written = 0;
  std::uint64_t removed = 0;
  for (const auto& [name, counts] : report.collections) {
    written += counts.upserted;
    removed += counts.deleted + counts.evicted;
  }
  Outcome outcome;
  outcome.end = report.freshness.catching_up ? PassEnd::more : PassEnd::done;
  outcome.level = written + removed == 0 ? Level::debug : Level::info;
  if (report.validation.failed()) outcome.level = Level::warning;
  outcome.text = report.mode + " in " + std::to_string(report.duration.count()) +
                 " ms: " + std::to_string(written) + " rows written, " + std::to_string(removed) +
                 " removed";
  if (!report.reason.empty() && report.mode != "delta") outcome.text += " (" + report.reason + ")";
  for (const auto& problem : report.validation.problems) outcome.text += "; differs: " + problem;
  if (report.missed_by_capture > 0) {
    outcome.level = Level::warning;
    outcome.text += "; the change log missed " + std::to_string(report.missed_by_capture) +
                    " (`tidemark status` says what to do)";
  }
  return outcome;
}

Outcome judge_repair(const RepairReport& report) {
  Outcome outcome = judge_sync(report.sync);
  outcome.level = report.problems.empty() ? Level::info : Level::warning;
  for (const auto& problem : report.problems) outcome.text += "; was wrong: " + problem;
  if (!report.kept_as.empty()) outcome.text += "; the damaged file is " + report.kept_as;
  return outcome;
}

}  // namespace

Outcome judge(const Result<Done>& result, bool own) {
  if (!result) {
    const bool stopped = result.error().code == ErrorCode::cancelled;
    return {end_of(result.error(), own), stopped ? Level::info : Level::warning,
            text_of(result.error())};
  }
  if (const auto* const sync = std::get_if<SyncReport>(&*result)) return judge_sync(*sync);
  if (const auto* const repair = std::get_if<RepairReport>(&*result)) return judge_repair(*repair);
  const bool differs = std::get<AuditReport>(*result).differs();
  return {PassEnd::ignored, Level::info,
          differs ? "the cache differs from its source" : "the cache equals its source"};
}

std::string_view outcome_word(const Result<Done>& result) {
  if (!result) return "error";
  bool differs = false;
  if (const auto* const audit = std::get_if<AuditReport>(&*result)) {
    differs = audit->differs();
  } else if (const auto* const repair = std::get_if<RepairReport>(&*result)) {
    differs = repair->sync.validation.failed();
  } else {
    differs = std::get<SyncReport>(*result).validation.failed();
  }
  return differs ? "differs" : "done";
}

std::string shown_source(const std::string& source) {
  const auto url = turso::parse_source_url(source);
  return url ? url->display : "the source";
}

std::optional<Error> other_source(const std::string& asked, const std::string& own) {
  if (asked.empty()) return std::nullopt;
  const auto theirs = turso::parse_source_url(asked);
  if (!theirs) return theirs.error();
  const auto ours = turso::parse_source_url(own);
  if (ours && ours->identity == theirs->identity) return std::nullopt;
  return Error{
      ErrorCode::invalid,
      "the daemon keeps this cache in step with " + shown_source(own) + ", not " + theirs->display,
      "leave --source out, or give another --cache for that source",
      {}};
}

}  // namespace tidemark::daemon
