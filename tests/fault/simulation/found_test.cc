// What the simulation found: each failure again, in a few lines, with its story.
#include <gtest/gtest.h>

#include "tests/integration/captured.h"
#include "tests/integration/hooked_pass.h"
#include "tests/integration/world.h"

namespace tidemark {
namespace {

using support::sync_with;
using support::World;

Freshness freshness(const World& world) { return *Reader::open(world.cache())->freshness(); }

// The list went on after a key that is not UTF-8, its last chunk had no place of the window, and so
// no boundary was kept: the cache called every older episode absent.
TEST(Found, a_bad_key_inside_the_window_does_not_make_it_complete) {
  World world;
  for (const char* const row : {"'a','',4", "CAST(x'FF' AS TEXT),'',3", "'b','',2", "'c','',1"}) {
    world.source.run("INSERT INTO episodes VALUES(" + std::string(row) + ",1,x'')");
  }
  const auto report = world.sync_newest(2);
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(world.cached_keys("episodes"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(Reader::open(world.cache())->get("episodes", "c")->presence(), Presence::unknown);
  EXPECT_FALSE(report->validation.failed()) << report->validation.problems.front();
}

// It was counted for each parent, stored once, and counted anew by the next commit.
TEST(Found, a_bad_embedding_of_two_parents_is_one_skipped_row) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('x','',1,1,x'')");
  world.source.run("INSERT INTO patterns VALUES('x','kind','')");
  world.source.run("INSERT INTO embeddings VALUES('v','x',NULL,NULL,x'0000803F',2)");
  ASSERT_TRUE(world.sync());
  EXPECT_EQ(freshness(world).incomplete, 1U);
}

// An episode that became unfit as it left the window stayed on the skip list of the pass.
TEST(Found, a_bad_row_outside_the_window_is_not_skipped) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('old','',1,1,x'')");
  ASSERT_TRUE(world.sync_newest(1));
  world.source.run("INSERT INTO episodes VALUES('new','',2,1,x'')");
  world.source.run(
      "UPDATE episodes SET task_description = CAST(x'FF' AS TEXT) "
      "WHERE episode_id = 'old'");
  ASSERT_TRUE(world.sync());
  EXPECT_EQ(freshness(world).incomplete, 0U);
}

// Both parents of an embedding went, the second one only when it was confirmed: the pass called its
// own right result wrong.
TEST(Found, an_embedding_that_goes_with_its_second_parent_is_no_difference) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('x','',1,1,x'')");
  world.source.run("INSERT INTO patterns VALUES('x','kind','')");
  world.source.run("INSERT INTO embeddings VALUES('v','x',NULL,'[1,2]',NULL,2)");
  ASSERT_TRUE(world.sync());
  world.source.run("UPDATE episodes SET task_description = CAST(x'FF' AS TEXT)");
  world.source.run("DELETE FROM patterns");
  const auto report = world.sync();
  ASSERT_TRUE(report);
  EXPECT_TRUE(world.cached_keys("embeddings").empty());
  EXPECT_FALSE(report->validation.failed()) << report->validation.problems.front();
}

// The columns were those of a replica that lagged behind, the fingerprint was not: the cache lacked
// the new column until the schema changed again.
TEST(Found, the_columns_are_of_the_schema_that_the_fingerprint_is_of) {
  World world;
  world.source.run("CREATE TABLE embeddings_384(embedding_id TEXT PRIMARY KEY, item_id TEXT)");
  const auto make = [&](const std::string& columns) {
    world.source.run("DROP TABLE episodes; CREATE TABLE episodes(" + columns + ")");
    world.source.run("INSERT INTO episodes(episode_id) VALUES('e')");
  };
  const std::string now = "episode_id TEXT PRIMARY KEY, extra TEXT DEFAULT 'here'";
  make(now);
  const auto lagging = [&](std::size_t number, const turso::Batch&) {
    if (number == 2) make("episode_id TEXT PRIMARY KEY");
    if (number == 3) make(now);
  };
  const auto first = sync_with(world, lagging);
  if (!first) {
    EXPECT_EQ(first.error().code, ErrorCode::unavailable) << first.error().message;
  }
  make(now);
  ASSERT_TRUE(world.sync());
  EXPECT_EQ(world.cached("episodes", "extra").at("e"), "here");
}

// A pattern that no list had was there again when the source was asked for it; its embeddings were
// taken for confirmed, too, at whatever they were long before.
TEST(Found, the_embeddings_of_an_item_that_came_back_are_read_again) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('e','',1,1,x'')");
  world.source.run("INSERT INTO patterns VALUES('p','kind','')");
  world.source.run("INSERT INTO embeddings VALUES('v','p','pattern','old',NULL,NULL)");
  ASSERT_TRUE(world.sync());
  world.source.run("DELETE FROM patterns");
  world.source.run("UPDATE embeddings SET embedding_data = 'new'");
  const auto report = sync_with(world, [&](std::size_t, const turso::Batch& batch) {
    const auto& args = batch.statements.back().args;
    const bool asks_for_it = !args.empty() && args[0] == Value(std::string("p"));
    if (asks_for_it) world.source.run("INSERT OR IGNORE INTO patterns VALUES('p','kind','')");
  });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(world.cached_keys("patterns"), std::vector<std::string>{"p"});
  EXPECT_EQ(world.cached("embeddings", "embedding_data").at("v"), "new");
}

