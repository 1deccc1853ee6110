// The rows that the benchmarks of the cache store: episodes of a given size under random keys, in
// the order in which a fill brings them (newest first).
#pragma once

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "benchmarks/support/timing.h"
#include "cache/files.h"
#include "cache/pack.h"
#include "cache/writer.h"
#include "redb/database.h"

namespace tidemark::bench {

inline model::Catalog catalog() {
  model::Collection episodes;
  episodes.name = "episodes";
  episodes.columns = {{"episode_id", "TEXT"}, {"start_time", "INTEGER"}, {"context", "TEXT"}};
  episodes.order_column = 1;
  model::Catalog out;
  out.collections = {episodes};
  return out;
}

// Keys as agents make them: random hex, so that time order is no key order.
inline std::vector<cache::EncodedRow> make_rows(std::size_t count, std::size_t bytes) {
  std::mt19937_64 random(1);
  const model::Collection episodes = catalog().collections[0];
  const std::string context(bytes, 'c');
  std::vector<cache::EncodedRow> rows;
  rows.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    char key[40];
    std::snprintf(key, sizeof key, "%016llx%016llx", static_cast<unsigned long long>(random()),
                  static_cast<unsigned long long>(random()));
    const std::vector<ValueView> cells = {ValueView::text(key),
                                          ValueView::int64(static_cast<std::int64_t>(count - i)),
                                          ValueView::text(context)};
    rows.push_back(cache::encode_record(episodes, {key, cells}));
  }
  return rows;
}

inline void describe(cache::Meta& meta) {
  meta.catalog.catalog = catalog();
  const model::Collection& episodes = meta.catalog.catalog.collections[0];
  for (const auto& column : episodes.columns) {
    meta.catalog.schemas[episodes.schema_id()].push_back(column.name);
  }
  meta.state.checked_at_us = 1;
}

// As the engine's fill does: batches of `put_bytes`, a commit each `commit_bytes`.
struct FillShape {
  std::size_t put_bytes = std::size_t{4} << 20U;
  std::size_t commit_bytes = std::size_t{16} << 20U;
};

inline void fill_cache(const std::string& path, const std::vector<cache::EncodedRow>& rows,
                       FillShape shape = {}) {
  const std::string next = cache::generation_path(path);
  auto writer = cache::Writer::create(next, cache::Meta{}, {});
  require(writer.has_value(), "cannot create " + next);
  auto session = writer->begin();
  require(session.has_value(), "cannot begin");
  describe(session->edit_meta());
  const model::Collection episodes = catalog().collections[0];
  std::size_t uncommitted = 0;
  for (std::size_t from = 0; from < rows.size();) {
    std::size_t to = from;
    for (std::size_t bytes = 0; to < rows.size() && bytes < shape.put_bytes; ++to) {
      bytes += rows[to].key.size() + rows[to].bytes.size();
      uncommitted += rows[to].key.size() + rows[to].bytes.size();
    }
    require(session->put(episodes, std::span(rows).subspan(from, to - from)).has_value(), "put");
    from = to;
    if (uncommitted < shape.commit_bytes) continue;
    uncommitted = 0;
    require(session->checkpoint().has_value(), "checkpoint");
  }
  require(std::move(*session).commit().has_value(), "commit");
  require(std::move(*writer).close().has_value(), "close");
  require(cache::pack_generation(next, {}).has_value(), "pack");
  require(cache::install_generation(next, path).has_value(), "install");
}

// A bare redb file, opened as the cache opens its own.
inline redb::Database open_bare(const std::string& path) {
  redb::OpenOptions options;
  options.mode = redb::OpenOptions::Mode::open_or_create;
  options.page_cache_bytes = cache::WriterOptions{}.page_cache_bytes;
  auto db = redb::Database::open(path, options);
  require(db.has_value(), "open bare");
  return std::move(*db);
}

// The floor of a fill: bare redb, one transaction, in key order, in batches of the cache's size.
inline void fill_bare(const std::string& path, const std::vector<cache::EncodedRow>& sorted) {
  std::filesystem::remove(path);
  redb::Database db = open_bare(path);
  auto txn = db.begin_write();
  std::vector<redb::Change> changes;
  std::size_t bytes = 0;
  for (const auto& row : sorted) {
    changes.push_back({row.key, row.bytes});
    bytes += row.key.size() + row.bytes.size();
    if (bytes < FillShape{}.put_bytes) continue;
    require(txn->apply({"episodes"}, changes).has_value(), "bare apply");
    changes.clear();
    bytes = 0;
  }
  require(txn->apply({"episodes"}, changes).has_value(), "bare apply");
  require(std::move(*txn).commit().has_value(), "bare commit");
  require(std::move(db).close().has_value(), "bare close");
}

}  // namespace tidemark::bench
