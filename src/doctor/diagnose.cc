#include "doctor/diagnose.h"

#include <array>

#include "doctor/findings.h"

namespace tidemark::doctor {

std::string_view to_string(Heading heading) {
  switch (heading) {
    case Heading::slow_syncs:
      return "slow syncs";
    case Heading::lock_errors:
      return "lock errors";
    case Heading::memory_pressure:
      return "memory pressure";
    case Heading::stale_data:
      return "stale data";
    case Heading::missing_items:
      return "missing items";
    case Heading::configuration:
      return "configuration";
  }
  return {};
}

std::string_view to_string(Severity severity) {
  switch (severity) {
    case Severity::ok:
      return "ok";
    case Severity::notice:
      return "notice";
    case Severity::problem:
      return "problem";
  }
  return {};
}

std::string name_of(const Process& process) {
  const std::string text = "pid " + std::to_string(process.pid);
  return process.name.empty() ? text : text + " (" + process.name + ")";
}

bool is_captured(const Measurements& m) {
  return m.source && m.source->capture && m.source->capture->healthy;
}

std::vector<Finding> diagnose(const Measurements& measured) {
  using Judge = void (*)(const Measurements&, Findings&);
  constexpr std::array<std::pair<Heading, Judge>, 6> kJudges = {
      {{Heading::slow_syncs, judge_slow_syncs},
       {Heading::lock_errors, judge_lock_errors},
       {Heading::memory_pressure, judge_memory_pressure},
       {Heading::stale_data, judge_stale_data},
       {Heading::missing_items, judge_missing_items},
       {Heading::configuration, judge_configuration}}};
  std::vector<Finding> found;
  for (const auto& [heading, judge] : kJudges) {
    Findings findings(heading, found);
    judge(measured, findings);
  }
  return found;
}

}  // namespace tidemark::doctor
