// One look after the other at a cache on disk; the pace is scrub_pace_test's.
#include "daemon/scrubber.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cache/lock.h"
#include "tests/support/program.h"
#include "tests/support/small_cache.h"

namespace tidemark::daemon {
namespace {

class ScrubberTest : public ::testing::Test {
 protected:
  void fill() {
    ASSERT_TRUE(support::write_episodes(cache_.path, {support::episode("a", 1, "once in the file"),
                                                      support::episode("b", 2, "another")}));
  }
  // A bit of a row, as a disk would lose it.
  void damage() {
    const auto at = support::text_of(cache_.path).find("once in the file");
    ASSERT_NE(at, std::string::npos);
    const int fd = ::open(cache_.path.c_str(), O_WRONLY | O_CLOEXEC);
    EXPECT_EQ(::pwrite(fd, "n", 1, static_cast<off_t>(at)), 1);
    ::close(fd);
  }
  // The slice that ends the walk, or fails.
  Slice last() {
    Slice slice = scrubber_.look();
    while (!slice.ended && !slice.failed) slice = scrubber_.look();
    return slice;
  }
  [[nodiscard]] FreshnessState state() const { return inspect(cache_.path).freshness.state; }

  support::SmallCache cache_;
  Scrubber scrubber_{cache_.path, 0600};
};

TEST_F(ScrubberTest, fails_until_there_is_a_cache_and_walks_it_again_and_again) {
  EXPECT_TRUE(last().failed);
  fill();
  for (int n = 0; n < 3; ++n) {
    const Slice slice = last();
    EXPECT_EQ(slice.ended, WalkEnd::intact);
    EXPECT_EQ(slice.progress, 1);
  }
}

TEST_F(ScrubberTest, damage_is_marked_under_the_lock_of_the_cache) {
  fill();
  damage();
  auto held = cache::CacheLock::acquire(cache_.path, 0600);
  ASSERT_TRUE(held);
  EXPECT_TRUE(last().failed);
  EXPECT_TRUE(last().failed);  // and tried again, without a new walk
  EXPECT_NE(state(), FreshnessState::needs_repair);
  held = fail(ErrorCode::cancelled, "let go");
  const Slice slice = last();
  EXPECT_EQ(slice.ended, WalkEnd::damaged);
  EXPECT_TRUE(slice.marked);
  ASSERT_EQ(slice.problems.size(), 1U);
  EXPECT_NE(slice.problems.front().find("episodes"), std::string::npos);
  EXPECT_EQ(state(), FreshnessState::needs_repair);
  EXPECT_EQ(last().ended, WalkEnd::damaged);  // a new walk; nobody repaired it
}

}  // namespace
}  // namespace tidemark::daemon
