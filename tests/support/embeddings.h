// A cache of embeddings, made through the writer alone.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tests/support/small_cache.h"

namespace tidemark::support {

struct Embedding {
  std::string key;
  std::vector<float> vector;  // empty: NULL
  std::string model = "m";    // empty: NULL
  std::string parent_type = "episode";
  std::string parent = "e";
};

// (id, item_id, item_type, vec, model)
inline model::Collection embeddings(const std::string& table = "embeddings") {
  model::Collection collection;
  collection.name = table;
  collection.kind = model::Kind::embeddings;
  collection.columns = {
      {"id", "TEXT"}, {"item_id", "TEXT"}, {"item_type", "TEXT"}, {"vec", "BLOB"}, {"model", ""}};
  collection.parent_column = 1;
  collection.parent_type_column = 2;
  collection.vector_column = 3;
  return collection;
}

inline cache::EncodedRow encode(const model::Collection& table, const Embedding& e) {
  const auto bytes = std::string_view(reinterpret_cast<const char*>(e.vector.data()),
                                      e.vector.size() * sizeof(float));
  const std::vector<ValueView> cells = {
      ValueView::text(e.key), ValueView::text(e.parent),
      e.parent_type.empty() ? ValueView::null() : ValueView::text(e.parent_type),
      e.vector.empty() ? ValueView::null() : ValueView::vector(bytes),
      e.model.empty() ? ValueView::null() : ValueView::text(e.model)};
  return cache::encode_record(table, {e.key, cells});
}

// One commit into the cache at `path`, which is made when it is missing: these rows into `table`,
// and what `edit` changes.
inline void write_embeddings(const std::string& path, const std::vector<Embedding>& rows,
                             const std::string& table = "embeddings",
                             const std::function<void(cache::Meta&)>& edit = {}) {
  const bool fresh = !std::filesystem::exists(path);
  const std::string at = fresh ? cache::generation_path(path) : path;
  auto writer = fresh ? cache::Writer::create(at, cache::Meta{}, {}) : cache::Writer::open(at, {});
  ASSERT_TRUE(writer);
  auto session = writer->begin();
  ASSERT_TRUE(session);
  cache::Meta& meta = session->edit_meta();
  if (fresh) describe(meta);
  const model::Collection collection = embeddings(table);
  if (meta.catalog.catalog.find(table) == nullptr) {
    meta.catalog.catalog.collections.push_back(collection);
    ++meta.state.catalog_version;
  }
  auto& names = meta.catalog.schemas[collection.schema_id()];
  names.clear();
  for (const auto& column : collection.columns) names.push_back(column.name);
  if (edit) edit(meta);
  std::vector<cache::EncodedRow> encoded;
  for (const Embedding& row : rows) encoded.push_back(encode(collection, row));
  ASSERT_TRUE(session->put(collection, encoded));
  ASSERT_TRUE(std::move(*session).commit());
  ASSERT_TRUE(std::move(*writer).close());
  if (fresh) {
    ASSERT_TRUE(cache::install_generation(at, path));
  }
}

// One commit without these rows.
inline void remove_embeddings(const std::string& path, const std::vector<std::string>& keys) {
  auto writer = cache::Writer::open(path, {});
  ASSERT_TRUE(writer);
  auto session = writer->begin();
  ASSERT_TRUE(session);
  ASSERT_TRUE(session->remove(embeddings(), keys));
  ASSERT_TRUE(std::move(*session).commit());
  ASSERT_TRUE(std::move(*writer).close());
}

}  // namespace tidemark::support
