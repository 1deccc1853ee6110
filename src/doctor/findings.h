// The headings, each judged by a function of its own. Pure.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "doctor/diagnose.h"

namespace tidemark::doctor {

// Collects the findings of one heading.
class Findings {
 public:
  Findings(Heading heading, std::vector<Finding>& out) : heading_(heading), out_(out) {}
  void ok(std::string text) { out_.push_back({heading_, Severity::ok, std::move(text), {}}); }
  void notice(std::string text, std::string help) {
    out_.push_back({heading_, Severity::notice, std::move(text), std::move(help)});
  }
  void problem(std::string text, std::string help) {
    out_.push_back({heading_, Severity::problem, std::move(text), std::move(help)});
  }
  // `help` only where it is not ok.
  void add(Severity severity, std::string text, std::string help) {
    if (severity == Severity::ok) help.clear();
    out_.push_back({heading_, severity, std::move(text), std::move(help)});
  }

 private:
  const Heading heading_;
  std::vector<Finding>& out_;
};

// How bad a figure is that should be small.
template <typename Figure, typename Bound>
[[nodiscard]] Severity at_least(const Figure& figure, const Bound& notice, const Bound& problem) {
  if (figure >= problem) return Severity::problem;
  return figure >= notice ? Severity::notice : Severity::ok;
}

void judge_slow_syncs(const Measurements& m, Findings& out);
void judge_lock_errors(const Measurements& m, Findings& out);
void judge_memory_pressure(const Measurements& m, Findings& out);
void judge_stale_data(const Measurements& m, Findings& out);
void judge_missing_items(const Measurements& m, Findings& out);
void judge_configuration(const Measurements& m, Findings& out);

// "pid 123 (tidemark)"
[[nodiscard]] std::string name_of(const Process& process);
// The source has a change log that passes can follow.
[[nodiscard]] bool is_captured(const Measurements& m);

}  // namespace tidemark::doctor
