// What time it is. The engine asks one of these, so that a test can step it.
#pragma once

#include <chrono>

namespace tidemark::base {

// Thread-safe.
class Clock {
 public:
  Clock() = default;
  Clock(const Clock&) = delete;
  Clock& operator=(const Clock&) = delete;
  virtual ~Clock() = default;
  // What freshness is told in; may be set back by a person.
  [[nodiscard]] virtual std::chrono::system_clock::time_point wall() const = 0;
  // For deadlines and durations; never goes back.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;
};

// The machine's own; lives as long as the process.
[[nodiscard]] const Clock& machine_clock();

}  // namespace tidemark::base
