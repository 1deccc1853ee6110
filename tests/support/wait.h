// Waiting for what another process or thread does.
#pragma once

#include <poll.h>

#include <chrono>
#include <functional>

namespace tidemark::support {

inline constexpr std::chrono::seconds kPatience{60};  // a busy machine may do it late
inline constexpr std::chrono::milliseconds kLook{5};  // between two looks

// Looks until `seen` holds; false at the deadline.
inline bool wait_until(const std::function<bool()>& seen,
                       std::chrono::milliseconds patience = kPatience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!seen()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, static_cast<int>(kLook.count()));
  }
  return true;
}

}  // namespace tidemark::support
