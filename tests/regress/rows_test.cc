// Holes in single rows: ids that repeat, rows that cannot be cached, order values that tie.
#include "tests/integration/hooked_pass.h"
#include "tests/regress/captured.h"

namespace tidemark::regress {
namespace {

using Rows = Captured;

// Embedding ids repeat across the tables of each dimension: in one collection the last one won, and
// the delete of one took the other along.
TEST_F(Rows, embeddings_of_each_dimension_are_items_of_their_own) {
  for (const char* const table : {"embeddings_2", "embeddings_3"}) {
    write(std::string("CREATE TABLE ") + table +
          "(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT, embedding_data TEXT)");
  }
  write("INSERT INTO embeddings_2 VALUES('same', 'e01', 'episode', '[1, 2]')");
  write("INSERT INTO embeddings_3 VALUES('same', 'e02', 'episode', '[1, 2, 3]')");
  const auto parent = [&](const char* table) { return world.cached(table, "item_id"); };
  const auto sync = [&](const std::string& mode) {
    const auto report = world.sync();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->mode, mode) << report->reason;
  };
  EXPECT_TRUE(install().healthy);
  sync("fill");
  EXPECT_EQ(parent("embeddings_2").at("same"), "e01");
  EXPECT_EQ(parent("embeddings_3").at("same"), "e02");
  write("UPDATE embeddings_3 SET item_id = 'e03'");
  sync("delta");
  EXPECT_EQ(parent("embeddings_2").at("same"), "e01");
  EXPECT_EQ(parent("embeddings_3").at("same"), "e03");
  write("DELETE FROM embeddings_2");
  sync("delta");
  EXPECT_TRUE(parent("embeddings_2").empty());
  EXPECT_EQ(parent("embeddings_3").size(), 1U);
}

// A row that could not be cached was passed over: the old one stayed in the cache, and the position
// went on, so that the mended row never came.
TEST_F(Rows, one_that_cannot_be_cached_goes_is_listed_and_comes_when_it_can) {
  begin(5);
  write(
      "UPDATE episodes SET task_description = CAST(x'ff' AS TEXT) WHERE episode_id = 'e19';"
      "UPDATE patterns SET pattern_data = 'beside it' WHERE pattern_id = 'p1'");
  auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "delta") << report->reason;
  EXPECT_EQ(report->freshness.incomplete, 1U);
  ASSERT_EQ(report->skipped.size(), 1U);
  EXPECT_EQ(report->skipped[0].key, "e19");
  EXPECT_EQ(world.cached_keys("episodes"),  // four: it keeps its slot in the window
            (std::vector<std::string>{"e18", "e17", "e16", "e15"}));
  EXPECT_EQ(world.cached("patterns", "pattern_data").at("p1"), "beside it");
  EXPECT_EQ(Reader::open(world.cache())->get("episodes", "e19")->presence(), Presence::unknown);
  write("UPDATE episodes SET task_description = 'mended' WHERE episode_id = 'e19'");
  EXPECT_EQ(follow().freshness.incomplete, 0U);
}

// A parent without a name and no parent were one thing: the embeddings of the item whose key is the
// empty text never came (found by fault_differential).
TEST_F(Rows, embeddings_of_the_item_with_the_empty_key_come_and_go_with_it) {
  write(
      "INSERT INTO episodes VALUES('', 'nameless', 99, 1, NULL);"
      "INSERT INTO embeddings VALUES('mnone', NULL, 'episode', '[5, 6]', NULL, 2)");
  const auto of_none = [&] { return world.cached("embeddings", "item_id"); };
  const std::string add =
      "INSERT INTO embeddings VALUES('mempty', '', 'episode', '[3, 4]', NULL, 2)";
  write(add);
  begin();
  EXPECT_EQ(of_none().at("mempty"), "");
  EXPECT_FALSE(of_none().contains("mnone"));
  write("DELETE FROM embeddings WHERE item_id = ''");
  follow();
  EXPECT_FALSE(of_none().contains("mempty"));
  write(add);
  follow();
  EXPECT_EQ(of_none().at("mempty"), "");
  write("DELETE FROM episodes WHERE episode_id = ''");
  follow();
  EXPECT_FALSE(of_none().contains("mempty"));
}

