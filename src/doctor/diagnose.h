// What the measurements mean. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/measurements.h"

namespace tidemark::doctor {

enum class Heading : std::uint8_t {
  slow_syncs,
  lock_errors,
  memory_pressure,
  stale_data,
  missing_items,
  configuration,
};
// "slow syncs"
[[nodiscard]] std::string_view to_string(Heading heading);

// ok: a figure that is as it should be. notice: worth knowing. problem: somebody should act.
enum class Severity : std::uint8_t { ok, notice, problem };
[[nodiscard]] std::string_view to_string(Severity severity);

struct Finding {
  Heading heading = Heading::slow_syncs;
  Severity severity = Severity::ok;
  std::string text;  // a sentence with what was measured
  std::string help;  // the command or the setting that helps; empty for ok
};

// By heading, and within one in a fixed order. Of what was not measured nothing is said.
[[nodiscard]] std::vector<Finding> diagnose(const Measurements& measured);

}  // namespace tidemark::doctor
