// A cache against its source, once both are quiet.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/fault/storm/readers.h"
#include "tests/fault/storm/writer.h"

namespace tidemark::storm {

// Key, detail and body of each row, in listed order.
inline Listing cached(const std::string& cache, std::size_t table) {
  Listing out;
  const auto reader = Reader::open(cache);
  EXPECT_TRUE(reader) << (reader ? "" : reader.error().message);
  if (!reader) return out;
  EXPECT_TRUE(reader->scan({.collection = kTables[table].name}, [&](const Row& row) {
    out.push_back(
        {std::string(row.key()), text_of(row.at(kTables[table].detail)), text_of(row.at("body"))});
    return true;
  }));
  return out;
}

// The scope, asked for with SQL of its own.
inline void expect_equal(const std::string& cache, Application& application) {
  const Listing episodes = application.rows(
      kEpisodes, "ORDER BY start_time DESC, episode_id DESC LIMIT " + std::to_string(kWindow));
  const Listing patterns = application.rows(kPatterns, "ORDER BY pattern_id");
  EXPECT_EQ(cached(cache, kEpisodes), episodes);
  EXPECT_EQ(cached(cache, kPatterns), patterns);
  EXPECT_EQ(cached(cache, kHeuristics),
            application.rows(kHeuristics, "ORDER BY CAST(heuristic_id AS TEXT)"));
  Listing embeddings = application.rows(kEmbeddings, "ORDER BY embedding_id");
  std::erase_if(embeddings, [&](const auto& row) {
    const auto is_parent = [&](const auto& item) { return item[0] == row[1]; };
    return std::ranges::none_of(episodes, is_parent) && std::ranges::none_of(patterns, is_parent);
  });
  EXPECT_EQ(cached(cache, kEmbeddings), embeddings);
}

}  // namespace tidemark::storm
