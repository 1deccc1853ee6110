// Capped exponential backoff with jitter; pure, so that tests step it.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace tidemark::base {

// delay(n) is first * 2^n, at most `cap`, less up to a quarter of it taken away by `random`.
struct Backoff {
  std::chrono::milliseconds first{200};
  std::chrono::milliseconds cap{5'000};

  [[nodiscard]] std::chrono::milliseconds delay(std::uint32_t attempt, std::uint64_t random) const {
    const std::uint32_t shift = std::min<std::uint32_t>(attempt, 20);
    const std::int64_t full = std::min<std::int64_t>(cap.count(), first.count() << shift);
    const auto quarter = static_cast<std::uint64_t>(full / 4 + 1);
    return std::chrono::milliseconds(full - static_cast<std::int64_t>(random % quarter));
  }
};

}  // namespace tidemark::base
