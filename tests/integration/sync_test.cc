// Passes over real SQLite files and real redb files: after each, the cache is the scope.
#include <random>

#include "tests/integration/world.h"

namespace tidemark {
namespace {

using support::World;

std::string vector_blob(int i) {
  return std::string("x'0000803F") + (i % 2 == 0 ? "00000040'" : "000040C0'");
}

void add_episode(World& world, int i, const std::string& order) {
  const std::string key = "e" + std::to_string(i);
  world.source.run("INSERT OR REPLACE INTO episodes VALUES('" + key + "', 'task " +
                   std::to_string(i) + "', " + order + ", 0.5, x'00FF')");
  world.source.run("INSERT OR REPLACE INTO embeddings VALUES('m" + std::to_string(i) + "', '" +
                   key + "', 'Episode', '[1.0,2.0]', " + vector_blob(i) + ", 2)");
}

TEST(Sync, a_missing_cache_is_filled_and_an_unchanged_source_writes_nothing) {
  World world;
  for (int i = 0; i < 20; ++i) add_episode(world, i, std::to_string(100 + i));
  world.source.run(
      "INSERT INTO patterns VALUES('p1','tool','x'); INSERT INTO heuristics VALUES(10,'if');"
      "INSERT INTO heuristics VALUES(9,'when')");
  const auto fill = world.sync_newest(10);
  ASSERT_TRUE(fill) << fill.error().message;
  EXPECT_EQ(fill->mode, "fill");
  EXPECT_EQ(fill->episodes_synced, 10U);
  EXPECT_EQ(fill->embeddings_synced, 10U);
  EXPECT_FALSE(fill->validation.failed());
  world.expect_equal(10);
  const auto again = world.sync();
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->mode, "scan");
  EXPECT_EQ(again->episodes_synced + again->patterns_synced + again->heuristics_synced +
                again->embeddings_synced,
            0U);
  EXPECT_EQ(again->collections.at("episodes").unchanged, 10U);
}

// NULL, tied and mixed order values, keys that move within, into and out of the window.
TEST(Sync, random_histories_always_end_equal_to_the_source) {
  const unsigned seed = 20261124;
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const auto pick = [&random](int n) {
    return static_cast<int>(random() % static_cast<unsigned>(n));
  };
  const auto order = [&]() -> std::string {
    switch (pick(6)) {
      case 0:
        return "NULL";
      case 1:
        return std::to_string(pick(5)) + ".5";
      case 2:
        return "'t" + std::to_string(pick(3)) + "'";
      default:
        return std::to_string(pick(12));
    }
  };
  World world;
  std::uint64_t window = 7;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE(round);
    for (int n = pick(6); n > 0; --n) {
      const std::string key = "'e" + std::to_string(pick(25)) + "'";
      switch (pick(8)) {
        case 0:
          world.source.run("DELETE FROM episodes WHERE episode_id = " + key);
          break;
        case 1:
          world.source.run("UPDATE episodes SET start_time = " + order() +
                           " WHERE episode_id = " + key);
          break;
        case 2:
          world.source.run("UPDATE episodes SET task_description = 'r" + std::to_string(round) +
                           "' WHERE episode_id = " + key);
          break;
        case 3:
          world.source.run("INSERT OR REPLACE INTO patterns VALUES('p" + std::to_string(pick(5)) +
                           "','" + std::to_string(pick(2)) + "','d" + std::to_string(round) + "')");
          break;
        case 4:
          world.source.run("DELETE FROM patterns WHERE pattern_id = 'p" + std::to_string(pick(5)) +
                           "'");
          break;
        case 5:
          world.source.run("UPDATE embeddings SET item_id = " + key +
                           ", item_type = " + (pick(3) == 0 ? "NULL" : "'episode'") +
                           " WHERE embedding_id = 'm" + std::to_string(pick(25)) + "'");
          break;
        default:
          add_episode(world, pick(25), order());
      }
    }
    if (pick(10) == 0) window = static_cast<std::uint64_t>(1 + pick(30));
    const auto report = world.sync_newest(window);
    ASSERT_TRUE(report) << report.error().message;
    EXPECT_FALSE(report->validation.failed()) << report->validation.problems.front();
    world.expect_equal(window);
    if (HasFailure()) return;
  }
}

