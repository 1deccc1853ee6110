#include "daemon/schedule.h"

#include <algorithm>
#include <utility>

namespace tidemark::daemon {

std::string_view to_string(Trigger trigger) {
  switch (trigger) {
    case Trigger::start_up:
      return "start_up";
    case Trigger::interval:
      return "interval";
    case Trigger::catch_up:
      return "catch_up";
    case Trigger::nudge:
      return "nudge";
    case Trigger::recovery:
      return "recovery";
    case Trigger::reload:
      return "reload";
    case Trigger::request:
      return "request";
    case Trigger::scrub:
      return "scrub";
  }
  return "";
}

Schedule::Schedule(const Timing& timing, std::uint64_t seed, Time now)
    : timing_(timing), random_state_(seed), next_(now) {}

std::optional<Trigger> Schedule::due(Time now) const {
  if (running_ || now < next_) return std::nullopt;
  return trigger_;
}

void Schedule::pass_ended(PassEnd end, Time now) {
  running_ = false;
  if (end != PassEnd::ignored) plan_after(end, now);
  if (std::exchange(reloaded_, false)) plan(Trigger::reload, now);
}

void Schedule::plan_after(PassEnd end, Time now) {
  ended_ = now;
  const std::uint32_t failed_before = failures_;
  failures_ = end == PassEnd::done || end == PassEnd::more ? 0 : failed_before + 1;
  switch (end) {
    case PassEnd::ignored:
      return;
    case PassEnd::done:
      return plan(Trigger::interval, now + jittered(timing_.interval));
    case PassEnd::more:
      return plan(Trigger::catch_up, now + std::min(timing_.interval, kCatchUpPause));
    case PassEnd::failed: {
      // An interval below the first retry is not made longer by a failure of a moment.
      base::Backoff retry = timing_.retry;
      retry.first = std::min(retry.first, timing_.interval);
      return plan(Trigger::recovery, now + retry.delay(failed_before, random()));
    }
    case PassEnd::needs_help:
      return plan(Trigger::recovery, now + jittered(timing_.slow_retry));
  }
}

void Schedule::nudge(Time now) {
  if (failures_ > 0 || !ended_ || now - *ended_ < kNudgeSpacing || next_ <= now) return;
  plan(Trigger::nudge, now);
}

void Schedule::reload(const Timing& timing, Time now) {
  timing_ = timing;
  reloaded_ = running_;
  plan(Trigger::reload, now);
}

void Schedule::plan(Trigger trigger, Time at) {
  trigger_ = trigger;
  next_ = at;
}

// Up to a tenth sooner, never later: max_staleness counts on the interval.
std::chrono::milliseconds Schedule::jittered(std::chrono::milliseconds interval) {
  const auto tenth = static_cast<std::uint64_t>(interval.count() / 10 + 1);
  return interval - std::chrono::milliseconds(random() % tenth);
}

// splitmix64
std::uint64_t Schedule::random() {
  random_state_ += 0x9E3779B97F4A7C15U;
  std::uint64_t z = random_state_;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

}  // namespace tidemark::daemon
