// Takes the measurements that diagnose() judges.
#pragma once

#include <chrono>
#include <stop_token>

#include "doctor/measurements.h"

namespace tidemark::doctor {

// Blocks for `deadline` at the most, and ends early when a stop is asked for. Writes neither the
// cache nor the source, takes no lock, and fails at nothing: what cannot be had is left out.
[[nodiscard]] Measurements measure(const Subject& subject, std::chrono::milliseconds deadline,
                                   const std::stop_token& stop);

}  // namespace tidemark::doctor
