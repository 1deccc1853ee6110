// Who waits for which pass, and what a pass's end means.
#include "daemon/jobs.h"

#include <gtest/gtest.h>

#include "daemon/describe.h"

namespace tidemark::daemon {
namespace {

struct Asker {
  Listener listener() {
    return {[this](const Progress&) { ++progress; },
            [this](const Result<Done>& result) {
              ++answers;
              refused = !result;
            }};
  }
  int progress = 0;
  int answers = 0;
  bool refused = false;
};

Ask ask(Work work) {
  Ask out;
  out.work = work;
  return out;
}

const Result<Done> kDone = Done(SyncReport{});

TEST(Jobs, those_who_ask_the_same_before_it_starts_share_a_pass) {
  Jobs jobs;
  Asker one;
  Asker two;
  jobs.ask(ask(Work::sync), one.listener());
  jobs.ask(ask(Work::sync), two.listener());
  EXPECT_EQ(jobs.waiting(), 1U);
  ASSERT_NE(jobs.start(), nullptr);
  jobs.progress({});
  jobs.end(kDone);
  EXPECT_EQ(one.answers + two.answers, 2);
  EXPECT_EQ(one.progress + two.progress, 2);
  EXPECT_EQ(jobs.start(), nullptr);
}

// It may have read the source before what the asker wrote.
TEST(Jobs, a_pass_that_runs_already_is_not_joined) {
  Jobs jobs;
  Asker early;
  Asker late;
  jobs.ask(ask(Work::sync), early.listener());
  ASSERT_NE(jobs.start(), nullptr);
  jobs.ask(ask(Work::sync), late.listener());
  EXPECT_EQ(jobs.start(), nullptr);  // single flight
  jobs.end(kDone);
  EXPECT_EQ(early.answers, 1);
  EXPECT_EQ(late.answers, 0);
  ASSERT_NE(jobs.start(), nullptr);
  jobs.end(kDone);
  EXPECT_EQ(late.answers, 1);
}

TEST(Jobs, an_automatic_pass_that_runs_is_not_joined_either) {
  Jobs jobs;
  Asker asker;
  jobs.add(ask(Work::sync), Trigger::interval);
  ASSERT_NE(jobs.start(), nullptr);
  jobs.ask(ask(Work::sync), asker.listener());
  jobs.end(kDone);
  EXPECT_EQ(asker.answers, 0);
  EXPECT_EQ(jobs.waiting(), 1U);
}

TEST(Jobs, who_asks_for_something_else_gets_a_pass_of_their_own_in_order) {
  Jobs jobs;
  Asker asker;
  jobs.ask(ask(Work::rebuild), asker.listener());
  Ask full = ask(Work::sync);
  full.full = true;
  jobs.ask(full, asker.listener());
  jobs.ask(ask(Work::sync), asker.listener());
  for (const Ask& expected : {ask(Work::rebuild), full, ask(Work::sync)}) {
    const Job* const job = jobs.start();
    ASSERT_NE(job, nullptr);
    EXPECT_EQ(job->ask, expected);
    jobs.end(kDone);
  }
}

TEST(Jobs, a_stop_refuses_those_who_wait_but_not_the_one_that_runs) {
  Jobs jobs;
  Asker running;
  Asker waiting;
  jobs.ask(ask(Work::sync), running.listener());
  ASSERT_NE(jobs.start(), nullptr);
  jobs.ask(ask(Work::repair), waiting.listener());
  jobs.refuse_waiting({ErrorCode::cancelled, "stops", {}, {}});
  EXPECT_TRUE(waiting.refused);
  EXPECT_EQ(running.answers, 0);
  jobs.end(kDone);
  EXPECT_EQ(running.answers, 1);
  EXPECT_FALSE(running.refused);
}

PassEnd end_of(ErrorCode code, bool own) {
  return judge(std::unexpected(Error{code, "m", {}, {}}), own).end;
}

TEST(Outcome, errors_of_the_source_are_the_schedules_and_those_of_a_question_are_not) {
  for (const bool own : {true, false}) {
    EXPECT_EQ(end_of(ErrorCode::unavailable, own), PassEnd::failed);
    EXPECT_EQ(end_of(ErrorCode::rejected, own), PassEnd::needs_help);
  }
  EXPECT_EQ(end_of(ErrorCode::invalid, true), PassEnd::needs_help);
  EXPECT_EQ(end_of(ErrorCode::busy, true), PassEnd::failed);
  EXPECT_EQ(end_of(ErrorCode::invalid, false), PassEnd::ignored);
  EXPECT_EQ(end_of(ErrorCode::busy, false), PassEnd::ignored);
}

TEST(Outcome, a_pass_that_changed_nothing_is_no_news) {
  SyncReport report;
  report.mode = "delta";
  EXPECT_EQ(judge(Done(report), true).level, Level::debug);
  report.collections["episodes"].upserted = 2;
  const Outcome news = judge(Done(report), true);
  EXPECT_EQ(news.level, Level::info);
  EXPECT_NE(news.text.find("2 rows written"), std::string::npos) << news.text;
  report.freshness.catching_up = true;
  EXPECT_EQ(judge(Done(report), true).end, PassEnd::more);
}

TEST(Outcome, a_request_may_name_the_daemons_source_in_any_form_and_no_other) {
  EXPECT_FALSE(other_source("", "libsql://db.example"));
  EXPECT_FALSE(other_source("https://DB.example/", "libsql://db.example"));
  const auto other = other_source("libsql://other.example", "libsql://db.example");
  ASSERT_TRUE(other);
  EXPECT_EQ(other->code, ErrorCode::invalid);
}

}  // namespace
}  // namespace tidemark::daemon
