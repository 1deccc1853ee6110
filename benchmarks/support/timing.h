// Timing for the benchmarks: a subject against its floor, measured in turns in one run, so that
// what else the machine does falls on both. What counts is the ratio; times are kept with it.
#pragma once

#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

namespace tidemark::bench {

inline constexpr int kRoundsMin = 7;

// Median and quartiles of a sample.
struct Spread {
  double median = 0;
  double low = 0;   // first quartile
  double high = 0;  // third quartile
};

inline Spread spread_of(std::vector<double> sample) {
  std::ranges::sort(sample);
  const auto at = [&](std::size_t quarter) { return sample[(sample.size() - 1) * quarter / 4]; };
  return {at(2), at(1), at(3)};
}

// Rounds of a floor and a subject that were measured in turns, in seconds.
struct Pairs {
  std::vector<double> floor;
  std::vector<double> subject;

  void add(double floor_seconds, double subject_seconds) {
    floor.push_back(floor_seconds);
    subject.push_back(subject_seconds);
  }
  [[nodiscard]] int rounds() const { return static_cast<int>(subject.size()); }
  // subject / floor of each pair.
  [[nodiscard]] std::vector<double> ratios() const {
    std::vector<double> out;
    for (std::size_t i = 0; i < subject.size(); ++i) out.push_back(subject[i] / floor[i]);
    return out;
  }
};

// `wall`: what a person waits. `cpu`: what this thread spent, the same but for waiting; for work
// that never waits, since another program's turn on the core is then no part of the figure.
enum class Clock { wall, cpu };

[[nodiscard]] inline double seconds_of(Clock clock) {
  timespec now{};
  ::clock_gettime(clock == Clock::wall ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

template <typename Work>
[[nodiscard]] double time_of(Clock clock, Work&& work) {
  const double start = seconds_of(clock);
  work();
  return seconds_of(clock) - start;
}

// Both are callables that do the same number of operations; each runs once before it counts. The
// order within a pair alternates.
template <typename Floor, typename Subject>
[[nodiscard]] Pairs compare(Clock clock, int rounds, Floor floor, Subject subject) {
  rounds = std::max(rounds, kRoundsMin);
  floor();
  subject();
  Pairs pairs;
  for (int round = 0; round < rounds; ++round) {
    if (round % 2 == 0) {
      const double least = time_of(clock, floor);
      pairs.add(least, time_of(clock, subject));
    } else {
      const double took = time_of(clock, subject);
      pairs.add(time_of(clock, floor), took);
    }
  }
  return pairs;
}

// Ends the program when a benchmark did not do what it measures.
inline void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "benchmark: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace tidemark::bench
