#include <algorithm>

#include "cli/doctor_json.h"
#include "cli/output.h"
#include "cli/signals.h"
#include "cli/units.h"
#include "doctor/measure.h"
#include "doctor/tuning.h"
#include "tidemark/syncer.h"

namespace tidemark::cli {
namespace {

// What could not be read of the configuration has its default, and is a finding.
doctor::Subject subject_of(const Settings& settings, std::optional<Error> wrong) {
  doctor::Subject subject;
  subject.source = settings.source;
  subject.token = [settings] { return read_token(settings); };
  if (token_is_a_file(settings)) subject.token_file = *settings.token_file;
  subject.cache = cache_path(settings);
  if (auto config = sync_config(settings)) {
    subject.config = *config;
  } else if (!wrong) {
    wrong = std::move(config).error();
  }
  subject.max_episodes_named = settings.max_episodes_cache;
  subject.sync_patterns_named = settings.sync_patterns;
  subject.sync_embeddings_named = settings.sync_embeddings;
  subject.page_cache_bytes = settings.page_cache.value_or(SyncerOptions{}.page_cache_bytes);
  subject.cache_mode = settings.cache_mode.value_or(SyncerOptions{}.cache_mode);
  subject.interval = settings.interval.value_or(kInterval);
  subject.max_staleness = settings.max_staleness.value_or(kMaxStaleness);
  subject.wrong = std::move(wrong);
  return subject;
}

std::size_t count_of(const std::vector<doctor::Finding>& findings, doctor::Severity severity) {
  return static_cast<std::size_t>(
      std::ranges::count(findings, severity, &doctor::Finding::severity));
}

void print_finding(const doctor::Finding& finding) {
  std::string text = "  ";
  if (finding.severity != doctor::Severity::ok) {
    text += std::string(to_string(finding.severity)) + ": ";
  }
  write_out(text + one_line(finding.text) + "\n");
  if (!finding.help.empty()) write_out("    → do: " + one_line(finding.help) + "\n");
}

// `quiet`: only what is not as it should be.
void print_findings(const std::vector<doctor::Finding>& findings, bool quiet) {
  std::optional<doctor::Heading> heading;
  for (const doctor::Finding& finding : findings) {
    if (quiet && finding.severity == doctor::Severity::ok) continue;
    if (heading != finding.heading) write_out(std::string(to_string(finding.heading)) + "\n");
    heading = finding.heading;
    print_finding(finding);
  }
  if (quiet) return;
  const std::size_t problems = count_of(findings, doctor::Severity::problem);
  const std::size_t notices = count_of(findings, doctor::Severity::notice);
  write_out(problems + notices == 0 ? "nothing is wrong\n"
                                    : base::counted(problems, "problem") + ", " +
                                          base::counted(notices, "notice") + "\n");
}

}  // namespace

int run_doctor(const Context& context, const DoctorArguments& arguments) {
  const auto deadline = arguments.deadline.value_or(doctor::kDeadline);
  if (deadline < doctor::kDeadlineMin || deadline > doctor::kDeadlineMax) {
    return report_error(context, "doctor",
                        {ErrorCode::invalid,
                         "--deadline " + format_duration(deadline) + " is out of range",
                         "allowed: " + format_duration(doctor::kDeadlineMin) + " to " +
                             format_duration(doctor::kDeadlineMax),
                         {}});
  }
  const StopOnSignal stop;
  const auto measured =
      doctor::measure(subject_of(context.settings, arguments.wrong), deadline, stop.token());
  if (stop.token().stop_requested()) {
    return report_error(context, "doctor", {ErrorCode::cancelled, "interrupted", {}, {}});
  }
  const auto findings = doctor::diagnose(measured);
  const bool wrong = count_of(findings, doctor::Severity::problem) > 0;
  const int exit = wrong ? kDoneWithSkips : kDone;
  if (context.json) {
    const bool known =
        measured.cache.readable || measured.cache.freshness.state == FreshnessState::needs_repair;
    print_envelope("doctor", exit, nullptr, known ? &measured.cache.freshness : nullptr,
                   doctor_json(measured, findings));
  } else {
    print_findings(findings, context.quiet);
  }
  return exit;
}

}  // namespace tidemark::cli
