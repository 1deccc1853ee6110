// Timing for the benchmarks: a subject against its floor, measured in turns in one run, so that
// what else the machine does falls on both. What counts is the ratio; times are printed with it.
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

struct Comparison {
  Spread floor;    // seconds a round
  Spread subject;  // seconds a round
  Spread ratio;    // subject / floor, of each round's pair
  int rounds = 0;
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
[[nodiscard]] double time_of(Clock clock, Work& work) {
  const double start = seconds_of(clock);
  work();
  return seconds_of(clock) - start;
}

// Both are callables that do the same number of operations; each runs once before it counts. The
// order within a pair alternates.
template <typename Floor, typename Subject>
[[nodiscard]] Comparison compare(Clock clock, int rounds, Floor floor, Subject subject) {
  rounds = std::max(rounds, kRoundsMin);
  floor();
  subject();
  std::vector<double> floors;
  std::vector<double> subjects;
  std::vector<double> ratios;
  for (int round = 0; round < rounds; ++round) {
    const bool floor_first = round % 2 == 0;
    if (floor_first) floors.push_back(time_of(clock, floor));
    subjects.push_back(time_of(clock, subject));
    if (!floor_first) floors.push_back(time_of(clock, floor));
    ratios.push_back(subjects.back() / floors.back());
  }
  return {spread_of(floors), spread_of(subjects), spread_of(ratios), rounds};
}

// "1.24 us"
inline std::string time_text(double seconds) {
  char text[32];
  if (seconds < 1e-6) {
    std::snprintf(text, sizeof text, "%.0f ns", seconds * 1e9);
  } else if (seconds < 1e-3) {
    std::snprintf(text, sizeof text, "%.2f us", seconds * 1e6);
  } else if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.1f ms", seconds * 1e3);
  } else {
    std::snprintf(text, sizeof text, "%.2f s", seconds);
  }
  return text;
}

// One line; `operations` in a round, to print the time of one.
inline void print(const std::string& name, const Comparison& c, double operations = 1) {
  std::printf("%-34s %5.2f x floor (quartiles %.2f-%.2f, %d rounds): %s against %s\n", name.c_str(),
              c.ratio.median, c.ratio.low, c.ratio.high, c.rounds,
              time_text(c.subject.median / operations).c_str(),
              time_text(c.floor.median / operations).c_str());
  std::fflush(stdout);
}

// Ends the program when a benchmark did not do what it measures.
inline void require(bool condition, const std::string& what) {
  if (condition) return;
  std::fprintf(stderr, "benchmark: %s\n", what.c_str());
  std::exit(1);
}

}  // namespace tidemark::bench
