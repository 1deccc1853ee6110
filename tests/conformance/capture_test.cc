// What the log says after what an application does, on every implementation of the seam: SQLite
// through a file and through the peer, and the real Turso server.
#include <algorithm>
#include <set>

#include "tests/conformance/capture_fixture.h"

namespace tidemark::conformance {
namespace {

class CaptureLog : public CaptureTest {};

TEST_P(CaptureLog, logs_each_insert_update_and_delete) {
  start();
  EXPECT_EQ(logged("INSERT INTO episodes VALUES('a', 1, 1), ('b', 1, 2)"),
            (Words{"episodes text a", "episodes text b"}));
  EXPECT_EQ(logged("UPDATE episodes SET v = 2"), (Words{"episodes text a", "episodes text b"}));
  EXPECT_EQ(logged("UPDATE episodes SET episode_id = 'c' WHERE episode_id = 'b'"),
            (Words{"episodes text b", "episodes text c"}));
  EXPECT_EQ(logged("DELETE FROM episodes"), (Words{"episodes text a", "episodes text c"}));
}

// A conflict clause inside a trigger is replaced by that of the outer statement.
TEST_P(CaptureLog, logs_replace_upsert_and_or_ignore) {
  start();
  write("INSERT INTO episodes VALUES('a', 1, 1), ('b', 1, 2)");
  EXPECT_EQ(logged("INSERT OR REPLACE INTO episodes VALUES('a', 2, 1)"), Words{"episodes text a"});
  EXPECT_EQ(logged("INSERT INTO episodes VALUES('a', 3, 1) "
                   "ON CONFLICT(episode_id) DO UPDATE SET v = excluded.v"),
            Words{"episodes text a"});
  EXPECT_EQ(logged("UPDATE OR IGNORE episodes SET v = 5 WHERE episode_id = 'b'"),
            Words{"episodes text b"});
  EXPECT_EQ(logged("INSERT OR IGNORE INTO episodes VALUES('n', 1, 1)"), Words{"episodes text n"});
  EXPECT_EQ(logged("UPDATE OR REPLACE episodes SET episode_id = 'a' WHERE episode_id = 'b'"),
            (Words{"episodes text b", "episodes text a"}));
  EXPECT_EQ(number("SELECT count(*) FROM episodes"), 2);
}

TEST_P(CaptureLog, a_null_key_is_not_logged_and_fails_no_write) {
  start();
  EXPECT_EQ(logged("INSERT INTO episodes VALUES(NULL, 1, 1)"), Words{});
  EXPECT_EQ(logged("UPDATE episodes SET v = 2"), Words{});
  EXPECT_EQ(logged("UPDATE episodes SET episode_id = 'x'"), Words{"episodes text x"});
  EXPECT_EQ(logged("UPDATE episodes SET episode_id = NULL"), Words{"episodes text x"});
  EXPECT_EQ(logged("DELETE FROM episodes"), Words{});
}

TEST_P(CaptureLog, keys_are_logged_in_the_class_in_which_they_are_stored) {
  start();
  EXPECT_EQ(logged("INSERT INTO heuristics(v) VALUES('x')"), Words{"heuristics integer 1"});
  EXPECT_EQ(logged("INSERT INTO heuristics VALUES('7', 'x')"), Words{"heuristics integer 7"});
  EXPECT_EQ(logged("INSERT INTO episodes VALUES(5, 1, 1)"), Words{"episodes text 5"});
  EXPECT_EQ(logged("INSERT INTO episodes VALUES('it''s \"x\"; --', 1, 1)"),
            Words{"episodes text it's \"x\"; --"});
}

// The row 'A' that REPLACE removes for 'a' is seen by no delete trigger.
TEST_P(CaptureLog, a_nocase_key_is_logged_in_every_spelling_that_changes) {
  start();
  write("INSERT INTO patterns VALUES('A', 1), ('B', 1)");
  const auto contains = [](const Words& words, const std::string& word) {
    return std::ranges::find(words, word) != words.end();
  };
  Words log = logged("INSERT OR REPLACE INTO patterns VALUES('a', 2)");
  EXPECT_TRUE(contains(log, "patterns text A"));
  EXPECT_TRUE(contains(log, "patterns text a"));
  log = logged("UPDATE patterns SET pattern_id = 'A' WHERE pattern_id = 'a'");
  EXPECT_TRUE(contains(log, "patterns text A"));
  EXPECT_TRUE(contains(log, "patterns text a"));
  log = logged("UPDATE OR REPLACE patterns SET pattern_id = 'a' WHERE pattern_id = 'B'");
  EXPECT_TRUE(contains(log, "patterns text A"));
  EXPECT_TRUE(contains(log, "patterns text B"));
  EXPECT_TRUE(contains(log, "patterns text a"));
}

TEST_P(CaptureLog, a_cascade_is_logged_for_the_children) {
  start();
  write("INSERT INTO episodes VALUES('a', 1, 1), ('b', 1, 1), ('c', 1, 1)");
  write("INSERT INTO embeddings VALUES('ka', 'a'), ('kb', 'b'), ('kc', 'c')");
  write(std::string("INSERT INTO ") + kWeird + " VALUES('wa', 'a')");
  const auto logged_with_keys = [&](const std::string& sql) {
    const std::int64_t before = head();
    write_with_keys(sql);
    const Words words = changes(before);
    return std::set<std::string>(words.begin(), words.end());
  };
  EXPECT_EQ(logged_with_keys("DELETE FROM episodes WHERE episode_id = 'a'"),
            (std::set<std::string>{"episodes text a", "embeddings text ka",
                                   "embeddings_we \"ird's text wa"}));
  EXPECT_EQ(logged_with_keys("UPDATE episodes SET episode_id = 'q' WHERE episode_id = 'b'"),
            (std::set<std::string>{"episodes text b", "episodes text q", "embeddings text kb"}));
  EXPECT_EQ(logged_with_keys("INSERT OR REPLACE INTO episodes VALUES('c', 2, 1)"),
            (std::set<std::string>{"episodes text c", "embeddings text kc"}));
  EXPECT_EQ(number("SELECT count(*) FROM embeddings"), 1);
}

TEST_P(CaptureLog, a_failed_or_undone_write_leaves_nothing_in_the_log) {
  start();
  write("INSERT INTO episodes VALUES('a', 1, 1)");
  const std::int64_t before = head();
  const auto failed = sync::run_statements(
      *writer(),
      {"INSERT INTO episodes VALUES('b', 1, 1)", "INSERT INTO episodes VALUES('a', 1, 1)"},
      kPatience, {});
  EXPECT_FALSE(failed);
  EXPECT_EQ(changes(before), Words{});
  EXPECT_EQ(number("SELECT count(*) FROM episodes"), 1);
}

// A client that pushes its own copy of the log would erase what others wrote there.
TEST_P(CaptureLog, a_pushing_client_can_neither_write_nor_erase_the_log) {
  start();
  write("INSERT INTO episodes VALUES('a', 1, 1), ('b', 1, 1)");
  write("UPDATE episodes SET v = 2 WHERE episode_id = 'a'");
  const Words before = changes(0);
  write("INSERT OR REPLACE INTO tidemark_changes VALUES(3, 'episodes', 'pushed', 1)");
  write("INSERT INTO tidemark_changes VALUES(999, 'episodes', 'pushed', 1)");
  write(
      "INSERT INTO tidemark_changes VALUES(3, 'episodes', 'pushed', 1) "
      "ON CONFLICT(seq) DO UPDATE SET id = excluded.id");
  write("UPDATE tidemark_changes SET id = 'pushed'");
  EXPECT_EQ(changes(0), before);
  write("DELETE FROM tidemark_changes");
  // Only what a newer change of the same item repeats may go.
  EXPECT_EQ(changes(0), (Words{"tidemark text install", "episodes text b", "episodes text a"}));
  EXPECT_EQ(logged("UPDATE episodes SET v = 3 WHERE episode_id = 'b'"), Words{"episodes text b"});
}

TEST_P(CaptureLog, ten_thousand_changes_to_one_row_keep_the_log_short) {
  start(50);
  write("INSERT INTO episodes VALUES('hot', 0, 1), ('cold', 0, 1)");
  const Words hundred(100, "UPDATE episodes SET v = v + 1 WHERE episode_id = 'hot'");
  for (int i = 0; i < 100; ++i) run(hundred);
  EXPECT_EQ(head(), 10'003);
  EXPECT_LE(number("SELECT count(*) FROM tidemark_changes"), 55);
  const auto now = guard({.position = 10'003 - 49, .ahead = {}});
  EXPECT_TRUE(now.anchor_nonce);  // anchors live for `keep` changes although the item is hot
  EXPECT_EQ(now.floor, 0);
  EXPECT_EQ(number("SELECT count(*) FROM tidemark_changes WHERE id = 'cold'"), 1);
}

TEST_P(CaptureLog, a_range_of_changes_is_read_with_its_rows) {
  start();
  write("INSERT INTO heuristics VALUES(5, 'five'), (6, 'six')");
  write("INSERT INTO embeddings VALUES('e5', '5'), ('e6', '6')");
  const std::int64_t position = head();
  write("UPDATE heuristics SET v = 'FIVE' WHERE heuristic_id = 5");
  const std::string range =
      "FROM (SELECT DISTINCT id FROM tidemark_changes WHERE +tbl = 'heuristics' AND seq > ?1 "
      "AND seq <= ?2) c CROSS JOIN ";
  const auto touched = rows("SELECT t.v " + range + "heuristics t ON t.heuristic_id = +c.id",
                            {position, position + 9});
  ASSERT_EQ(touched.size(), 1U);
  EXPECT_EQ(touched.row(0)[0].bytes(), "FIVE");
  const auto children = rows("SELECT e.embedding_id " + range + "embeddings e ON e.item_id = +c.id",
                             {position, position + 9});
  ASSERT_EQ(children.size(), 1U);
  EXPECT_EQ(children.row(0)[0].bytes(), "e5");
}

INSTANTIATE_TEST_SUITE_P(, CaptureLog, ::testing::ValuesIn(implementations()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidemark::conformance
