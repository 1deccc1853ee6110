// The engine against a model of its source: random changes, random trouble, one seed. A failure
// prints what repeats it: TIDEMARK_SIM_SEED and TIDEMARK_SIM_STEPS.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "tests/fault/simulation/runner.h"
#include "tests/fault/simulation/settings.h"

namespace tidemark::simulation {
namespace {

constexpr std::size_t kStepsOfOne = 1'000;  // then a new source: its history is kept in memory
constexpr std::uint64_t kRunsOfANote = 50;  // a million steps take most of an hour

TEST(Simulation, no_cache_is_ever_wrong_and_each_is_exact_when_quiet) {
  const std::uint64_t steps = steps_asked();
  Tally all;
  for (std::uint64_t run = 0; all.steps < steps; ++run) {
    Simulation simulation(seed() + run);
    const auto failure = simulation.run(std::min<std::uint64_t>(kStepsOfOne, steps - all.steps));
    all.add(simulation.tally());
    ASSERT_FALSE(failure) << failure->text << "repeat it with TIDEMARK_SIM_SEED=" << seed() + run
                          << " TIDEMARK_SIM_STEPS=" << failure->step;
    if (run % kRunsOfANote == kRunsOfANote - 1) std::fprintf(stderr, "%zu steps\n", all.steps);
  }
  std::printf(
      "seed %llu: %zu steps, %zu changes, %zu passes (%zu failed, %zu killed, %zu fills, %zu of "
      "them resumed), %zu looks (%zu exact)\n",
      static_cast<unsigned long long>(seed()), all.steps, all.changes, all.passes, all.failed,
      all.killed, all.fills, all.resumed, all.looks, all.exact);
}

TEST(Simulation, holds_with_a_clock_that_jumps_at_every_step) {
  const std::uint64_t steps = std::max<std::uint64_t>(steps_asked() / 10, 100);
  std::size_t done = 0;
  for (std::uint64_t run = 0; done < steps; ++run) {
    Simulation simulation(seed() + run);
    simulation.let_the_clock_jump();
    const auto failure = simulation.run(std::min<std::uint64_t>(kStepsOfOne, steps - done));
    done += simulation.tally().steps;
    ASSERT_FALSE(failure) << failure->text << "TIDEMARK_SIM_SEED=" << seed() + run
                          << " TIDEMARK_SIM_STEPS=" << failure->step * 10;
  }
  std::printf("seed %llu: %zu steps\n", static_cast<unsigned long long>(seed()), done);
}

TEST(Simulation, repeats_itself_from_its_seed) {
  constexpr std::size_t kSteps = 300;
  Simulation once(seed());
  Simulation again(seed());
  ASSERT_FALSE(once.run(kSteps));
  ASSERT_FALSE(again.run(kSteps));
  EXPECT_EQ(once.trace(), again.trace());
  Simulation another(seed() + 1);
  ASSERT_FALSE(another.run(kSteps));
  EXPECT_NE(once.trace(), another.trace());
}

}  // namespace
}  // namespace tidemark::simulation