// A replica that lagged was taken for a restored source and read whole; then a reply showed that
// the log went on, and the pass ended. The cache had rows from before its checked_at, and no doubt.
TEST(Found, rows_of_a_replica_that_lags_are_in_doubt_until_the_log_was_followed) {
  int old_rows = 0;
  for (std::size_t lag = 5; old_rows == 0 && lag < 20; ++lag) {
    World world;
    world.source.run(support::kForty);
    support::install_capture(world.url());
    ASSERT_TRUE(world.sync());
    const std::string before = world.cache() + ".before";
    const std::string after = world.cache() + ".after";
    world.source.save_to(before);
    world.source.run("UPDATE patterns SET pattern_data = 'new' WHERE pattern_id = 'p1'");
    world.source.save_to(after);
    ASSERT_EQ(world.sync()->mode, "delta");
    const auto look = [&] {
      const bool has_old = world.cached("patterns", "pattern_data").at("p1") != "new";
      old_rows += has_old ? 1 : 0;
      EXPECT_TRUE(!has_old || !freshness(world).doubt.empty()) << "lag " << lag;
    };
    static_cast<void>(sync_with(world, [&](std::size_t number, const turso::Batch&) {
      if (number == 1 || number == lag + 1) world.source.restore(before);
      if (number == lag) world.source.restore(after);
      look();
    }));
  }
  EXPECT_GT(old_rows, 0);
}

// A log keeps one entry for an item. That of p2, changed before the pass and again during it, had
// moved behind where the log ended at first: the cache said that it was checked, without p2's
// change.
TEST(Found, a_change_that_moved_to_the_end_of_the_log_is_not_taken_for_followed) {
  World world;
  world.source.run(support::kForty);
  support::administer_capture(world.url(), {.keep = 2});
  ASSERT_TRUE(world.sync());
  const auto edit = [&](const std::string& key) {
    world.source.run("UPDATE patterns SET pattern_data = pattern_data || '!' WHERE pattern_id = '" +
                     key + "'");
  };
  for (const char* const key : {"p1", "p2", "e01"}) edit(key);
  const auto checked_at = freshness(world).checked_at;
  std::stop_source stop;
  const auto report = sync_with(
      world,
      [&](std::size_t number, const turso::Batch&) {
        if (number == 2) edit("p2");
        if (number == 3) stop.request_stop();
      },
      [](sync::EngineSetup& setup) { setup.changes_per_range = 1; }, {}, stop.get_token());
  EXPECT_FALSE(report);
  EXPECT_EQ(world.cached("patterns", "pattern_data").at("p2"), "two");
  EXPECT_EQ(freshness(world).checked_at, checked_at);
  ASSERT_TRUE(world.sync());
  EXPECT_EQ(world.cached("patterns", "pattern_data").at("p2"), "two!!");
  EXPECT_GT(freshness(world).checked_at, checked_at);
}

}  // namespace
}  // namespace tidemark
