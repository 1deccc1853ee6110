// A walk that takes its time: slice by slice, with commits, new generations and long rests between.
#include "cache/scrub.h"

#include <gtest/gtest.h>

#include "cache/tuning.h"
#include "tests/support/small_cache.h"

namespace tidemark::cache {
namespace {

using support::episode;

constexpr int kRows = 400;  // of 2 KiB: seven slices of rows

// Files of this process whose path starts so.
int open_files(const std::string& path) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const auto target = std::filesystem::read_symlink(entry.path(), gone);
    if (!gone && target.string().starts_with(path)) ++count;
  }
  return count;
}

class ScrubTest : public ::testing::Test {
 protected:
  ScrubTest() {
    std::vector<EncodedRow> rows;
    for (int n = 0; n < kRows; ++n) {
      rows.push_back(episode("k" + std::to_string(1'000 + n), n, std::string(2'048, 'x')));
    }
    EXPECT_TRUE(support::write_episodes(cache_.path, rows));
    name_generation("1");
  }
  void name_generation(const std::string& name) {
    auto writer = Writer::open(cache_.path, {});
    ASSERT_TRUE(writer);
    auto session = writer->begin();
    session->edit_meta().identity.generation = name;
    ASSERT_TRUE(std::move(*session).commit());
    ASSERT_TRUE(std::move(*writer).close());
  }
  // To the end. false: it failed.
  bool finish() {
    while (true) {
      const auto more = scrub_.step();
      if (!more) ADD_FAILURE() << more.error().message;
      if (!more || !*more) return more.has_value();
      scrub_.rest();
    }
  }
  void step(int count) {
    for (int n = 0; n < count; ++n) {
      const auto more = scrub_.step();
      ASSERT_TRUE(more && *more);
      scrub_.rest();
    }
  }

  support::SmallCache cache_;
  Scrub scrub_{cache_.path, {}};
};

TEST_F(ScrubTest, tells_how_far_it_is_and_keeps_no_file_open_while_it_rests) {
  EXPECT_EQ(scrub_.progress(), 0);
  double before = 0;
  for (bool more = true; more;) {
    const auto stepped = scrub_.step();
    ASSERT_TRUE(stepped);
    more = *stepped;
    EXPECT_GT(open_files(cache_.path), 0);
    scrub_.rest();
    EXPECT_EQ(open_files(cache_.path), 0);
    EXPECT_GE(scrub_.progress(), before);
    before = scrub_.progress();
  }
  EXPECT_EQ(before, 1);
  EXPECT_EQ(scrub_.read().rows, kRows);
  EXPECT_EQ(scrub_.read().bytes, inspect(cache_.path).live_bytes);
  EXPECT_TRUE(scrub_.found().problems.empty());
  EXPECT_TRUE(scrub_.found().unjudged.empty());
}

// A daemon's pass commits each heartbeat that it looked, or rows of another table: a slow walk
// would never get to compare a sum.
TEST_F(ScrubTest, commits_that_leave_a_collections_rows_alone_do_not_begin_it_again) {
  for (int n = 0; n < 4; ++n) {
    step(2);
    ASSERT_TRUE(support::write_episodes(cache_.path, {}));
  }
  ASSERT_TRUE(finish());
  EXPECT_EQ(scrub_.read().rows, kRows);
  EXPECT_TRUE(scrub_.found().problems.empty());
  EXPECT_TRUE(scrub_.found().unjudged.empty());
}

TEST_F(ScrubTest, a_commit_of_its_rows_begins_it_again_in_a_hurry_and_too_many_leave_it_unjudged) {
  step(2);
  const double before = scrub_.progress();
  ASSERT_TRUE(support::write_episodes(cache_.path, {episode("k1000", 1, "edited")}));
  EXPECT_FALSE(scrub_.hurries());
  step(1);
  EXPECT_TRUE(scrub_.hurries());
  EXPECT_LT(scrub_.progress(), before);
  for (int n = 0; n < kScrubRestartsMax; ++n) {
    ASSERT_TRUE(support::write_episodes(cache_.path, {episode("k1001", n, "edited")}));
    step(1);
  }
  EXPECT_FALSE(scrub_.hurries());
  ASSERT_TRUE(finish());
  EXPECT_GT(scrub_.read().rows, kRows);
  EXPECT_TRUE(scrub_.found().problems.empty());
  EXPECT_EQ(scrub_.found().unjudged, std::vector<std::string>{"episodes"});
}

TEST_F(ScrubTest, a_new_generation_is_walked_from_its_start) {
  step(3);
  std::filesystem::remove(cache_.path);
  ASSERT_TRUE(support::write_episodes(cache_.path, {episode("a", 1, "one")}));
  name_generation("2");
  ASSERT_TRUE(finish());
  EXPECT_EQ(scrub_.found().rows, 1U);
  EXPECT_EQ(scrub_.progress(), 1);
}

}  // namespace
}  // namespace tidemark::cache
