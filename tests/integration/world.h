// A source, a cache and the truth: what the scope is by SQL, against what the cache lists.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/sqlite_source.h"
#include "tests/support/temp_folder.h"
#include "tidemark/syncer.h"

namespace tidemark::support {

inline constexpr const char* kSchema = R"(
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_description TEXT, start_time, reward REAL,
  raw BLOB);
CREATE INDEX episodes_by_start ON episodes(start_time);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, pattern_data TEXT);
CREATE TABLE heuristics(heuristic_id INTEGER PRIMARY KEY, condition_text TEXT);
CREATE TABLE embeddings(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,
  embedding_data TEXT, embedding_vector F32_BLOB(2), dimension INTEGER);
)";

struct World {
  World() { source.run(kSchema); }

  [[nodiscard]] std::string url() const { return "file:" + folder.file("source.db"); }
  [[nodiscard]] std::string cache() const { return folder.file("cache.redb"); }

  Result<SyncReport> sync(const SyncRequest& request = {}) {
    SyncConfig config;
    config.batch_size = 3;
    auto syncer = Syncer::open(url(), cache(), config);
    if (!syncer) return std::unexpected(syncer.error());
    return syncer->sync({}, request);
  }
  Result<SyncReport> sync_newest(std::uint64_t n) {
    SyncRequest request;
    request.max_episodes_cache = n;
    request.set_scope = true;
    return sync(request);
  }

  // key -> one column as text, of everything cached in a collection; the order of keys aside.
  std::map<std::string, std::string> cached(const std::string& collection,
                                            const std::string& column) {
    std::map<std::string, std::string> out;
    auto reader = Reader::open(cache());
    EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
    if (!reader) return out;
    const auto listed = reader->scan({.collection = collection}, [&](const Row& row) {
      const auto value = row.at(column);
      std::string text = "NULL";
      if (value && value->type() == ValueType::text) text = value->bytes();
      if (value && value->type() == ValueType::int64) text = std::to_string(value->as_int64());
      out[std::string(row.key())] = text;
      return true;
    });
    EXPECT_TRUE(listed) << (listed ? "" : listed.error().message);
    return out;
  }
  std::vector<std::string> cached_keys(const std::string& collection) {
    std::vector<std::string> keys;
    auto reader = Reader::open(cache());
    EXPECT_TRUE(reader);
    EXPECT_TRUE(reader->scan({.collection = collection}, [&](const Row& row) {
      keys.emplace_back(row.key());
      return true;
    }));
    return keys;
  }
  std::map<std::string, std::string> expected(const std::string& keys, const std::string& values) {
    const auto k = source.column(keys);
    const auto v = source.column(values);
    std::map<std::string, std::string> out;
    for (std::size_t i = 0; i < k.size(); ++i) out[k[i]] = v.at(i);
    return out;
  }

  // The whole scope, for the newest n episodes.
  void expect_equal(std::uint64_t n) {
    const std::string window =
        "FROM episodes ORDER BY start_time DESC, episode_id DESC LIMIT " + std::to_string(n);
    EXPECT_EQ(cached_keys("episodes"), source.column("SELECT episode_id " + window));
    EXPECT_EQ(cached("episodes", "task_description"),
              expected("SELECT episode_id " + window, "SELECT task_description " + window));
    EXPECT_EQ(cached("patterns", "pattern_data"),
              expected("SELECT pattern_id FROM patterns ORDER BY 1",
                       "SELECT pattern_data FROM patterns ORDER BY pattern_id"));
    EXPECT_EQ(cached("heuristics", "condition_text"),
              expected("SELECT heuristic_id FROM heuristics ORDER BY 1",
                       "SELECT condition_text FROM heuristics ORDER BY heuristic_id"));
    const std::string of_scope =
        " FROM embeddings WHERE (lower(item_type) = 'episode' AND item_id IN (SELECT episode_id " +
        window +
        ")) OR (item_type = 'patterns' AND item_id IN (SELECT pattern_id FROM patterns)) OR "
        "(item_type IS NULL "
        "AND (item_id IN (SELECT episode_id " +
        window +
        ") OR item_id IN (SELECT pattern_id FROM patterns))) "
        "ORDER BY embedding_id";
    EXPECT_EQ(cached("embeddings", "item_id"),
              expected("SELECT embedding_id" + of_scope, "SELECT item_id" + of_scope));
    const auto checked = check(cache(), false);
    ASSERT_TRUE(checked);
    EXPECT_TRUE(checked->problems.empty()) << checked->problems.front();
  }

  TempFolder folder;
  SqliteSource source{folder.file("source.db")};
};

}  // namespace tidemark::support