TEST(Sync, presence_tells_what_the_cache_can_prove) {
  World world;
  for (int i = 0; i < 5; ++i) add_episode(world, i, std::to_string(i));
  ASSERT_TRUE(world.sync_newest(3));
  const auto presence = [&](std::string_view collection, std::string_view key) {
    const auto reader = Reader::open(world.cache());
    const auto found = reader->get(collection, key);
    EXPECT_TRUE(found);
    return found->presence();
  };
  EXPECT_EQ(presence("episodes", "e4"), Presence::hit);
  EXPECT_EQ(presence("episodes", "e0"), Presence::unknown);  // outside a bounded window
  EXPECT_EQ(presence("episodes", "nope"), Presence::unknown);
  EXPECT_EQ(presence("patterns", "nope"), Presence::absent);
  EXPECT_EQ(presence("embeddings", "nope"), Presence::unknown);
  ASSERT_TRUE(world.sync_newest(100));
  EXPECT_EQ(presence("episodes", "nope"), Presence::absent);  // the whole table is cached
  SyncRequest request;
  request.sync_patterns = false;
  request.set_scope = true;
  ASSERT_TRUE(world.sync(request));
  EXPECT_EQ(presence("patterns", "nope"), Presence::unknown);
}

TEST(Sync, collections_switched_off_leave_the_cache_and_come_back) {
  World world;
  add_episode(world, 1, "1");
  world.source.run("INSERT INTO patterns VALUES('p1','tool','x')");
  world.source.run("INSERT INTO embeddings VALUES('mp','p1','patterns','[1,2]',NULL,2)");
  ASSERT_TRUE(world.sync());
  EXPECT_EQ(world.cached_keys("embeddings"), (std::vector<std::string>{"m1", "mp"}));
  SyncRequest request;
  request.set_scope = true;
  request.sync_patterns = false;
  const auto off = world.sync(request);
  ASSERT_TRUE(off) << off.error().message;
  EXPECT_EQ(off->collections.at("patterns").evicted, 1U);
  EXPECT_EQ(world.cached_keys("embeddings"), std::vector<std::string>{"m1"});
  request.sync_patterns = true;
  ASSERT_TRUE(world.sync(request));
  EXPECT_EQ(world.cached_keys("embeddings"), (std::vector<std::string>{"m1", "mp"}));
}

TEST(Sync, vectors_come_from_the_blob_or_the_text_and_a_repeating_text_is_left_out) {
  World world;
  add_episode(world, 2, "1");  // blob 1,2 and the same numbers as text
  world.source.run("INSERT INTO embeddings VALUES('text','e2','episode','[0.5, -1e2]',NULL,2)");
  world.source.run(
      "INSERT INTO embeddings VALUES('packed','e2','episode','__compressed__:abc',NULL,2)");
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->vectors_kept_raw, 1U);
  const auto reader = Reader::open(world.cache());
  const auto blob = reader->get("embeddings", "m2");
  EXPECT_NE(blob->row().to_json().find("\"embedding_vector\":[1.0,2.0]"), std::string::npos);
  EXPECT_EQ(blob->row().to_json().find("embedding_data"), std::string::npos);
  const auto text = reader->get("embeddings", "text");
  EXPECT_NE(text->row().to_json().find("\"embedding_data\":[0.5,-100.0]"), std::string::npos);
  int children = 0;
  ASSERT_TRUE(reader->scan({.collection = "embeddings", .of_key = "e2"},
                           [&](const Row&) { return ++children < 100; }));
  EXPECT_EQ(children, 3);
}

// A range is for keys that few others lie between; what it brought too much is asked for once.
TEST(Sync, keys_that_lie_far_apart_are_read_by_key_after_one_range) {
  const auto pages = [](int others) {
    World world;
    world.source.run("INSERT INTO episodes VALUES('e1', 'x', 1, 0.5, NULL)");
    for (const char* const key : {"m", "n", "o", "p", "q", "r"}) {
      world.source.run("INSERT INTO embeddings VALUES('" + std::string(key) +
                       "', 'e1', 'episode', '[1,2]', NULL, 2)");
    }
    for (int i = 0; i < others; ++i) {
      const std::string key = std::string(1, "mnopq"[i % 5]) + std::to_string(i);
      world.source.run("INSERT INTO embeddings VALUES('" + key +
                       "', 'gone', 'episode', '[1,2]', NULL, 2)");
    }
    const auto fill = world.sync();
    EXPECT_TRUE(fill);
    EXPECT_EQ(world.cached_keys("embeddings"),
              (std::vector<std::string>{"m", "n", "o", "p", "q", "r"}));
    EXPECT_EQ(fill->embeddings_synced, 6U);
    return fill->pages;
  };
  EXPECT_EQ(pages(200), pages(0) + 1);
}

