// max_rows_read_per_pass: a pass ends before it would exceed it, and nothing is lost.
#include <gtest/gtest.h>

#include "tests/integration/world.h"
#include "tidemark/capture.h"

namespace tidemark {
namespace {

class RowLimit : public testing::Test {
 protected:
  // Episodes and as many embeddings.
  void insert(int from, int to) {
    const std::string numbers = "WITH RECURSIVE n(i) AS (SELECT " + std::to_string(from) +
                                " UNION ALL SELECT i + 1 FROM n WHERE i < " + std::to_string(to) +
                                ") ";
    world.source.run(numbers +
                     "INSERT INTO episodes SELECT printf('e%05d', i), 'task', i, 1, NULL FROM n;" +
                     numbers +
                     "INSERT INTO embeddings SELECT printf('m%05d', i), printf('e%05d', i), "
                     "'episode', '[1, 2]', NULL, 2 FROM n");
  }

  Result<SyncReport> pass(std::uint64_t limit, const SyncRequest& request = {}) {
    config.max_rows_read_per_pass = limit;
    auto syncer = Syncer::open(world.url(), world.cache(), config);
    if (!syncer) return std::unexpected(syncer.error());
    return syncer->sync({}, request);
  }

  void expect_refused(std::uint64_t limit, const SyncRequest& request = {}) {
    const auto report = pass(limit, request);
    ASSERT_FALSE(report) << report->mode;
    EXPECT_EQ(report.error().code, ErrorCode::invalid) << report.error().message;
    EXPECT_NE(report.error().message.find("max_rows_read_per_pass = " + std::to_string(limit)),
              std::string::npos)
        << report.error().message;
    EXPECT_NE(report.error().hint.find("raise max_rows_read_per_pass"), std::string::npos);
  }

  void install_capture() {
    auto admin = CaptureAdmin::open(world.url());
    ASSERT_TRUE(admin);
    const auto plan = admin->plan({});
    ASSERT_TRUE(plan);
    ASSERT_TRUE(admin->apply(*plan, {}));
  }

  support::World world;
  SyncConfig config;
};

TEST_F(RowLimit, refuses_a_fill_that_would_exceed_it_and_fills_where_it_is_enough) {
  insert(1, 800);
  expect_refused(1'000);  // a list of 800, and then their rows
  EXPECT_FALSE(inspect(world.cache()).exists);
  const auto filled = pass(10'000);
  ASSERT_TRUE(filled) << filled.error().message;
  world.expect_equal(1'000);
}

TEST_F(RowLimit, refuses_a_scan_before_anything_is_read_and_the_cache_stays_as_it_was) {
  insert(1, 800);
  ASSERT_TRUE(pass(0));
  world.source.run("UPDATE episodes SET task_description = 'later'");
  expect_refused(2'000);  // known to be 3,200 at the least
  EXPECT_EQ(world.cached("episodes", "task_description").at("e00001"), "task");
  EXPECT_EQ(inspect(world.cache()).freshness.state, FreshnessState::fresh);
  EXPECT_FALSE(inspect(world.cache()).freshness.source_unavailable_since);
  SyncRequest fewer;
  fewer.max_episodes_cache = 100;
  fewer.set_scope = true;
  const auto report = pass(2'000, fewer);
  ASSERT_TRUE(report) << report.error().message;
  world.expect_equal(100);
}

TEST_F(RowLimit, keeps_the_delta_that_came_before_an_audit_which_it_refuses) {
  insert(1, 800);
  install_capture();
  ASSERT_TRUE(pass(0));
  world.source.run("UPDATE episodes SET task_description = 'later' WHERE episode_id = 'e00007'");
  config.validate_checksums = true;
  expect_refused(2'000);
  world.expect_equal(1'000);
  config.validate_checksums = false;
  EXPECT_EQ(pass(2'000)->reason, "nothing changed");
}

TEST_F(RowLimit, a_long_log_is_followed_over_several_passes) {
  insert(1, 10);
  install_capture();
  ASSERT_TRUE(pass(0));
  insert(11, 900);
  std::uint64_t before = 0;
  std::size_t refused = 0;
  for (bool done = false; !done;) {
    const auto report = pass(2'000);
    done = report.has_value();
    if (!done) ++refused;
    ASSERT_TRUE(done || report.error().code == ErrorCode::invalid) << report.error().message;
    const std::uint64_t now = world.cached_keys("episodes").size();
    ASSERT_TRUE(done || now > before) << "no pass gets further than " << now;
    before = now;
  }
  EXPECT_GT(refused, 0U);
  EXPECT_TRUE(inspect(world.cache()).freshness.consistent);
  world.expect_equal(1'000);
}

}  // namespace
}  // namespace tidemark
