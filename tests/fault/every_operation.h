// The storage under the cache fails after N operations, for every N of a small pass: then the file
// holds the old or the new state, whole, no reader ever meets another, and the next pass succeeds.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include "tidemark/reader.h"

namespace tidemark::fault {

// More operations than any pass here has: a pass that still fails then never ends.
inline constexpr std::uint64_t kOperationsMax = 5'000;
// A pass with fewer steps than this was not exercised.
inline constexpr std::uint64_t kOperationsMin = 10;

// Everything that one commit shows of a collection, as one text.
inline std::string contents(const Snapshot& snapshot) {
  std::string text;
  const auto listed = snapshot.scan({.collection = "episodes"}, [&](const Row& row) {
    text += row.to_json();
    return true;
  });
  return listed ? text : "error: " + listed.error().message;
}

inline std::string contents(const std::string& path) {
  const auto reader = Reader::open(path);
  if (!reader) return "error: " + reader.error().message;
  const auto snapshot = reader->snapshot();
  return snapshot ? contents(*snapshot) : "error: " + snapshot.error().message;
}

// Reads on while passes fail. A thread, so that it meets the file at any step.
class Watcher {
 public:
  explicit Watcher(std::string path)
      : path_(std::move(path)), thread_([this](const std::stop_token& stop) { watch(stop); }) {}
  // All that was ever seen; ends the watch.
  std::set<std::string> seen() {
    thread_.request_stop();
    thread_.join();
    return seen_;
  }

 private:
  void watch(const std::stop_token& stop) {
    auto reader = Reader::open(path_);
    while (!stop.stop_requested()) {
      const auto snapshot =
          reader ? reader->snapshot() : Result<Snapshot>(std::unexpected(reader.error()));
      if (snapshot) {
        seen_.insert(contents(*snapshot));
      } else if (snapshot.error().code != ErrorCode::busy) {  // busy: try again in a moment
        seen_.insert("error: " + snapshot.error().message);
      }
      if (!reader) reader = Reader::open(path_);
    }
  }

  const std::string path_;
  std::set<std::string> seen_;
  std::jthread thread_;
};

inline void expect_intact(const std::string& path, std::uint64_t n) {
  const auto checked = check(path, true);
  ASSERT_TRUE(checked) << n << ": " << checked.error().message;
  ASSERT_TRUE(checked->problems.empty()) << n << ": " << checked->problems.front();
}

// `pass(n)` fails after n operations (0: never); `reset` brings the old state back.
template <typename Reset, typename Pass>
void fail_at_every_operation(const std::string& path, Reset reset, Pass pass) {
  reset();
  const std::string before = contents(path);
  ASSERT_TRUE(pass(0));
  const std::string after = contents(path);
  ASSERT_NE(before, after);
  reset();
  Watcher watcher(path);
  std::uint64_t n = 1;
  std::uint64_t kept_new = 0;
  for (; n < kOperationsMax; ++n) {
    const Result<void> done = pass(n);
    const std::string now = contents(path);
    ASSERT_TRUE(now == after || (!done && now == before)) << n << ": " << now;
    if (std::filesystem::exists(path)) expect_intact(path, n);
    kept_new += !done && now == after ? 1U : 0U;
    const Result<void> again = pass(0);
    ASSERT_TRUE(again) << n << ": " << again.error().message;
    ASSERT_EQ(contents(path), after) << n;
    reset();
    ASSERT_EQ(contents(path), before) << n;
    if (done) break;
  }
  for (const std::string& state : watcher.seen()) {
    EXPECT_TRUE(state == before || state == after) << state;
  }
  std::printf("%llu operations, %llu of their failures after the commit\n",
              static_cast<unsigned long long>(n), static_cast<unsigned long long>(kept_new));
  EXPECT_GT(n, kOperationsMin);
  EXPECT_LT(n, kOperationsMax);
}

}  // namespace tidemark::fault