// The source reads all embeddings for each list of parents; with lists of 5,000 as for an indexed
// column, 100,000 of them took 34 s.
TEST(Sync, embeddings_without_an_index_on_their_parent_are_listed_in_few_requests) {
  const auto requests = [](const std::string& index) {
    World world;
    world.source.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000)"
        " INSERT INTO patterns SELECT 'p' || i, 'tool', 'x' FROM n;"
        "INSERT INTO embeddings SELECT 'm' || key, key, 'pattern', '[1.0]', x'0000803F', 1"
        " FROM (SELECT column1 AS key FROM (VALUES ('p1'), ('p6000'), ('p12000')));" +
        index);
    const auto fill = world.sync();
    EXPECT_TRUE(fill && fill->embeddings_synced == 3);
    EXPECT_EQ(world.sync()->collections.at("embeddings").unchanged, 3U);
    return fill->requests;
  };
  const auto with_index = requests("CREATE INDEX by_item ON embeddings(item_id)");
  // One list for three; its rows come at once, not those of p1 and p12000 before those of p6000.
  EXPECT_EQ(requests(""), with_index - 3);
}

// SQLite finds the index of libSQL's vectors empty, and counted the rows of the table by it.
TEST(Sync, a_price_does_not_count_by_an_index_of_vectors) {
  World world;
  for (int i = 0; i < 3; ++i) add_episode(world, i, std::to_string(i));
  world.source.run(
      "CREATE INDEX v ON embeddings(embedding_vector) WHERE embedding_vector = 'none';"
      "PRAGMA writable_schema = ON;"
      "UPDATE sqlite_master SET sql = 'CREATE INDEX v ON embeddings(embedding_vector)'"
      " WHERE name = 'v'");
  ASSERT_EQ(support::SqliteSource(world.folder.file("source.db"))
                .column("SELECT count(*) FROM embeddings"),
            std::vector<std::string>{"0"});
  const auto price = Syncer::open(world.url(), world.cache(), {})->price();
  ASSERT_TRUE(price) << price.error().message;
  EXPECT_EQ(price->embeddings, 3U);
}

TEST(Sync, a_changed_table_is_filled_anew_and_readers_move_over) {
  World world;
  add_episode(world, 1, "1");
  ASSERT_TRUE(world.sync());
  const auto reader = Reader::open(world.cache());
  ASSERT_TRUE(reader->get("episodes", "e1")->presence() == Presence::hit);
  world.source.run("ALTER TABLE episodes ADD COLUMN mood TEXT DEFAULT 'calm'");
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(report->mode, "fill");
  const auto found = reader->get("episodes", "e1");  // the same reader, a new generation
  ASSERT_TRUE(found);
  EXPECT_EQ(found->row().at("mood")->bytes(), "calm");
}

TEST(Sync, a_simple_episodes_table_with_integer_keys_works) {
  support::TempFolder folder;
  support::SqliteSource source(folder.file("s.db"));
  source.run(
      "CREATE TABLE Episodes(id INTEGER PRIMARY KEY, timestamp INTEGER, \"odd \"\" name\" TEXT)");
  for (int i = 1; i <= 12; ++i) {
    source.run("INSERT INTO Episodes VALUES(" + std::to_string(i) + ", 5, 'x')");
  }
  SyncConfig config;
  config.max_episodes_cache = 11;
  auto syncer = Syncer::open("file:" + folder.file("s.db"), folder.file("c.redb"), config);
  const auto report = syncer->sync();
  ASSERT_TRUE(report) << report.error().message;
  const auto reader = Reader::open(folder.file("c.redb"));
  std::vector<std::string> keys;
  ASSERT_TRUE(reader->scan({.collection = "Episodes"}, [&](const Row& row) {
    keys.emplace_back(row.key());
    return true;
  }));
  EXPECT_EQ(keys,
            (std::vector<std::string>{"12", "11", "10", "9", "8", "7", "6", "5", "4", "3", "2"}));
}

}  // namespace
}  // namespace tidemark
