// Passes that follow the change log: what they cost, what they bring, and what makes them doubt.
#include <gtest/gtest.h>

#include <filesystem>

#include "tests/integration/captured.h"
#include "tests/integration/hooked_pass.h"
#include "tests/integration/world.h"
#include "tests/support/turso_server.h"
#include "tidemark/capture.h"

namespace tidemark {
namespace {

using support::install_capture;

class Delta : public testing::Test {
 protected:
  Delta() {
    world.source.run(support::kForty);
    install_capture(world.url());
  }

  // A pass that must follow the log.
  SyncReport follow(std::uint64_t n = 1'000) {
    const auto report = world.sync();
    EXPECT_TRUE(report) << (report ? "" : report.error().message);
    if (!report) return {};
    EXPECT_EQ(report->mode, "delta") << report->reason;
    EXPECT_TRUE(report->freshness.consistent);
    world.expect_equal(n);
    return *report;
  }

  support::World world;
};

TEST_F(Delta, a_pass_with_nothing_to_do_is_one_request_and_no_commit) {
  ASSERT_TRUE(world.sync());
  const SyncReport report = follow();
  EXPECT_EQ(report.requests, 1U);
  EXPECT_EQ(report.commits, 0U);
  EXPECT_EQ(report.reason, "nothing changed");
}

TEST_F(Delta, edits_of_every_kind_are_one_request_and_one_commit) {
  ASSERT_TRUE(world.sync());
  world.source.run(R"(
    UPDATE episodes SET task_description = 'edited' WHERE episode_id = 'e05';
    UPDATE episodes SET start_time = 99 WHERE episode_id = 'e03';
    UPDATE episodes SET episode_id = 'renamed' WHERE episode_id = 'e04';
    DELETE FROM episodes WHERE episode_id IN ('e07', 'e01');
    INSERT INTO episodes VALUES('new', 'task', 50, 1, x'00');
    INSERT OR REPLACE INTO patterns VALUES('p1', 'tool', 'replaced');
    DELETE FROM heuristics WHERE heuristic_id = 2;
    UPDATE embeddings SET item_id = 'new' WHERE embedding_id = 'me07';
    INSERT INTO embeddings VALUES('mnew', 'new', 'episode', '[7, 8]', NULL, 2);
    DELETE FROM embeddings WHERE embedding_id = 'mp1';)");
  const SyncReport report = follow();
  EXPECT_EQ(report.requests, 1U);
  EXPECT_EQ(report.commits, 1U);
  EXPECT_EQ(report.episodes_synced, 4U);
  EXPECT_EQ(follow().commits, 0U);
}

TEST_F(Delta, a_window_is_filled_from_below_and_evicts_what_is_too_much) {
  ASSERT_TRUE(world.sync_newest(10));
  world.source.run("DELETE FROM episodes WHERE start_time >= 17");
  EXPECT_GT(follow(10).requests, 1U);  // what lies below the window is asked for
  world.source.run("INSERT INTO episodes VALUES('n1', 'a', 70, 1, NULL), ('n2', 'b', 71, 1, NULL)");
  EXPECT_EQ(follow(10).collections.at("episodes").evicted, 2U);
  world.source.run("UPDATE episodes SET start_time = NULL WHERE episode_id = 'n2'");
  follow(10);
  world.source.run("DELETE FROM episodes WHERE episode_id < 'e30'");
  follow(10);
  world.source.run("DELETE FROM episodes");
  follow(10);
}

TEST_F(Delta, ten_thousand_changes_to_one_row_and_a_change_of_every_row_are_caught_up_with) {
  ASSERT_TRUE(world.sync());
  world.source.run(R"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
      INSERT INTO episodes SELECT 'bulk' || i, 'task', 100 + i % 7, 1, NULL FROM n;)");
  world.source.run("BEGIN");
  for (int i = 0; i < 10'000; ++i) {
    world.source.run("UPDATE episodes SET reward = " + std::to_string(i) +
                     " WHERE episode_id = 'e39'");
  }
  world.source.run("COMMIT");
  const SyncReport report = follow();
  EXPECT_GT(report.commits, 10U);
  EXPECT_EQ(report.collections.at("episodes").deleted, 0U);
}

TEST_F(Delta, ranges_that_ask_for_more_are_caught_up_with_too) {
  ASSERT_TRUE(world.sync_newest(10));
  world.source.run(
      "UPDATE episodes SET task_description = CAST(x'ff' AS TEXT) "
      "WHERE episode_id = 'e39'");
  ASSERT_TRUE(world.sync());  // on the skip list: retried in each range
  world.source.run(R"(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
      INSERT INTO episodes SELECT 'bulk' || i, 'task', 5, 1, NULL FROM n;
      DELETE FROM episodes WHERE start_time >= 17 AND episode_id <> 'e39';
      UPDATE episodes SET reward = 2;)");
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "delta") << report->reason;
  EXPECT_GT(report->commits, 2U);
  EXPECT_TRUE(report->freshness.consistent);
  EXPECT_EQ(world.cached("episodes", "task_description").size(), 9U);
}

TEST_F(Delta, a_restored_backup_is_doubted_told_and_healed) {
  const std::string database = world.folder.file("source.db");
  const std::string backup = world.folder.file("backup.db");
  world.source.run("VACUUM INTO '" + backup + "'");
  world.source.run("UPDATE episodes SET task_description = 'later'");
  ASSERT_TRUE(world.sync());
  std::filesystem::copy_file(backup, database, std::filesystem::copy_options::overwrite_existing);
  support::SqliteSource restored(database);
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "reconcile");
  EXPECT_NE(report->reason.find("restored"), std::string::npos) << report->reason;
  EXPECT_EQ(world.cached("episodes", "task_description").at("e05"), "task 5");
  EXPECT_TRUE(report->freshness.doubt.empty());
  follow();
}

