// What an application or an administrator may do to a captured source: too much at once, odd names,
// half of an installation. The cache follows, or says why it cannot.
#include <chrono>

#include "tests/integration/hooked_pass.h"
#include "tests/regress/captured.h"
#include "tests/support/turso_server.h"

namespace tidemark {
namespace {

using BadChanges = regress::Captured;

// Ids as an application may make them of file names, questions and code.
const std::vector<std::string> kOddIds = {
    "it's",        "say \"hello\"",  "'; DROP TABLE episodes; --",
    "a\nb\tc",     "100%_",          "?1 :a @b $c",
    "back\\slash", "[x] `y`",        "x'00'",
    " ",           "NULL",           "7",
    "é世界🌊",     "{\"json\":[1]}", "/etc/../passwd",
    "e00 "};

std::string quoted(const std::string& id) {
  std::string out = "'";
  for (const char letter : id) out += letter == '\'' ? "''" : std::string(1, letter);
  return out + "'";
}

// Milliseconds in the year 3000, of the age of steam, and nonsense: a clock at the source orders
// the window, and nothing else. Freshness is told by the clock of who looks.
TEST_F(BadChanges, a_source_whose_clock_is_wrong_has_its_window_and_no_say_in_freshness) {
  begin(4);
  write(
      "INSERT INTO episodes VALUES('future', 'a', 32503680000000, 1, NULL), "
      "('past', 'b', -4000000000000, 1, NULL), ('set back', 'c', 3, 1, NULL)");
  const auto before = std::chrono::system_clock::now();
  follow();
  EXPECT_EQ(world.cached_keys("episodes").front(), "future");
  const auto freshness = Reader::open(world.cache())->freshness();
  EXPECT_EQ(freshness->state, FreshnessState::fresh);
  EXPECT_GE(*freshness->checked_at + std::chrono::milliseconds(1), before);
  EXPECT_LE(*freshness->checked_at, std::chrono::system_clock::now());
  write("UPDATE episodes SET task_description = 'edited' WHERE start_time < 0");  // dated long ago
  write("UPDATE episodes SET start_time = 9 WHERE episode_id = 'future'");
  follow();
}

TEST_F(BadChanges, a_delete_of_every_row_is_followed) {
  begin(5);
  write("DELETE FROM episodes; DELETE FROM patterns; DELETE FROM heuristics");
  const SyncReport report = follow();
  EXPECT_EQ(report.collections.at("episodes").deleted, 5U);
  const auto reader = Reader::open(world.cache());
  EXPECT_EQ(reader->get("patterns", "p1")->presence(), Presence::absent);
  EXPECT_TRUE(world.cached_keys("embeddings").empty());  // though the source has theirs still
  write("INSERT INTO episodes VALUES('e01', 'again', 1, 1, NULL)");
  follow();
  EXPECT_EQ(world.cached_keys("embeddings"), std::vector<std::string>{"me01"});
}

TEST_F(BadChanges, ids_that_need_escaping_are_followed_and_found) {
  begin();
  for (const std::string& id : kOddIds) {
    write("INSERT INTO patterns VALUES(" + quoted(id) + ", 'tool', 'first')");
    write("INSERT INTO embeddings VALUES(" + quoted("of " + id) + ", " + quoted(id) +
          ", 'patterns', '[1, 2]', NULL, 2)");
  }
  follow();
  const auto reader = Reader::open(world.cache());
  for (const std::string& id : kOddIds) {
    EXPECT_EQ(reader->get("patterns", id)->presence(), Presence::hit) << id;
    std::vector<std::string> children;
    ASSERT_TRUE(reader->scan({.collection = "embeddings", .of_key = id}, [&](const Row& row) {
      children.emplace_back(row.key());
      return true;
    }));
    EXPECT_EQ(children, std::vector<std::string>{"of " + id});
    write("UPDATE patterns SET pattern_data = 'second' WHERE pattern_id = " + quoted(id));
  }
  follow();
  write("DELETE FROM patterns WHERE pattern_data = 'second'");
  follow();
  EXPECT_EQ(reader->get("patterns", "it's")->presence(), Presence::absent);
}

TEST_F(BadChanges, ids_that_need_escaping_come_from_the_real_server_too) {
  const std::string database = world.folder.file("served.db");
  world.source.save_to(database);
  support::TursoServer server(database);
  auto admin = CaptureAdmin::open(server.url());
  ASSERT_TRUE(admin->apply(*admin->plan({}), {}));
  auto syncer = Syncer::open(server.url(), world.folder.file("served.redb"), {});
  ASSERT_TRUE(syncer->sync());
  std::string values;
  for (const std::string& id : kOddIds) {
    values += (values.empty() ? "(" : ", (") + quoted(id) + ", 'tool', 'x')";
  }
  server.execute("INSERT INTO patterns VALUES" + values);
  const auto report = syncer->sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "delta") << report->reason;
  const auto reader = Reader::open(world.folder.file("served.redb"));
  for (const std::string& id : kOddIds) {
    EXPECT_EQ(reader->get("patterns", id)->presence(), Presence::hit) << id;
  }
}

TEST_F(BadChanges, names_that_need_quoting_are_filled_followed_and_scanned) {
  const std::string table = "\"embeddings_we \"\"ird's\"";
  write("CREATE TABLE " + table +
        "(\"k \"\"ey'\" TEXT PRIMARY KEY, item_id TEXT, \"select\" TEXT, \"a]b\" INTEGER)");
  write("INSERT INTO " + table + " VALUES('one', 'e01', 'x', 1), ('two', 'p1', 'y', 2)");
  const auto cached = [&] { return world.cached("embeddings_we \"ird's", "select"); };
  const auto sync = [&](const std::string& mode) {
    const auto report = world.sync();
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_EQ(report->mode, mode) << report->reason;
  };
  EXPECT_TRUE(install().healthy);
  sync("fill");
  EXPECT_EQ(cached(), (std::map<std::string, std::string>{{"one", "x"}, {"two", "y"}}));
  write("UPDATE " + table + " SET \"select\" = 'z' WHERE \"k \"\"ey'\" = 'one'");
  sync("delta");
  EXPECT_EQ(cached().at("one"), "z");
  write("CREATE INDEX \"odd \"\"index\" ON " + table + "(\"a]b\")");
  write("DELETE FROM " + table + " WHERE \"k \"\"ey'\" = 'two'");
  sync("reconcile");
  EXPECT_EQ(cached(), (std::map<std::string, std::string>{{"one", "z"}}));
}

// Of an installation by an older version, or one of which a part is missing, nothing is believed.
TEST_F(BadChanges, half_an_installation_and_an_older_one_are_scanned_beside_and_named) {
  for (const char* const damage :
       {"UPDATE tidemark_meta SET value = 0 WHERE key = 'capture_version'",
        "DELETE FROM tidemark_meta WHERE key LIKE 'schema:%'",
        "DELETE FROM tidemark_meta WHERE key = 'epoch:patterns'",
        "DROP TRIGGER tidemark_log_delete", "DROP TRIGGER tidemark_rename_episodes",
        "DROP TABLE tidemark_meta", "DROP TABLE tidemark_changes"}) {
    SCOPED_TRACE(damage);
    ASSERT_TRUE(install().healthy);
    ASSERT_TRUE(world.sync());
    follow();
    write(damage);
    world.source.set_triggers(false);  // as where they fail or are gone
    write("UPDATE patterns SET pattern_data = pattern_data || '.'");
    world.source.set_triggers(true);
    const SyncReport report = sync_by("scan");
    EXPECT_FALSE(report.reason.empty());
    EXPECT_EQ(sync_by("scan").freshness.doubt, "");
    EXPECT_TRUE(Reader::open(world.cache())->freshness()->doubt.empty());
  }
}

// A table goes before one request or another of a pass that reads everything, and of one that
// follows: the source changed, which is no fault of whoever runs the pass.
TEST_F(BadChanges, a_table_that_is_dropped_while_a_pass_runs_fails_that_pass_or_is_gone_after_it) {
  const std::string made =
      "CREATE TABLE heuristics(heuristic_id INTEGER PRIMARY KEY, condition_text TEXT)";
  for (const bool captured : {false, true}) {
    ASSERT_TRUE(!captured || install().healthy);
    std::size_t last = 1;
    for (std::size_t at = 1; at <= last; at += 2) {
      write("DROP INDEX IF EXISTS again" + std::to_string(at));
      SCOPED_TRACE((captured ? "captured, request " : "request ") + std::to_string(at));
      ASSERT_TRUE(world.sync());
      write("UPDATE episodes SET task_description = task_description || '.'");
      // Another schema, so that the pass reads everything; the first of the captured ones follows.
      if (at > 1) write("CREATE INDEX again" + std::to_string(at) + " ON patterns(pattern_data)");
      bool dropped = false;
      const auto report = support::sync_with(world, [&](std::size_t number, const turso::Batch&) {
        last = std::max(last, number);
        if (number == at) write("DROP TABLE heuristics");
        dropped = dropped || number == at;
      });
      if (!report) {
        EXPECT_EQ(report.error().code, ErrorCode::unavailable) << report.error().message;
        EXPECT_FALSE(report.error().hint.empty());
      }
      EXPECT_EQ(world.cached_keys("patterns").size(), 2U);  // readable, whatever became of the pass
      const auto after = world.sync();
      ASSERT_TRUE(after) << after.error().message;
      const auto found = Reader::open(world.cache())->get("heuristics", "1");
      EXPECT_TRUE(!dropped || !found || found->presence() != Presence::hit);
      write("DROP TABLE IF EXISTS heuristics;" + made +
            "; INSERT INTO heuristics VALUES(1, 'back')");
      ASSERT_TRUE(!captured || install().healthy);
      ASSERT_TRUE(world.sync());
      world.expect_equal(window);
    }
  }
}

TEST_F(BadChanges, a_source_that_lost_its_episodes_is_named_and_the_cache_stays) {
  begin();
  write("DROP TABLE episodes");
  const auto report = world.sync();
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, ErrorCode::invalid) << report.error().message;
  EXPECT_NE(report.error().message.find("patterns"), std::string::npos) << report.error().message;
  EXPECT_EQ(world.cached_keys("episodes").size(), 20U);
}

// Pruned up to the position, and so with it the anchor; then beyond it.
TEST_F(BadChanges, a_log_pruned_to_the_position_or_beyond_costs_one_reconcile_and_no_change) {
  begin();
  auto admin = CaptureAdmin::open(world.url());
  const CaptureRequest all{CaptureAction::prune, 0};
  const auto prune = [&] { ASSERT_TRUE(admin->apply(*admin->plan(all), all)); };
  write("UPDATE patterns SET pattern_data = 'seen'");
  follow();
  prune();
  auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  world.expect_equal(window);
  follow();
  write("UPDATE patterns SET pattern_data = 'not seen'");
  prune();
  doubt("pruned");
}

}  // namespace
}  // namespace tidemark
