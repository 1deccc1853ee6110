// A source in the reference schema, served by the peer or the real server, and one pass over it
// compared with the same pass over the file.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "tests/support/hrana_peer.h"
#include "tests/support/sqlite_source.h"
#include "tests/support/temp_folder.h"
#include "tidemark/syncer.h"

namespace tidemark::support {

// The reference schema with one embeddings table per dimension.
inline constexpr const char* kReferenceSchema = R"(
PRAGMA journal_mode=WAL;
CREATE TABLE episodes(episode_id TEXT PRIMARY KEY, task_type TEXT, task_description TEXT,
  context TEXT, start_time INTEGER, end_time INTEGER, steps TEXT, outcome TEXT, reward REAL,
  reflection TEXT, patterns TEXT, heuristics TEXT, checkpoints TEXT, metadata TEXT, domain TEXT,
  language TEXT, created_at INTEGER, archived_at INTEGER);
CREATE INDEX episodes_by_start ON episodes(start_time);
CREATE TABLE patterns(pattern_id TEXT PRIMARY KEY, pattern_type TEXT, pattern_data TEXT,
  success_rate REAL, context_domain TEXT, context_language TEXT, context_tags TEXT,
  occurrence_count INTEGER, created_at INTEGER, updated_at INTEGER);
CREATE TABLE heuristics(heuristic_id TEXT PRIMARY KEY, condition_text TEXT, action_text TEXT,
  confidence REAL, evidence TEXT, created_at INTEGER, updated_at INTEGER);
CREATE TABLE embeddings_384(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,
  embedding_data TEXT, embedding_vector F32_BLOB(384), dimension INTEGER, model TEXT,
  created_at INTEGER);
CREATE TABLE embeddings_other(embedding_id TEXT PRIMARY KEY, item_id TEXT, item_type TEXT,
  embedding_data TEXT, dimension INTEGER, model TEXT, created_at INTEGER);
CREATE TABLE digits(d INTEGER);
INSERT INTO digits VALUES(0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
)";

// 1,000 numbers as `i`; the real server knows no recursive CTE, so the file is written by SQLite.
inline constexpr const char* kReferenceRows = R"(
CREATE TEMP TABLE numbers AS SELECT 100*c.d + 10*b.d + a.d AS i FROM digits a, digits b, digits c;
INSERT INTO episodes SELECT printf('ep-%04d', i), CASE i % 3 WHEN 0 THEN 'fix' ELSE 'review' END,
  'task ' || i || char(10) || ' "quoted" é世界🌊', NULL,
  CASE WHEN i % 10 = 9 THEN NULL ELSE i / 2 END,
  i + 9007199254740993, '[{"tool":"read"}]', '', i / 7.0, 'a' || char(0) || 'b', '[]', '[]',
  x'00ff', '{}', 'web', 'C++', -i, 9223372036854775807 FROM numbers;
INSERT INTO patterns SELECT printf('pa-%03d', i), 'tool', 'data ' || i, i / 3.0, 'web', 'Go', '[]',
  i, i, NULL FROM numbers WHERE i < 120;
INSERT INTO heuristics SELECT printf('he-%03d', i), 'when ' || i, 'then', 4.9e-324, '[]', i, i
  FROM numbers WHERE i < 50;
INSERT INTO embeddings_384 SELECT printf('em-%04d', i), printf('ep-%04d', i), 'episode', NULL,
  CAST(zeroblob(1536) AS BLOB), 384, 'small', i FROM numbers;
INSERT INTO embeddings_other SELECT printf('em-%04d', i), printf('pa-%03d', i), 'Patterns',
  '[0.5,-1e2,' || i || ']', 3, 'other', i FROM numbers WHERE i < 120;
DROP TABLE digits;
)";

// Each item of a cache as "key: JSON", by collection and in listed order.
inline std::map<std::string, std::vector<std::string>> contents(
    const std::string& cache,
    const std::vector<std::string>& collections = {"episodes", "patterns", "heuristics",
                                                   "embeddings_384", "embeddings_other"}) {
  std::map<std::string, std::vector<std::string>> out;
  const auto reader = Reader::open(cache);
  EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
  if (!reader) return out;
  for (const std::string& collection : collections) {
    const auto listed = reader->scan({.collection = collection}, [&](const Row& row) {
      out[collection].push_back(std::string(row.key()) + ": " + row.to_json());
      return true;
    });
    EXPECT_TRUE(listed) << collection << (listed ? "" : ": " + listed.error().message);
  }
  return out;
}

// One test's source file and caches.
struct Serving {
  Serving() {
    source.run(kReferenceSchema);
    source.run(kReferenceRows);
  }

  [[nodiscard]] std::string database() const { return folder.file("source.db"); }
  [[nodiscard]] std::string cache() const { return folder.file("cache.redb"); }

  Result<SyncReport> sync(const std::string& url, const SyncerOptions& options = {},
                          std::stop_token stop = {}) {
    return sync_into(cache(), url, options, std::move(stop));
  }
  Result<SyncReport> sync_into(const std::string& path, const std::string& url,
                               const SyncerOptions& options = {}, std::stop_token stop = {}) {
    auto syncer = Syncer::open(url, path, config, options);
    if (!syncer) return std::unexpected(syncer.error());
    return syncer->sync(std::move(stop));
  }

  TempFolder folder;
  SqliteSource source{folder.file("source.db")};
  SyncConfig config = [] {
    SyncConfig small;
    small.max_episodes_cache = 600;
    small.batch_size = 20;
    small.request_deadline = std::chrono::seconds(20);
    return small;
  }();
};

}  // namespace tidemark::support
