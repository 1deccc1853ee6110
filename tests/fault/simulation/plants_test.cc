// The simulation is proven: each rule that the engine is made to break is noticed.
#include <gtest/gtest.h>

#include <cstdio>

#include "tests/fault/simulation/runner.h"
#include "tests/fault/simulation/settings.h"

namespace tidemark::simulation {
namespace {

constexpr std::size_t kStepsOfOne = 1'000;
constexpr std::size_t kStepsMax = 40'000;  // most are noticed within a few hundred

TEST(Plants, are_all_noticed) {
  for (const PlantInfo& info : all_plants()) {
    std::optional<Failure> failure;
    std::size_t steps = 0;
    for (std::uint64_t run = 0; !failure && steps < kStepsMax; ++run) {
      Simulation simulation(seed() + run, info.plant);
      failure = simulation.run(kStepsOfOne);
      steps += simulation.tally().steps;
    }
    EXPECT_TRUE(failure) << info.name << " (" << info.rule << ") was not noticed";
    if (!failure) continue;
    std::printf("%-48s %-60s noticed at step %4zu: %s\n", info.name, info.rule, steps,
                failure->text.substr(0, failure->text.find('\n')).c_str());
  }
}

}  // namespace
}  // namespace tidemark::simulation
