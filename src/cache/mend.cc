#include "cache/mend.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "cache/index.h"
#include "cache/index_changes.h"
#include "cache/meta_store.h"
#include "cache/read_stats.h"
#include "cache/scrub.h"
#include "cache/tuning.h"
#include "cache/write_session_impl.h"

namespace tidemark::cache {
namespace {

// Builds the indexes and the sum of one collection anew from its rows.
class Rebuild {
 public:
  Rebuild(redb::WriteTransaction& txn, const model::Collection& collection)
      : txn_(txn), collection_(collection) {}

  Result<TableSum> run() {
    for (const std::string& table : index_tables(collection_)) {
      TIDEMARK_TRY(txn_.drop_table(index_table(table)));
    }
    const auto table = data_table(collection_.name);
    std::optional<std::string> last;
    redb::Range range;
    range.bytes_max = kScrubSliceBytes;
    range.from_exclusive = true;
    while (true) {
      TIDEMARK_ASSIGN(slice, txn_.scan(table, range));
      for (const redb::Entry& entry : slice.entries()) TIDEMARK_TRY(take(entry));
      if (!slice.more()) break;
      last = slice.entries().back().key;
      range.from = last;
    }
    TIDEMARK_TRY(indexes_.apply(txn_));
    for (const std::string& key : bad_) {
      const redb::Change gone{key, std::nullopt};
      TIDEMARK_TRY(txn_.apply(table, std::span(&gone, 1)));
    }
    return sum_;
  }

  [[nodiscard]] std::size_t dropped() const { return bad_.size(); }

 private:
  Result<void> take(const redb::Entry& entry) {
    const auto row = RowView::open(collection_.name, entry.key, entry.value);
    if (!row) {
      bad_.emplace_back(entry.key);
      return {};
    }
    ++sum_.count;
    sum_.xor_of_hashes ^= row->hash();
    sum_.bytes += entry.key.size() + entry.value.size();
    indexes_.replace(collection_, entry.key, nullptr, &*row, sum_);
    return indexes_.bytes() < kIndexChangesBytesMax ? Result<void>{} : indexes_.apply(txn_);
  }

  redb::WriteTransaction& txn_;
  const model::Collection& collection_;
  IndexChanges indexes_;
  TableSum sum_;
  std::vector<std::string> bad_;
};

// Closed by redb's own repair and found whole by it; what it says of itself.
Result<Meta> open_and_check(const std::string& path, const WriterOptions& options,
                            const std::function<Result<void>(const Identity&)>& accept) {
  TIDEMARK_ASSIGN(db, redb::Database::open(path, open_options(options)));
  Meta meta;
  {
    TIDEMARK_ASSIGN(read, db.begin_read());
    TIDEMARK_ASSIGN(loaded, load_meta(read));
    meta = std::move(loaded);
  }
  TIDEMARK_TRY(accept(meta.identity));
  TIDEMARK_ASSIGN(intact, db.check_integrity());  // false: mended by redb
  static_cast<void>(intact);
  TIDEMARK_TRY(std::move(db).close());
  return meta;
}

Result<CacheCheck> scrub_all(const std::string& path) {
  ReaderOptions options;
  options.repair = false;
  Scrub scrub(path, options);
  while (true) {
    TIDEMARK_ASSIGN(more, scrub.step());
    if (!more) return scrub.found();
  }
}

Result<std::uint64_t> rebuild_all(const std::string& path, const WriterOptions& options) {
  TIDEMARK_ASSIGN(db, redb::Database::open(path, open_options(options)));
  Meta before;
  {
    TIDEMARK_ASSIGN(read, db.begin_read());
    TIDEMARK_ASSIGN(loaded, load_meta(read));
    before = std::move(loaded);
  }
  Meta meta = before;
  std::uint64_t dropped = 0;
  TIDEMARK_ASSIGN(txn, db.begin_write());
  for (const auto& collection : meta.catalog.catalog.collections) {
    Rebuild rebuild(txn, collection);
    TIDEMARK_ASSIGN(sum, rebuild.run());
    meta.sums[collection.name] = sum;
    dropped += rebuild.dropped();
  }
  meta.state.needs_repair = true;
  ++meta.state.commit_id;
  TIDEMARK_TRY(store_meta(txn, meta, &before));
  TIDEMARK_TRY(std::move(txn).commit());
  TIDEMARK_TRY(std::move(db).close());
  return dropped;
}

}  // namespace

Result<Mended> mend(const std::string& path, const WriterOptions& options,
                    const std::function<Result<void>(const Identity&)>& accept) {
  TIDEMARK_ASSIGN(meta, open_and_check(path, options, accept));
  Mended mended;
  if (!meta.state.hashed) return mended;  // an older format: the pass fills it anew
  TIDEMARK_ASSIGN(found, scrub_all(path));
  mended.problems = found.problems;
  if (mended.problems.empty() && !meta.state.needs_repair) return mended;
  TIDEMARK_ASSIGN(dropped, rebuild_all(path, options));
  mended.rows_dropped = dropped;
  if (mended.problems.empty()) mended.problems.emplace_back("a check had marked the cache");
  return mended;
}

std::string corrupt_path(const std::string& cache) { return cache + ".corrupt"; }

Result<void> keep_aside(const std::string& cache) {
  const std::string aside = corrupt_path(cache);
  const std::string next = aside + ".next";
  ::unlink(next.c_str());
  // A second name costs nothing; where the file system knows none, a copy.
  if (::link(cache.c_str(), next.c_str()) != 0) {
    std::error_code failed;
    std::filesystem::copy_file(cache, next, failed);
    if (failed) {
      ::unlink(next.c_str());
      return fail(
          failed == std::errc::no_space_on_device ? ErrorCode::no_space : ErrorCode::internal,
          "keep the damaged cache as " + aside + ": " + failed.message());
    }
  }
  if (std::rename(next.c_str(), aside.c_str()) != 0) {
    return fail(ErrorCode::internal, "rename to " + aside + ": " + std::strerror(errno));
  }
  ::unlink(next.c_str());  // rename does nothing when both are one file
  return {};
}

bool stood_here(const std::string& cache) { return total_reads(cache).has_value(); }

}  // namespace tidemark::cache
