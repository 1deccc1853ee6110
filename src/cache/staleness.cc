#include "cache/staleness.h"

#include <algorithm>
#include <utility>

namespace tidemark::cache {
namespace {

using Clock = std::chrono::system_clock;

// Milliseconds of [0, ...), or nullopt: never in step, or the clock went back.
std::optional<std::chrono::milliseconds> age_at(const Freshness& freshness, Clock::time_point now) {
  using std::chrono::milliseconds;
  if (!freshness.checked_at) return std::nullopt;
  const auto age = std::chrono::duration_cast<milliseconds>(now - *freshness.checked_at);
  if (age < -kClockSkewMax) return std::nullopt;
  return std::max(age, milliseconds(0));
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
  if (state.checked_at_us != 0) freshness.checked_at = time_from_us(state.checked_at_us);
  if (state.source_unavailable_since_us != 0) {
    freshness.source_unavailable_since = time_from_us(state.source_unavailable_since_us);
    freshness.source_unavailable_reason = unavailable_reason;
  }
  freshness.doubt = doubt;
  freshness.catching_up = state.catching_up;
  freshness.incomplete = state.skipped;
  freshness.consistent = state.consistent;
  freshness.state = FreshnessState::fresh;
  if (state.checked_at_us == 0) freshness.state = FreshnessState::never_synced;
  if (state.needs_repair) freshness.state = FreshnessState::needs_repair;
  Freshness seen = seen_at(std::move(freshness), now, max_staleness);
  if (state.in_doubt && seen.state == FreshnessState::fresh) seen.state = FreshnessState::stale;
  return seen;
}

Freshness seen_at(Freshness freshness, Clock::time_point now,
                  std::chrono::milliseconds max_staleness) {
  freshness.age = age_at(freshness, now);
  FreshnessState& state = freshness.state;
  if (state == FreshnessState::needs_repair || state == FreshnessState::never_synced) {
    return freshness;
  }
  const bool young = freshness.age && *freshness.age <= max_staleness;
  state = young && freshness.doubt.empty() ? FreshnessState::fresh : FreshnessState::stale;
  return freshness;
}

}  // namespace tidemark::cache