TEST_F(Delta, a_doubt_stays_told_while_the_source_cannot_be_read) {
  ASSERT_TRUE(world.sync());
  world.source.run("DROP TRIGGER tidemark_insert_episodes");
  // The pass learns of it, and is then stopped by whoever watches.
  std::stop_source stop;
  SyncRequest request;
  request.progress = [&](const Progress& progress) {
    if (progress.phase == "discover") stop.request_stop();
  };
  auto syncer = Syncer::open(world.url(), world.cache(), {});
  ASSERT_TRUE(syncer);
  EXPECT_FALSE(syncer->sync(stop.get_token(), request));
  auto reader = Reader::open(world.cache());
  ASSERT_TRUE(reader);
  EXPECT_NE(reader->freshness()->doubt.find("tidemark_insert_episodes"), std::string::npos);
  EXPECT_EQ(reader->get("patterns", "nobody")->presence(), Presence::unknown);
  const auto healed = world.sync();  // by reading everything, as long as capture is unhealthy
  ASSERT_TRUE(healed);
  EXPECT_EQ(healed->mode, "scan");
  EXPECT_EQ(reader->get("patterns", "nobody")->presence(), Presence::absent);
}

TEST_F(Delta, a_log_that_was_pruned_too_far_leads_to_a_reconcile) {
  ASSERT_TRUE(world.sync());
  world.source.run("UPDATE patterns SET pattern_data = 'pruned away'");
  auto admin = CaptureAdmin::open(world.url());
  ASSERT_TRUE(admin);
  const CaptureRequest prune{CaptureAction::prune, 0};
  const auto plan = admin->plan(prune);
  ASSERT_TRUE(plan);
  ASSERT_TRUE(admin->apply(*plan, prune));
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "reconcile");
  EXPECT_NE(report->reason.find("pruned"), std::string::npos) << report->reason;
  world.expect_equal(1'000);
  follow();
}

TEST_F(Delta, a_row_that_cannot_be_cached_is_listed_until_it_can) {
  ASSERT_TRUE(world.sync());
  world.source.run("UPDATE embeddings SET dimension = 3 WHERE embedding_id = 'me09'");
  auto report = world.sync();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->mode, "delta");
  EXPECT_EQ(report->freshness.incomplete, 1U);
  world.source.run("UPDATE embeddings SET dimension = 2 WHERE embedding_id = 'me09'");
  report = world.sync();
  ASSERT_TRUE(report);
  EXPECT_EQ(report->freshness.incomplete, 0U);
  world.expect_equal(1'000);
}

TEST_F(Delta, a_source_that_is_written_all_the_time_keeps_no_pass_from_ending) {
  ASSERT_TRUE(world.sync());
  world.source.run("UPDATE embeddings SET dimension = 3 WHERE embedding_id = 'me09'");
  ASSERT_TRUE(world.sync());  // retried in each range, so that each reads later than its range
  std::size_t writes = 0;     // as by an agent that never rests
  const auto report = support::sync_with(world, [&](std::size_t, const turso::Batch&) {
    if (++writes < 1'000)
      world.source.run("UPDATE patterns SET pattern_data = pattern_data || 'x'");
  });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "delta");
  EXPECT_LT(writes, 50U);
  EXPECT_TRUE(report->freshness.catching_up);
  EXPECT_GT(report->position_lag, 0U);
  auto reader = Reader::open(world.cache());
  ASSERT_TRUE(reader);
  EXPECT_TRUE(reader->freshness()->catching_up);
  using Micros = std::chrono::microseconds;  // as it is stored
  EXPECT_EQ(std::chrono::floor<Micros>(*reader->freshness()->checked_at),
            std::chrono::floor<Micros>(*report->freshness.checked_at));
  EXPECT_EQ(reader->get("patterns", "nobody")->presence(), Presence::unknown);
  const auto rest = world.sync();
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->position_lag, 0U);
  EXPECT_FALSE(reader->freshness()->catching_up);
  EXPECT_EQ(reader->get("patterns", "nobody")->presence(), Presence::absent);
}

TEST_F(Delta, the_real_server_is_followed) {
  const std::string database = world.folder.file("served.db");
  world.source.run("VACUUM INTO '" + database + "'");
  support::TursoServer server(database);
  install_capture(server.url());
  auto syncer = Syncer::open(server.url(), world.folder.file("served.redb"), {});
  ASSERT_TRUE(syncer);
  ASSERT_TRUE(syncer->sync());
  server.execute("UPDATE episodes SET task_description = 'edited' WHERE episode_id = 'e05'");
  server.execute("DELETE FROM episodes WHERE episode_id = 'e06'");
  server.execute("INSERT INTO embeddings VALUES('mnew', 'e05', 'episode', '[7, 8]', NULL, 2)");
  const auto report = syncer->sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "delta") << report->reason;
  EXPECT_EQ(report->requests, 1U);
  EXPECT_EQ(report->commits, 1U);
  EXPECT_EQ(report->collections.at("episodes").upserted, 1U);
  EXPECT_EQ(report->collections.at("episodes").deleted, 1U);
  EXPECT_EQ(report->collections.at("embeddings").upserted, 1U);
  const auto again = syncer->sync();
  ASSERT_TRUE(again);
  EXPECT_EQ(again->requests, 1U);
  EXPECT_EQ(again->commits, 0U);
}

}  // namespace
}  // namespace tidemark
