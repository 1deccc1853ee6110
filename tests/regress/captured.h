// A source whose changes are captured, a cache that follows it, and what each pass must bring.
#pragma once

#include <string>
#include <utility>

#include "tests/integration/world.h"
#include "tidemark/capture.h"

namespace tidemark::regress {

class Captured : public ::testing::Test {
 protected:
  // 20 episodes, two for each order value; two patterns, two heuristics, an embedding for each
  // episode.
  Captured() {
    world.source.run("PRAGMA synchronous = OFF");  // of the many small writes of a test
    world.source.run(R"(
      WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19)
        INSERT INTO episodes SELECT printf('e%02d', i), 'task ' || i, i / 2, i / 3.0, NULL FROM n;
      INSERT INTO patterns VALUES('p1', 'tool', 'one'), ('p2', 'tool', 'two');
      INSERT INTO heuristics VALUES(1, 'when one'), (2, 'when two');
      INSERT INTO embeddings SELECT 'm' || episode_id, episode_id, 'episode', '[1, 2]', NULL, 2
        FROM episodes;)");
  }

  CaptureStatus install() {
    auto admin = CaptureAdmin::open(world.url());
    const auto plan = admin->plan({});
    EXPECT_TRUE(plan) << (plan ? "" : plan.error().message);
    if (!plan) return {};
    const auto status = admin->apply(*plan, {});
    EXPECT_TRUE(status) << (status ? "" : status.error().message);
    return status ? *status : CaptureStatus{};
  }
  // Capture, and a cache of the newest n episodes.
  void begin(std::uint64_t n = 1'000) {
    EXPECT_TRUE(install().healthy);
    const auto report = world.sync_newest(n);
    ASSERT_TRUE(report) << report.error().message;
    window = n;
    world.expect_equal(n);
  }
  void write(const std::string& sql) { world.source.run(sql); }

  // A pass in this mode, after which the cache is the scope.
  SyncReport sync_by(const std::string& mode) {
    const auto report = world.sync();
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    if (!report) return {};
    EXPECT_EQ(report->mode, mode) << report->reason;
    EXPECT_TRUE(report->freshness.doubt.empty()) << report->freshness.doubt;
    world.expect_equal(window);
    return *report;
  }
  SyncReport follow() {
    SyncReport report = sync_by("delta");
    EXPECT_TRUE(report.freshness.consistent);
    return report;
  }
  // A pass that must doubt, in these words, and read everything.
  void doubt(const std::string& words) {
    const SyncReport report = sync_by("reconcile");
    EXPECT_NE(report.reason.find(words), std::string::npos) << report.reason;
    follow();
  }

  support::World world;
  std::uint64_t window = 1'000;
};

}  // namespace tidemark::regress
