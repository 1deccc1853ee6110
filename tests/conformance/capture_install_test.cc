// Installing, mending, pruning and removing change capture on every implementation of the seam, and
// what a guard then says of it.
#include "source/source.h"
#include "tests/conformance/capture_fixture.h"

namespace tidemark::conformance {
namespace {

class CaptureInstall : public CaptureTest {};

TEST_P(CaptureInstall, installs_every_table_and_a_second_time_does_nothing) {
  start();
  const auto now = survey();
  ASSERT_TRUE(now.guard);
  EXPECT_EQ(now.guard->log_trouble, "");
  EXPECT_TRUE(now.guard->unhealthy.empty()) << now.guard->unhealthy.begin()->second;
  EXPECT_EQ(now.guard->epochs.size(), 5U);
  EXPECT_EQ(now.guard->database_id.size(), 32U);
  EXPECT_EQ(now.guard->head, 1);
  EXPECT_TRUE(install().empty());
}

TEST_P(CaptureInstall, installing_changes_no_fingerprint_of_the_users_schema) {
  prepare(std::string(kTables) + kWeirdTable);
  serve();
  const auto schema = [&] { return rows(source::schema_statement().sql); };
  const auto before = schema();
  EXPECT_FALSE(source::capture_present(before));
  run(install());
  const auto after = schema();
  EXPECT_TRUE(source::capture_present(after));
  EXPECT_EQ(source::fingerprint(before), source::fingerprint(after));
  EXPECT_EQ(source::fingerprint(before), guard().schema);
  write("ALTER TABLE patterns ADD COLUMN more");
  EXPECT_NE(source::fingerprint(before), guard().schema);
  EXPECT_TRUE(guard().unhealthy.contains("patterns"));
}

TEST_P(CaptureInstall, a_prune_raises_the_floor_and_the_head_stays) {
  start();
  write("INSERT INTO episodes VALUES('a', 0, 1), ('b', 0, 1), ('c', 0, 1)");
  for (const auto& statements : source::prune_transactions(survey(), 1)) run(statements);
  EXPECT_EQ(changes(0), (Words{"episodes text b", "episodes text c"}));
  EXPECT_EQ(guard().floor, 3);
  for (const auto& statements : source::prune_transactions(survey(), 0)) run(statements);
  const auto now = guard({.position = 4, .ahead = {}});
  EXPECT_EQ(now.floor, 4);
  EXPECT_EQ(now.head, 4);
  EXPECT_TRUE(now.anchor_nonce);
  EXPECT_TRUE(source::prune_transactions(survey(), 0).empty());
  // Even a log that was emptied by hand does not go back.
  write("DELETE FROM tidemark_changes");
  EXPECT_EQ(number("SELECT count(*) FROM tidemark_changes"), 0);
  EXPECT_EQ(guard().head, 4);
  write("UPDATE episodes SET v = 9 WHERE episode_id = 'a'");
  EXPECT_EQ(guard().head, 5);
}

TEST_P(CaptureInstall, what_is_missing_is_mended_with_a_new_epoch) {
  start();
  const auto before = guard();
  write("DROP TRIGGER tidemark_update_episodes");
  EXPECT_NE(guard().unhealthy.at("episodes").find("tidemark_update_episodes is missing"),
            std::string::npos);
  run(install());
  const auto after = guard();
  EXPECT_TRUE(after.unhealthy.empty());
  EXPECT_NE(after.epochs.at("episodes"), before.epochs.at("episodes"));
  EXPECT_EQ(after.epochs.at("patterns"), before.epochs.at("patterns"));
  EXPECT_EQ(after.database_id, before.database_id);
}

TEST_P(CaptureInstall, renewing_gives_every_healthy_table_a_new_epoch_and_nothing_else) {
  start();
  const auto before = guard();
  const auto statements = source::install_statements(survey(), 100'000, true);
  ASSERT_TRUE(statements);
  run(*statements);
  const auto after = guard();
  EXPECT_TRUE(after.unhealthy.empty());
  EXPECT_EQ(after.epochs.size(), before.epochs.size());
  for (const auto& [table, epoch] : before.epochs) EXPECT_NE(after.epochs.at(table), epoch);
  EXPECT_EQ(after.database_id, before.database_id);
  EXPECT_EQ(after.head, before.head);
}

TEST_P(CaptureInstall, a_changed_trigger_is_noticed) {
  start();
  write("DROP TRIGGER tidemark_delete_episodes");
  write("CREATE TRIGGER tidemark_delete_episodes AFTER DELETE ON episodes BEGIN SELECT 1; END");
  EXPECT_NE(guard().unhealthy.at("episodes").find("was changed"), std::string::npos);
}

TEST_P(CaptureInstall, without_a_guard_of_the_log_nothing_is_trusted) {
  start();
  const auto before = guard();
  write("DROP TRIGGER tidemark_log_delete");
  EXPECT_EQ(guard().unhealthy.size(), before.epochs.size());
  run(install());
  const auto after = guard();
  EXPECT_TRUE(after.unhealthy.empty());
  for (const auto& [table, epoch] : before.epochs) EXPECT_NE(after.epochs.at(table), epoch);
  EXPECT_EQ(after.database_id, before.database_id);
}

TEST_P(CaptureInstall, a_table_dropped_and_made_again_is_captured_under_a_new_epoch) {
  start();
  const auto before = guard();
  write("DROP TABLE heuristics");
  EXPECT_EQ(guard().unhealthy.at("heuristics"), "the table is gone");
  write("CREATE TABLE heuristics(heuristic_id INTEGER PRIMARY KEY, v)");
  EXPECT_TRUE(guard().unhealthy.contains("heuristics"));
  run(install());
  EXPECT_TRUE(guard().unhealthy.empty());
  EXPECT_NE(guard().epochs.at("heuristics"), before.epochs.at("heuristics"));
  EXPECT_EQ(logged("INSERT INTO heuristics VALUES(3, 1)"), Words{"heuristics integer 3"});
}

TEST_P(CaptureInstall, a_renamed_table_takes_no_trigger_of_ours_along) {
  start(100'000, kTables, "");
  write("ALTER TABLE heuristics RENAME TO old_heuristics");
  EXPECT_TRUE(guard().unhealthy.contains("heuristics"));
  run(install());
  EXPECT_FALSE(guard().epochs.contains("heuristics"));
  EXPECT_EQ(logged("INSERT INTO old_heuristics VALUES(3, 1)"), Words{});
  EXPECT_EQ(survey().triggers.size(), 3U + 3 * 4 + 2);
}

TEST_P(CaptureInstall, what_is_left_of_an_installation_is_completed_or_removed) {
  start(100'000, kTables, "");
  write("DROP TABLE tidemark_meta");
  EXPECT_FALSE(survey().guard);
  EXPECT_TRUE(survey().has_anything());
  run(install());
  EXPECT_TRUE(guard().unhealthy.empty());
  write("DROP TABLE tidemark_meta");
  write("CREATE TABLE tidemark_meta(name TEXT PRIMARY KEY, old_value)");
  EXPECT_FALSE(survey().guard);
  run(install());
  EXPECT_TRUE(guard().unhealthy.empty());
  EXPECT_EQ(guard().epochs.size(), 4U);
}

TEST_P(CaptureInstall, an_older_version_is_replaced_and_a_newer_one_refused) {
  start();
  const auto before = guard();
  write("UPDATE tidemark_meta SET value = 0 WHERE key = 'capture_version'");
  EXPECT_EQ(guard().unhealthy.size(), 5U);
  run(install());
  EXPECT_TRUE(guard().unhealthy.empty());
  EXPECT_EQ(guard().database_id, before.database_id);
  write("UPDATE tidemark_meta SET value = 2 WHERE key = 'capture_version'");
  const auto refused = source::install_statements(survey(), 10);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unsupported);
}

TEST_P(CaptureInstall, remove_leaves_what_was_there_before) {
  prepare(std::string(kTables) + kWeirdTable);
  serve();
  constexpr const char* kAll =
      "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master "
      "WHERE name <> 'sqlite_sequence' ORDER BY name)";
  const std::string before(rows(kAll).row(0)[0].bytes());
  run(install());
  write("INSERT INTO episodes VALUES('a', 1, 1)");
  run(source::remove_statements(survey()));
  EXPECT_EQ(std::string(rows(kAll).row(0)[0].bytes()), before);
  write("INSERT INTO episodes VALUES('b', 1, 1)");
  EXPECT_TRUE(source::remove_statements(survey()).empty());
  EXPECT_EQ(number("SELECT count(*) FROM sqlite_sequence"), 0);
}

TEST_P(CaptureInstall, a_table_with_another_unique_index_stays_in_scan_mode) {
  start(10,
        "CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, v UNIQUE, start_time INTEGER);"
        "CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, v);"
        "CREATE TABLE heuristics(heuristic_id INTEGER PRIMARY KEY, v)",
        "");
  EXPECT_FALSE(guard().epochs.contains("episodes"));
  write("CREATE UNIQUE INDEX later ON patterns(v)");
  EXPECT_NE(guard().unhealthy.at("patterns").find("UNIQUE"), std::string::npos);
  run(install());
  EXPECT_FALSE(guard().epochs.contains("patterns"));
  EXPECT_TRUE(guard().epochs.contains("heuristics"));
  EXPECT_EQ(logged("INSERT INTO patterns VALUES('a', 1)"), Words{});
}

INSTANTIATE_TEST_SUITE_P(, CaptureInstall, ::testing::ValuesIn(implementations()),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace tidemark::conformance