// Pages that went on after an order value left out those that tied with it, and a comparison with
// NULL is neither true nor false. A page holds three rows here, and a window ends wherever it may.
TEST_F(Rows, tied_and_null_order_values_are_neither_lost_nor_repeated_across_pages) {
  write("UPDATE episodes SET start_time = 5 WHERE episode_id < 'e08'");
  write("UPDATE episodes SET start_time = NULL WHERE episode_id > 'e12'");
  install();
  for (window = 1; window <= 23; window += 2) {
    SCOPED_TRACE(window);
    std::filesystem::remove(world.cache());
    const auto filled = world.sync_newest(window);
    ASSERT_TRUE(filled) << filled.error().message;
    world.expect_equal(window);
    // The window is filled up from below, and gives up its lowest again.
    const std::string newest =
        world.source
            .column("SELECT episode_id FROM episodes ORDER BY start_time DESC, episode_id DESC")
            .front();
    write("UPDATE episodes SET start_time = NULL WHERE episode_id = '" + newest + "'");
    follow();
    write("UPDATE episodes SET start_time = 99 WHERE episode_id = '" + newest + "'");
    follow();
    write(
        "DELETE FROM episodes WHERE episode_id IN ('tie1', 'tie2');"
        "INSERT INTO episodes VALUES('tie1', 'a', 5, 1, NULL), ('tie2', 'b', NULL, 1, NULL)");
    follow();
  }
}

// Episodes that had left the window's list moved back up before they were asked for once more: the
// cache kept more than its limit, and the pass called its own result wrong.
TEST_F(Rows, episodes_that_move_up_while_they_are_confirmed_find_no_room_beyond_the_limit) {
  ASSERT_TRUE(world.sync_newest(3));
  write(
      "INSERT INTO episodes VALUES('n1', '', 50, 1, NULL), ('n2', '', 51, 1, NULL), "
      "('n3', '', 52, 1, NULL)");
  const auto report = support::sync_with(world, [&](std::size_t, const turso::Batch& batch) {
    const auto& args = batch.statements.back().args;
    const bool confirms = !args.empty() && args[0] == Value(std::string("e17"));
    if (confirms)
      write(
          "UPDATE episodes SET start_time = 60 WHERE episode_id > 'e16' AND "
          "episode_id < 'f'");
  });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(world.cached_keys("episodes"), (std::vector<std::string>{"e19", "e18", "e17"}));
  EXPECT_FALSE(report->validation.failed()) << report->validation.problems.front();
  window = 3;
  sync_by("scan");
}

// An episode had another date, so that its old place was asked for once more, and was deleted
// before that: it was listed and then gone, and the pass called its own result wrong.
TEST_F(Rows,
       an_episode_that_is_listed_elsewhere_and_deleted_while_it_is_confirmed_is_no_difference) {
  ASSERT_TRUE(world.sync());
  write("UPDATE episodes SET start_time = 70 WHERE episode_id = 'e05'");
  int asked = 0;
  const auto report = support::sync_with(world, [&](std::size_t, const turso::Batch& batch) {
    const auto& args = batch.statements.back().args;
    const bool confirms = args.size() == 1 && args[0] == Value(std::string("e05"));
    if (confirms && asked++ == 0) write("DELETE FROM episodes WHERE episode_id = 'e05'");
  });
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(asked, 1);
  EXPECT_FALSE(world.cached("episodes", "task_description").contains("e05"));
  EXPECT_EQ(report->validation.episode_count, std::nullopt);
  EXPECT_FALSE(report->validation.failed());
  sync_by("scan");
}

}  // namespace
}  // namespace tidemark::regress
