// Freshness as a reader computes it: pure.
#pragma once

#include <chrono>
#include <string>

#include "cache/meta.h"
#include "tidemark/freshness.h"

namespace tidemark::cache {

// A checked_at this far in the future is a clock that went back.
inline constexpr std::chrono::milliseconds kClockSkewMax{2'000};

[[nodiscard]] std::chrono::system_clock::time_point time_from_us(std::int64_t us);
[[nodiscard]] Freshness compute_freshness(const State& state, const std::string& doubt,
                                          const std::string& unavailable_reason,
                                          std::chrono::system_clock::time_point now,
                                          std::chrono::milliseconds max_staleness);
// What it is when it is looked at later: its age, and so its state, follow the time.
[[nodiscard]] Freshness seen_at(Freshness freshness, std::chrono::system_clock::time_point now,
                                std::chrono::milliseconds max_staleness);

}  // namespace tidemark::cache
