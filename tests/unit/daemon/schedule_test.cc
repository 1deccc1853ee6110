// When the daemon's passes are due; the clock is the test's.
#include "daemon/schedule.h"

#include <gtest/gtest.h>

namespace tidemark::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class ScheduleTest : public ::testing::Test {
 protected:
  void run(PassEnd end, milliseconds length = milliseconds(0)) {
    ASSERT_TRUE(schedule_.due(now_));
    schedule_.pass_started();
    now_ += length;
    schedule_.pass_ended(end, now_);
  }
  milliseconds wait() const {
    return std::chrono::duration_cast<milliseconds>(schedule_.next() - now_);
  }
  // To the moment that the next pass is due, and why it is.
  Trigger advance() {
    EXPECT_FALSE(schedule_.due(schedule_.next() - milliseconds(1)));
    now_ = schedule_.next();
    return schedule_.due(now_).value_or(Trigger::request);
  }

  Schedule::Time now_{seconds(1'000)};
  Timing timing_;
  Schedule schedule_{timing_, 7, now_};
};

TEST_F(ScheduleTest, the_first_pass_is_due_at_the_start) {
  EXPECT_EQ(schedule_.due(now_), Trigger::start_up);
}

TEST_F(ScheduleTest, nothing_is_due_while_a_pass_runs) {
  schedule_.pass_started();
  EXPECT_FALSE(schedule_.due(now_ + seconds(1'000)));
  schedule_.pass_ended(PassEnd::done, now_ + seconds(1'000));
  EXPECT_FALSE(schedule_.due(now_ + seconds(1'000)));
}

TEST_F(ScheduleTest, the_next_comes_an_interval_after_the_end_up_to_a_tenth_sooner) {
  bool differ = false;
  milliseconds before{0};
  for (int n = 0; n < 50; ++n) {
    run(PassEnd::done, seconds(40));
    EXPECT_LE(wait(), timing_.interval);
    EXPECT_GE(wait(), timing_.interval * 9 / 10);
    differ |= n > 0 && wait() != before;
    before = wait();
    EXPECT_EQ(advance(), Trigger::interval);
  }
  EXPECT_TRUE(differ);
}

TEST_F(ScheduleTest, a_source_that_is_away_is_asked_less_and_less_up_to_five_minutes) {
  milliseconds full{1'000};
  for (int n = 0; n < 20; ++n) {
    run(PassEnd::failed);
    EXPECT_LE(wait(), full) << n;
    EXPECT_GE(wait(), full * 3 / 4) << n;
    EXPECT_EQ(schedule_.failures(), static_cast<std::uint32_t>(n + 1));
    EXPECT_EQ(advance(), Trigger::recovery);
    full = std::min(full * 2, milliseconds(300'000));
  }
  run(PassEnd::done);
  EXPECT_EQ(schedule_.failures(), 0U);
  EXPECT_EQ(advance(), Trigger::interval);
  run(PassEnd::failed);
  EXPECT_LE(wait(), seconds(1));
}

TEST_F(ScheduleTest, a_failure_never_makes_a_short_interval_longer_at_once) {
  timing_.interval = milliseconds(100);
  schedule_ = Schedule(timing_, 7, now_);
  run(PassEnd::failed);
  EXPECT_LE(wait(), milliseconds(100));
}

TEST_F(ScheduleTest, what_only_a_person_can_help_waits_for_the_slow_timer) {
  run(PassEnd::needs_help);
  EXPECT_GE(wait(), kSlowRetry * 9 / 10);
  EXPECT_EQ(advance(), Trigger::recovery);
}

TEST_F(ScheduleTest, a_reload_ends_every_wait) {
  for (const PassEnd end : {PassEnd::needs_help, PassEnd::failed, PassEnd::done}) {
    run(end);
    EXPECT_FALSE(schedule_.due(now_));
    schedule_.reload(timing_, now_);
    EXPECT_EQ(schedule_.due(now_), Trigger::reload);
  }
}

// The pass that ran was still told the old configuration.
TEST_F(ScheduleTest, a_reload_during_a_pass_is_followed_by_another_pass) {
  schedule_.pass_started();
  schedule_.reload(timing_, now_);
  EXPECT_FALSE(schedule_.due(now_));
  schedule_.pass_ended(PassEnd::needs_help, now_);
  EXPECT_EQ(schedule_.due(now_), Trigger::reload);
  run(PassEnd::done);
  EXPECT_FALSE(schedule_.due(now_));
}

TEST_F(ScheduleTest, a_reload_brings_the_new_interval) {
  run(PassEnd::done);
  timing_.interval = seconds(5);
  schedule_.reload(timing_, now_);
  run(PassEnd::done);
  EXPECT_LE(wait(), seconds(5));
}

TEST_F(ScheduleTest, a_nudge_brings_a_pass_at_most_each_second) {
  run(PassEnd::done);
  schedule_.nudge(now_ + kNudgeSpacing - milliseconds(1));
  EXPECT_FALSE(schedule_.due(now_ + kNudgeSpacing));
  now_ += kNudgeSpacing;
  schedule_.nudge(now_);
  EXPECT_EQ(schedule_.due(now_), Trigger::nudge);
}

TEST_F(ScheduleTest, a_nudge_does_not_storm_a_source_that_is_away) {
  run(PassEnd::failed);
  schedule_.nudge(now_ + seconds(1) / 2);
  EXPECT_EQ(advance(), Trigger::recovery);
  run(PassEnd::needs_help);
  schedule_.nudge(now_ + seconds(100));
  EXPECT_FALSE(schedule_.due(now_ + seconds(100)));
}

TEST_F(ScheduleTest, more_changes_are_fetched_after_a_moment) {
  run(PassEnd::more);
  EXPECT_LE(wait(), kCatchUpPause);
  EXPECT_EQ(advance(), Trigger::catch_up);
}

TEST_F(ScheduleTest, what_says_nothing_of_the_next_pass_leaves_it_where_it_was) {
  run(PassEnd::done);
  const auto next = schedule_.next();
  schedule_.pass_started();
  now_ += seconds(3);
  schedule_.pass_ended(PassEnd::ignored, now_);
  EXPECT_EQ(schedule_.next(), next);
  EXPECT_EQ(schedule_.failures(), 0U);
}

TEST_F(ScheduleTest, a_pass_on_request_counts_as_the_one_that_was_to_come) {
  run(PassEnd::done);
  now_ += timing_.interval / 2;
  schedule_.pass_started();
  schedule_.pass_ended(PassEnd::done, now_);
  EXPECT_GE(wait(), timing_.interval * 9 / 10);
}

}  // namespace
}  // namespace tidemark::daemon
