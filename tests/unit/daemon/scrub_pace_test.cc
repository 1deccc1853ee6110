// When the scrub's slices are due; the clock is the test's.
#include "daemon/scrub_pace.h"

#include <gtest/gtest.h>

#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

Slice slice_at(double progress, std::uint64_t bytes = 1'000) {
  Slice slice;
  slice.bytes = bytes;
  slice.progress = progress;
  return slice;
}

Slice end_of(WalkEnd end) {
  Slice slice = slice_at(1);
  slice.ended = end;
  return slice;
}

class ScrubPaceTest : public ::testing::Test {
 protected:
  // Until the next slice is due, after one that took no time.
  milliseconds looked(const Slice& slice) {
    pace_.looked(slice, now_);
    return wait();
  }
  milliseconds wait() const {
    return std::chrono::duration_cast<milliseconds>(pace_.next().value() - now_);
  }

  ScrubPace::Time now_{seconds(1'000'000)};
  ScrubPace pace_{hours(1), now_};
};

TEST_F(ScrubPaceTest, the_first_slice_is_due_at_once_and_the_others_are_spread_over_the_interval) {
  EXPECT_EQ(pace_.next(), now_);
  EXPECT_EQ(looked(slice_at(0.25)), minutes(15));
  now_ += minutes(15);
  EXPECT_EQ(looked(slice_at(0.5)), minutes(15));
  now_ += minutes(15);
  EXPECT_EQ(looked(end_of(WalkEnd::intact)), minutes(30));
  now_ += minutes(30);
  EXPECT_EQ(looked(slice_at(0.25)), minutes(15));
}

TEST_F(ScrubPaceTest, a_cache_too_large_for_the_interval_is_read_at_the_highest_rate) {
  now_ += minutes(59);  // and a hundredth is done
  EXPECT_EQ(looked(slice_at(0.01, kScrubBytesPerSecondMax / 4)), milliseconds(250));
  EXPECT_EQ(looked(slice_at(0.02, 0)), kScrubSpacingMin);
  now_ += hours(3);
  EXPECT_EQ(looked(end_of(WalkEnd::unjudged)), kScrubSpacingMin);  // late: the next one at once
  now_ += kScrubSpacingMin;
  EXPECT_EQ(looked(slice_at(0.5)), minutes(30));
}

TEST_F(ScrubPaceTest, what_commits_interrupt_is_walked_again_at_the_highest_rate) {
  Slice again = slice_at(0.25, kScrubBytesPerSecondMax / 8);
  again.hurry = true;
  EXPECT_EQ(looked(again), milliseconds(125));
  EXPECT_EQ(looked(slice_at(0.5)), minutes(30));
}

TEST_F(ScrubPaceTest, what_could_not_be_read_is_tried_again_and_damage_ends_a_walk) {
  Slice failed = slice_at(0);
  failed.failed = true;
  EXPECT_EQ(looked(failed), kScrubRetry);
  EXPECT_EQ(looked(end_of(WalkEnd::damaged)), hours(1));
}

TEST_F(ScrubPaceTest, none_is_due_when_it_is_off_and_a_reload_keeps_the_place) {
  EXPECT_EQ(ScrubPace(milliseconds(0), now_).next(), std::nullopt);
  looked(slice_at(0.5));
  pace_.reload(milliseconds(0), now_);
  EXPECT_EQ(pace_.next(), std::nullopt);
  pace_.reload(minutes(10), now_);
  EXPECT_EQ(wait(), milliseconds(0));
  EXPECT_EQ(looked(slice_at(0.75)), milliseconds(150'000));
  pace_.reload(minutes(10), now_ + minutes(1));  // nothing changed
  EXPECT_EQ(wait(), milliseconds(150'000));
}

}  // namespace
}  // namespace tidemark::daemon
