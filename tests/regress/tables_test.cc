// Holes in what a table may be: made anew, with keys that compare otherwise, constraints that
// write.
#include "tests/regress/captured.h"

namespace tidemark::regress {
namespace {

using Tables = Captured;

// DROP TABLE takes the triggers along and logs nothing. Installed again, the log was whole, the
// position held, and the cache kept the rows of the old table.
TEST_F(Tables, one_that_was_made_anew_and_captured_again_is_read_whole) {
  begin();
  write(
      "DROP TABLE patterns;"
      "CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, pattern_data TEXT);"
      "INSERT INTO patterns VALUES('p9', 'tool', 'of the new table')");
  EXPECT_TRUE(install().healthy);
  doubt("patterns");
}

// A rename takes the triggers along, under the table's new name.
TEST_F(Tables, one_that_was_renamed_away_and_made_anew_is_read_whole) {
  begin();
  write(
      "ALTER TABLE patterns RENAME TO old_patterns;"
      "CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, pattern_data TEXT);"
      "INSERT INTO patterns SELECT pattern_id, 'copied', 'copy' FROM old_patterns");
  EXPECT_TRUE(install().healthy);
  doubt("patterns");
  write("DELETE FROM old_patterns");  // no change of the new one
  EXPECT_EQ(follow().reason, "nothing changed");
}

// A NULL key made the trigger's own INSERT, and with it the application's write, fail.
TEST_F(Tables, a_null_key_hinders_no_write_and_its_row_comes_with_its_first_key) {
  begin();
  write("INSERT INTO patterns VALUES(NULL, 'tool', 'keyless')");
  write("UPDATE patterns SET pattern_data = pattern_data || '!'");
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(world.cached("patterns", "pattern_data").size(), 2U);
  write("UPDATE patterns SET pattern_id = 'named' WHERE pattern_id IS NULL");
  follow();
  write("UPDATE patterns SET pattern_id = NULL WHERE pattern_id = 'named'");
  ASSERT_TRUE(world.sync());
  EXPECT_FALSE(world.cached("patterns", "pattern_data").contains("named"));
  write("DELETE FROM patterns WHERE pattern_id IS NULL");
  follow();
}

// In a table whose key ignores case, asking for 'A' finds 'a': the row that REPLACE had removed was
// taken to be there still, and no delete trigger had seen it go.
TEST_F(Tables, a_nocase_key_is_known_by_its_bytes) {
  write(
      "DROP TABLE patterns; CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY COLLATE NOCASE, "
      "pattern_type TEXT, pattern_data TEXT);"
      "INSERT INTO patterns VALUES('Abc', 'tool', 'upper')");
  begin();
  write("INSERT OR REPLACE INTO patterns VALUES('aBC', 'tool', 'lower')");
  follow();
  EXPECT_EQ(world.cached_keys("patterns"), std::vector<std::string>{"aBC"});
  write("UPDATE patterns SET pattern_id = 'ABC' WHERE pattern_id = 'abc'");
  follow();
  EXPECT_EQ(world.cached_keys("patterns"), std::vector<std::string>{"ABC"});
}

// REPLACE through another UNIQUE index removes a row that no trigger sees: such a table is not
// captured, status says why, and the cache stays in scan mode.
TEST_F(Tables, with_a_second_unique_index_one_stays_in_scan_mode_and_loses_no_delete) {
  write("CREATE UNIQUE INDEX only_one ON patterns(pattern_data)");
  const CaptureStatus status = install();
  for (const CapturedTable& table : status.tables) {
    EXPECT_EQ(table.captured, table.table != "patterns") << table.table;
    if (table.captured) continue;
    EXPECT_NE(table.reason.find("UNIQUE"), std::string::npos) << table.reason;
  }
  ASSERT_TRUE(world.sync());
  write("INSERT OR REPLACE INTO patterns VALUES('p3', 'tool', 'two')");  // p2 goes
  const SyncReport report = sync_by("scan");
  EXPECT_EQ(world.cached_keys("patterns"), (std::vector<std::string>{"p1", "p3"}));
  std::string notes;
  for (const std::string& note : report.notes) notes += note + "\n";
  EXPECT_NE(notes.find("patterns"), std::string::npos) << notes;
}

// What a foreign key deletes or changes by itself is written by no statement of the application's.
TEST_F(Tables, what_a_foreign_key_cascades_is_followed) {
  write(
      "DROP TABLE embeddings; CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT "
      "REFERENCES episodes(episode_id) ON DELETE CASCADE ON UPDATE CASCADE, item_type TEXT, "
      "embedding_data TEXT, embedding_vector F32_BLOB(2), dimension INTEGER);"
      "INSERT INTO embeddings SELECT 'm' || episode_id, episode_id, 'episode', '[1, 2]', NULL, 2 "
      "FROM episodes; PRAGMA foreign_keys = ON");
  begin();
  write("DELETE FROM episodes WHERE episode_id = 'e01'");
  write("UPDATE episodes SET episode_id = 'renamed' WHERE episode_id = 'e02'");
  write("INSERT OR REPLACE INTO episodes VALUES('e03', 'over its embedding', 3, 1, NULL)");
  follow();
  EXPECT_EQ(world.cached_keys("embeddings").size(), 18U);
}

}  // namespace
}  // namespace tidemark::regress
