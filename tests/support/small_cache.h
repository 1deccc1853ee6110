// A cache made through the writer alone, for tests of what lies below the engine.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "cache/files.h"
#include "cache/writer.h"
#include "tests/support/temp_folder.h"
#include "tidemark/reader.h"

namespace tidemark::support {

// One collection "episodes" (id, at, body) and one "patterns" (id, pattern_type).
inline model::Catalog small_catalog() {
  model::Collection episodes;
  episodes.name = "episodes";
  episodes.columns = {{"id", "TEXT"}, {"at", "INTEGER"}, {"body", "TEXT"}};
  episodes.order_column = 1;
  model::Collection patterns;
  patterns.name = "patterns";
  patterns.kind = model::Kind::patterns;
  patterns.columns = {{"id", "TEXT"}, {"pattern_type", "TEXT"}};
  patterns.index_columns = {1};
  model::Catalog catalog;
  catalog.collections = {episodes, patterns};
  return catalog;
}

inline cache::EncodedRow episode(const std::string& key, std::int64_t at, std::string_view body) {
  const model::Catalog catalog = small_catalog();
  const std::vector<ValueView> cells = {ValueView::text(key), ValueView::int64(at),
                                        ValueView::text(body)};
  return cache::encode_record(catalog.collections[0], {key, cells});
}

inline void describe(cache::Meta& meta) {
  meta.catalog.catalog = small_catalog();
  for (const auto& collection : meta.catalog.catalog.collections) {
    auto& names = meta.catalog.schemas[collection.schema_id()];
    names.clear();
    for (const auto& column : collection.columns) names.push_back(column.name);
  }
  meta.state.checked_at_us = 1;
}

// One commit of `rows` into the cache at `path`, which is made when it is missing.
inline Result<void> write_episodes(const std::string& path,
                                   const std::vector<cache::EncodedRow>& rows,
                                   cache::WriterOptions options = {}) {
  const bool fresh = !std::filesystem::exists(path);
  const std::string at = fresh ? cache::generation_path(path) : path;
  TIDEMARK_ASSIGN(writer, fresh ? cache::Writer::create(at, cache::Meta{}, options)
                                : cache::Writer::open(at, options));
  TIDEMARK_ASSIGN(session, writer.begin());
  describe(session.edit_meta());
  TIDEMARK_TRY(session.put(small_catalog().collections[0], rows));
  TIDEMARK_TRY(std::move(session).commit());
  TIDEMARK_TRY(std::move(writer).close());
  return fresh ? cache::install_generation(at, path) : Result<void>{};
}

struct SmallCache {
  TempFolder folder;
  std::string path = folder.file("cache.redb");
};

}  // namespace tidemark::support
