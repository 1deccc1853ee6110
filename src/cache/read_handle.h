// An open cache that follows new generations: what Reader, Snapshot and inspect read through.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "cache/meta.h"
#include "cache/row_checks.h"
#include "redb/database.h"
#include "tidemark/reader.h"

namespace tidemark::cache {

// One generation file, open read-only.
struct Generation {
  redb::Database db;
  dev_t device = 0;
  ino_t inode = 0;
  std::mutex mutex;  // guards the next two
  std::uint32_t catalog_version = 0;
  std::shared_ptr<const CatalogRecord> catalog;
  RowChecks row_checks;

  Generation(redb::Database opened, dev_t on, ino_t number)
      : db(std::move(opened)), device(on), inode(number) {}
};

// One commit. Members in this order: the transaction ends before its database closes.
struct View {
  std::shared_ptr<Generation> generation;
  std::shared_ptr<const CatalogRecord> catalog;
  State state;
  redb::ReadTransaction txn;
};

// Thread-safe. Answers `invalid` in a forked child, before it takes any lock.
class ReadHandle {
 public:
  ReadHandle(std::string path, ReaderOptions options);
  // The newest commit of the newest generation. Errors as Reader::open.
  [[nodiscard]] Result<View> view();
  // A look-up in that commit. A hit costs less than view() and lookup(): a row says itself which
  // column names it has, so that what the cache says of itself is read for misses only.
  [[nodiscard]] Result<Lookup> get(std::string_view collection, std::string_view key);
  [[nodiscard]] const ReaderOptions& options() const { return options_; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Commit {
    std::shared_ptr<Generation> generation;
    redb::ReadTransaction txn;
  };
  [[nodiscard]] Result<Commit> newest_commit();
  [[nodiscard]] Result<std::shared_ptr<Generation>> current();
  [[nodiscard]] Result<std::shared_ptr<Generation>> open_newest();
  [[nodiscard]] Result<void> repair();

  const std::string path_;
  const ReaderOptions options_;
  const std::uint64_t epoch_;
  std::mutex mutex_;
  std::shared_ptr<Generation> current_;
};

// The row, if it is there and `catalog`, which may be an older one, knows what it needs.
// Errors: corrupt.
[[nodiscard]] Result<std::optional<Row>> find_row(
    Generation& generation, const redb::ReadTransaction& txn,
    const std::shared_ptr<const CatalogRecord>& catalog, std::string_view collection,
    std::string_view key);

// The tables that a name means: a kind's every table of that kind, any other that table.
[[nodiscard]] std::vector<const model::Collection*> tables_of(const View& view,
                                                              std::string_view name);
// `corrupt`: another table knows the row. A damaged page can hide it, but not there too.
[[nodiscard]] std::unexpected<Error> lost_row(std::string_view collection, std::string_view key);
// `invalid`, with the names of those that there are.
[[nodiscard]] std::unexpected<Error> no_collection(const View& view, std::string_view name);

// Reads of one commit. Every row of the tables that `collection` names (a kind's name: all of that
// kind), or the one miss; never empty. lookup: the first of them.
[[nodiscard]] Result<std::vector<Lookup>> lookup_all(const View& view, std::string_view collection,
                                                     std::string_view key);
[[nodiscard]] Result<Lookup> lookup(const View& view, std::string_view collection,
                                    std::string_view key);
[[nodiscard]] Result<Freshness> freshness_of(const View& view, const ReaderOptions& options);
// `stale` where the options say that stale reads fail.
[[nodiscard]] Result<void> check_staleness(const View& view, const ReaderOptions& options);

// Where a scan goes on: the table that it is in and the last index or data key that it visited.
struct ScanCursor {
  std::string collection;             // empty: at the start
  std::optional<std::string> last{};  // none: at the table's start
  std::uint64_t visited = 0;
};
// Visits at most one slice; false when the scan is done (or `visit` said so).
[[nodiscard]] Result<bool> scan_slice(const View& view, const Query& query, ScanCursor& cursor,
                                      const std::function<bool(const Row&)>& visit);

}  // namespace tidemark::cache
