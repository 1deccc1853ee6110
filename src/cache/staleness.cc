#include "cache/staleness.h"

namespace tidemark::cache {
namespace {

using Clock = std::chrono::system_clock;

FreshnessState state_of(const State& state, const Freshness& freshness,
                        std::chrono::milliseconds max_staleness) {
  if (state.needs_repair) return FreshnessState::needs_repair;
  if (state.checked_at_us == 0) return FreshnessState::never_synced;
  if (!freshness.age || *freshness.age > max_staleness || state.in_doubt) {
    return FreshnessState::stale;
  }
  return FreshnessState::fresh;
}

}  // namespace

Clock::time_point time_from_us(std::int64_t us) {
  return Clock::time_point(
      std::chrono::duration_cast<Clock::duration>(std::chrono::microseconds(us)));
}

Freshness compute_freshness(const State& state, const std::string& doubt,
                            const std::string& unavailable_reason, Clock::time_point now,
                            std::chrono::milliseconds max_staleness) {
  Freshness freshness;
  if (state.checked_at_us != 0) {
    freshness.checked_at = time_from_us(state.checked_at_us);
    const auto age =
        std::chrono::duration_cast<std::chrono::milliseconds>(now - *freshness.checked_at);
    if (age >= -kClockSkewMax) freshness.age = std::max(age, std::chrono::milliseconds(0));
  }
  if (state.source_unavailable_since_us != 0) {
    freshness.source_unavailable_since = time_from_us(state.source_unavailable_since_us);
    freshness.source_unavailable_reason = unavailable_reason;
  }
  freshness.doubt = doubt;
  freshness.catching_up = state.catching_up;
  freshness.incomplete = state.skipped;
  freshness.consistent = state.consistent;
  freshness.state = state_of(state, freshness, max_staleness);
  return freshness;
}

}  // namespace tidemark::cache
