// A clock that only the simulation moves.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace tidemark::simulation {

// Thread-safe.
class StepClock final : public base::Clock {
 public:
  using Micros = std::chrono::microseconds;

  [[nodiscard]] std::chrono::system_clock::time_point wall() const override {
    return std::chrono::system_clock::time_point(Micros(wall_us_ + skew_us_));
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::time_point(Micros(steady_us_));
  }

  void advance(Micros by) {
    wall_us_ += by.count();
    steady_us_ += by.count();
  }
  void advance_to(std::chrono::steady_clock::time_point to) {
    const auto by = std::chrono::duration_cast<Micros>(to - steady());
    if (by.count() > 0) advance(by);
  }
  // A person sets the clock.
  void jump(Micros by) { wall_us_ += by.count(); }
  // A planted bug: what the engine reads is later than it is.
  void skew(Micros by) { skew_us_ = by.count(); }

 private:
  static constexpr std::int64_t kStartUs = 1'700'000'000'000'000;
  // Ahead of the machine's own, which a real connection below compares deadlines with.
  static constexpr std::int64_t kSteadyStartUs = std::int64_t{1} << 50U;

  std::atomic<std::int64_t> wall_us_ = kStartUs;
  std::atomic<std::int64_t> steady_us_ = kSteadyStartUs;
  std::atomic<std::int64_t> skew_us_ = 0;
};

}  // namespace tidemark::simulation
