// When the next pass is due, and why. Pure: told the time, and what happened.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/backoff.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {

// Why a pass runs.
enum class Trigger : std::uint8_t {
  start_up,
  interval,
  catch_up,
  nudge,
  recovery,
  reload,
  request,
  scrub
};
[[nodiscard]] std::string_view to_string(Trigger trigger);

// How a pass ended, as far as the next one goes.
enum class PassEnd : std::uint8_t {
  done,
  more,        // more changes are known to be waiting
  failed,      // may go by itself: the source unavailable, another writer, a full disk
  needs_help,  // nothing changes until somebody acts: refused by the source, configuration
  ignored,     // says nothing of the next one: a comparison, or what was asked for cannot be done
};

struct Timing {
  std::chrono::milliseconds interval{30'000};
  base::Backoff retry{kRetryFirst, kRetryCap};
  std::chrono::milliseconds slow_retry = kSlowRetry;
};

// One thread.
class Schedule {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The first pass is due at once. `seed`: of the jitter.
  Schedule(const Timing& timing, std::uint64_t seed, Time now);

  // The automatic pass that is due. nullopt: one runs, or next() is later.
  [[nodiscard]] std::optional<Trigger> due(Time now) const;
  [[nodiscard]] Time next() const { return next_; }
  [[nodiscard]] Trigger coming() const { return trigger_; }           // why, at next()
  [[nodiscard]] std::uint32_t failures() const { return failures_; }  // in a row

  void pass_started() { running_ = true; }
  // A pass ended, whatever it was for: it counts as the automatic one that was to come.
  void pass_ended(PassEnd end, Time now);
  // A reader found the cache stale. What waits for a source, or for a person, goes on waiting.
  void nudge(Time now);
  // What failed may succeed with the new configuration: a pass that starts after this is due.
  void reload(const Timing& timing, Time now);

 private:
  void plan(Trigger trigger, Time at);
  void plan_after(PassEnd end, Time now);
  std::chrono::milliseconds jittered(std::chrono::milliseconds interval);
  std::uint64_t random();

  Timing timing_;
  std::uint64_t random_state_;
  Trigger trigger_ = Trigger::start_up;
  Time next_;
  std::optional<Time> ended_;  // of the last pass
  std::uint32_t failures_ = 0;
  bool running_ = false;
  bool reloaded_ = false;  // while one ran
};

}  // namespace tidemark::daemon
