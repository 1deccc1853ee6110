// Bad sources, bad rows and bad cache paths: a clear error with a hint, and nothing lost.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "tests/integration/world.h"

namespace tidemark {
namespace {

using support::World;

Error error_of(const std::string& url, const std::string& cache) {
  auto syncer = Syncer::open(url, cache, {});
  if (!syncer) return syncer.error();
  const auto report = syncer->sync();
  EXPECT_FALSE(report);
  return report ? Error{} : report.error();
}

TEST(BadSource, is_named_with_a_hint_and_makes_no_cache) {
  support::TempFolder folder;
  std::ofstream(folder.file("text.db")) << std::string(5'000, 'x');
  support::SqliteSource(folder.file("empty.db")).run("CREATE TABLE other(x)");
  support::SqliteSource(folder.file("view.db"))
      .run("CREATE TABLE t(id TEXT); CREATE VIEW episodes AS SELECT * FROM t");
  support::SqliteSource(folder.file("two.db"))
      .run("CREATE TABLE episodes(a TEXT, b TEXT, PRIMARY KEY(a,b))");
  support::SqliteSource(folder.file("wide.db"))
      .run("PRAGMA encoding='UTF-16'; CREATE TABLE episodes(id TEXT PRIMARY KEY)");
  const std::vector<std::pair<std::string, ErrorCode>> cases = {
      {"file:" + folder.file("none.db"), ErrorCode::invalid},
      {"file:" + folder.file(""), ErrorCode::invalid},
      {"file:" + folder.file("text.db"), ErrorCode::unsupported},
      {"file:" + folder.file("empty.db"), ErrorCode::invalid},
      {"file:" + folder.file("view.db"), ErrorCode::unsupported},
      {"file:" + folder.file("two.db"), ErrorCode::unsupported},
      {"file:" + folder.file("wide.db"), ErrorCode::unsupported},
      {"ftp://host/x", ErrorCode::invalid},
      {"memories.db", ErrorCode::invalid},
      {"libsql://user:hunter2@host", ErrorCode::invalid}};
  for (const auto& [url, code] : cases) {
    const Error error = error_of(url, folder.file("cache.redb"));
    EXPECT_EQ(error.code, code) << url << ": " << error.message;
    EXPECT_FALSE(error.hint.empty()) << url;
    EXPECT_EQ(error.message.find("hunter2"), std::string::npos);
    EXPECT_FALSE(std::filesystem::exists(folder.file("cache.redb"))) << url;
    EXPECT_FALSE(std::filesystem::exists(folder.file("cache.redb.next"))) << url;
  }
}

TEST(BadSource, without_episodes_lists_the_tables_found) {
  support::TempFolder folder;
  support::SqliteSource(folder.file("s.db")).run("CREATE TABLE memories(x); CREATE TABLE notes(x)");
  EXPECT_NE(
      error_of("file:" + folder.file("s.db"), folder.file("c")).message.find("memories, notes"),
      std::string::npos);
}

TEST(BadCachePath, is_refused_and_left_as_it_was) {
  World world;
  const auto error = [&](const std::string& path) { return error_of(world.url(), path); };
  EXPECT_EQ(error(world.folder.file("")).code, ErrorCode::invalid);
  EXPECT_EQ(error(world.folder.file("no/such/folder")).code, ErrorCode::invalid);
  const std::string notes = world.folder.file("notes.txt");
  std::ofstream(notes) << "not a cache";
  EXPECT_EQ(error(notes).code, ErrorCode::invalid);
  EXPECT_EQ(std::filesystem::file_size(notes), 11U);
  EXPECT_EQ(error(world.folder.file("source.db")).code, ErrorCode::invalid);
}

TEST(BadCachePath, the_cache_of_another_source_is_refused) {
  World world;
  ASSERT_TRUE(world.sync());
  World other;
  const Error error = error_of(other.url(), world.cache());
  EXPECT_EQ(error.code, ErrorCode::invalid);
  EXPECT_NE(error.message.find(world.url()), std::string::npos);
}

TEST(BadRows, are_skipped_listed_and_do_not_stop_the_rest) {
  World world;
  world.source.run("INSERT INTO episodes VALUES('good','ok',5,1,x'')");
  world.source.run("INSERT INTO episodes VALUES(NULL,'null key',6,1,x'')");
  world.source.run("INSERT INTO episodes VALUES(x'01','blob key',7,1,x'')");
  world.source.run("INSERT INTO episodes VALUES('bad text',CAST(x'FF41' AS TEXT),8,1,x'')");
  world.source.run("INSERT INTO embeddings VALUES('wrong','good','episode',NULL,x'0000803F',2)");
  world.source.run(
      "INSERT INTO embeddings VALUES('right','good','episode',NULL,x'0000803F0000803F',2)");
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  EXPECT_EQ(world.cached_keys("episodes"), std::vector<std::string>{"good"});
  EXPECT_EQ(world.cached_keys("embeddings"), std::vector<std::string>{"right"});
  EXPECT_EQ(report->collections.at("episodes").skipped, 3U);
  EXPECT_EQ(report->collections.at("embeddings").skipped, 1U);
  EXPECT_EQ(report->freshness.incomplete, 4U);
  EXPECT_FALSE(report->validation.failed()) << report->validation.problems.front();
  const auto reader = Reader::open(world.cache());
  EXPECT_EQ(reader->get("episodes", "bad text")->presence(), Presence::unknown);
  world.source.run("UPDATE episodes SET task_description = 'mended' WHERE episode_id = 'bad text'");
  ASSERT_TRUE(world.sync());
  EXPECT_EQ(reader->get("episodes", "bad text")->presence(), Presence::hit);
}

TEST(OddValues, come_back_as_they_are) {
  World world;
  world.source.run(
      "INSERT INTO episodes VALUES('', '', 9223372036854775807, 9e999, zeroblob(4000000))");
  world.source.run(
      "INSERT INTO episodes VALUES('nul' || char(0) || 'key', 'a' || char(0) || 'b', -1e300, NULL, "
      "x'')");
  const auto report = world.sync();
  ASSERT_TRUE(report) << report.error().message;
  const auto reader = Reader::open(world.cache());
  const auto empty = reader->get("episodes", "");
  ASSERT_TRUE(empty && *empty);
  EXPECT_EQ(empty->row().at("start_time")->as_int64(), INT64_MAX);
  EXPECT_EQ(empty->row().at("raw")->bytes().size(), 4'000'000U);
  EXPECT_NE(empty->row().to_json().find("{\"int64\":\"9223372036854775807\"}"), std::string::npos);
  EXPECT_NE(empty->row().to_json().find("{\"real\":\"inf\"}"), std::string::npos);
  const auto nul = reader->get("episodes", std::string_view("nul\0key", 7));
  ASSERT_TRUE(nul && *nul);
  EXPECT_EQ(nul->row().at("task_description")->bytes(), std::string_view("a\0b", 3));
}

TEST(NoCache, is_said_with_the_command_that_makes_one) {
  support::TempFolder folder;
  const auto reader = Reader::open(folder.file("none.redb"));
  ASSERT_FALSE(reader);
  EXPECT_NE(reader.error().hint.find("tidemark sync"), std::string::npos);
  const CacheStatus status = inspect(folder.file("none.redb"));
  EXPECT_FALSE(status.exists);
  EXPECT_TRUE(status.problem.has_value());
}

}  // namespace
}  // namespace tidemark
