#include "cache/staleness.h"

#include <gtest/gtest.h>

namespace tidemark::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const std::chrono::system_clock::time_point kThen{seconds(1'700'000'000)};
constexpr milliseconds kMax{60'000};

State checked() {
  State state;
  state.checked_at_us = std::int64_t{1'700'000'000} * 1'000'000;
  return state;
}
Freshness computed(const State& state) { return compute_freshness(state, {}, {}, kThen, kMax); }

TEST(Staleness, what_was_fresh_turns_stale_by_the_time_alone) {
  const Freshness fresh = computed(checked());
  EXPECT_EQ(fresh.state, FreshnessState::fresh);
  EXPECT_EQ(fresh.age, milliseconds(0));
  const Freshness last = seen_at(fresh, kThen + kMax, kMax);
  EXPECT_EQ(last.state, FreshnessState::fresh);
  EXPECT_EQ(last.age, kMax);
  const Freshness stale = seen_at(fresh, kThen + kMax + milliseconds(1), kMax);
  EXPECT_EQ(stale.state, FreshnessState::stale);
  // And back, where more is accepted.
  EXPECT_EQ(seen_at(stale, kThen + kMax + milliseconds(1), 2 * kMax).state, FreshnessState::fresh);
  // A clock that went back is stale, but for a jitter.
  EXPECT_EQ(seen_at(fresh, kThen - seconds(1), kMax).age, milliseconds(0));
  const Freshness back = seen_at(fresh, kThen - seconds(3), kMax);
  EXPECT_EQ(back.state, FreshnessState::stale);
  EXPECT_EQ(back.age, std::nullopt);
}

TEST(Staleness, no_time_makes_fresh_what_is_in_doubt_or_damaged_or_never_was) {
  State doubtful = checked();
  doubtful.in_doubt = true;
  EXPECT_EQ(computed(doubtful).state, FreshnessState::stale);
  Freshness doubt = computed(checked());
  doubt.doubt = "restored";
  EXPECT_EQ(seen_at(doubt, kThen, kMax).state, FreshnessState::stale);
  State damaged = checked();
  damaged.needs_repair = true;
  for (const Freshness& f : {computed(damaged), computed(State{})}) {
    EXPECT_EQ(seen_at(f, kThen, kMax).state, f.state);
    EXPECT_NE(f.state, FreshnessState::fresh);
  }
  EXPECT_EQ(computed(damaged).state, FreshnessState::needs_repair);
  EXPECT_EQ(computed(State{}).state, FreshnessState::never_synced);
}

}  // namespace
}  // namespace tidemark::cache
