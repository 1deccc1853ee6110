// What can be said of a cache without its source, and whether it agrees with itself.
#include <sys/stat.h>

#include <functional>

#include "cache/index.h"
#include "cache/lock.h"
#include "cache/meta_store.h"
#include "cache/read_handle.h"
#include "cache/read_stats.h"

namespace tidemark {
namespace {

constexpr std::size_t kProblemsMax = 20;
// Read at a time in a check: small enough that the allocator reuses the same block.
constexpr std::size_t kSliceBytes = std::size_t{128} << 10U;

void fill_status(CacheStatus& status, const cache::Meta& meta) {
  status.readable = true;
  status.source = meta.identity.source;
  status.generation = meta.identity.generation;
  status.format_version = meta.identity.format_version;
  status.scope = meta.identity.scope;
  status.window_complete = meta.state.window_complete;
  std::uint64_t bytes = 0;
  for (const auto& collection : meta.catalog.catalog.collections) {
    const auto sum = meta.sums.find(collection.name);
    status.counts[collection.name] = sum == meta.sums.end() ? 0 : sum->second.count;
    bytes += sum == meta.sums.end() ? 0 : sum->second.bytes;
  }
  status.live_bytes = bytes;
  status.notes = meta.catalog.catalog.notes;
  if (!meta.last_report_json.empty()) status.last_report_json = meta.last_report_json;
}

Result<void> read_status(CacheStatus& status, const ReaderOptions& options) {
  cache::ReadHandle handle(status.path, options);
  TIDEMARK_ASSIGN(view, handle.view());
  TIDEMARK_ASSIGN(meta, cache::load_meta(view.txn));
  fill_status(status, meta);
  TIDEMARK_ASSIGN(freshness, cache::freshness_of(view, options));
  status.freshness = std::move(freshness);
  return {};
}

// Checks one collection inside one commit.
class CollectionCheck {
 public:
  CollectionCheck(const cache::View& view, const model::Collection& collection, CacheCheck& check)
      : view_(view), collection_(collection), check_(check) {}

  Result<void> run(const cache::TableSum& expected) {
    TIDEMARK_TRY(each_row([this](const redb::Entry& entry) { return sum_up(entry); }));
    if (sum_ != expected)
      problem("the count, sum or bytes of its rows are not what the cache recorded");
    for (const std::string& table : cache::index_tables(collection_)) {
      TIDEMARK_ASSIGN(stored, stored_entries(table));
      check_.index_entries += stored.count;
      if (stored != entries_[table]) TIDEMARK_TRY(explain(table, stored.count));
    }
    return {};
  }

 private:
  // Of a set of keys, whatever its order. In this process only, so any hash will do.
  struct Entries {
    std::uint64_t count = 0;
    std::uint64_t xor_of_hashes = 0;
    bool operator==(const Entries&) const = default;

    void add(std::string_view key) {
      ++count;
      xor_of_hashes ^= std::hash<std::string_view>()(key);
    }
  };
  using Visit = std::function<Result<void>(const redb::Entry&)>;

  void problem(const std::string& text) {
    if (check_.problems.size() < kProblemsMax)
      check_.problems.push_back(collection_.name + ": " + text);
  }

  Result<void> each_entry(redb::TableName table, bool keys_only, const Visit& visit) {
    std::string last;
    redb::Range range;
    range.keys_only = keys_only;
    range.bytes_max = kSliceBytes;
    while (true) {
      TIDEMARK_ASSIGN(slice, view_.txn.scan(table, range));
      for (const redb::Entry& entry : slice.entries()) TIDEMARK_TRY(visit(entry));
      if (!slice.more()) return {};
      last = slice.entries().back().key;
      range.from = last;
      range.from_exclusive = true;
    }
  }

  Result<void> each_row(const Visit& visit) {
    return each_entry(cache::data_table(collection_.name), false, visit);
  }

  Result<void> sum_up(const redb::Entry& entry) {
    ++check_.rows;
    const auto row = cache::RowView::open(collection_.name, entry.key, entry.value);
    if (!row) {
      problem(row.error().message);
      return {};
    }
    ++sum_.count;
    sum_.xor_of_hashes ^= row->hash();
    sum_.bytes += entry.key.size() + entry.value.size();
    for (const auto& index : cache::index_entries(collection_, *row)) {
      entries_[index.table].add(index.key);
      sum_.bytes += index.key.size();
    }
    return {};
  }

  Result<Entries> stored_entries(const std::string& table) {
    Entries stored;
    TIDEMARK_TRY(each_entry(cache::index_table(table), true, [&](const redb::Entry& entry) {
      stored.add(entry.key);
      return Result<void>{};
    }));
    return stored;
  }

  // The slow way, for an index that is known not to agree: which rows it lacks.
  Result<void> explain(const std::string& table, std::uint64_t stored) {
    std::uint64_t lacking = 0;
    TIDEMARK_TRY(each_row([&](const redb::Entry& entry) -> Result<void> {
      const auto row = cache::RowView::open(collection_.name, entry.key, entry.value);
      if (!row) return {};
      for (const auto& index : cache::index_entries(collection_, *row)) {
        if (index.table != table) continue;
        TIDEMARK_ASSIGN(found, view_.txn.get(cache::index_table(table), index.key));
        if (found) continue;
        ++lacking;
        problem(table + " lacks row " + std::string(entry.key));
      }
      return {};
    }));
    if (stored + lacking != entries_[table].count) {
      problem(table + " has entries that no row has");
    }
    return {};
  }

  const cache::View& view_;
  const model::Collection& collection_;
  CacheCheck& check_;
  cache::TableSum sum_;
  std::map<std::string, Entries> entries_;
};

Result<void> check_pages(const std::string& path, CacheCheck& check) {
  TIDEMARK_ASSIGN(lock, cache::CacheLock::acquire(path, 0600));
  static_cast<void>(lock);  // held while the file is open for writing
  redb::OpenOptions open;
  open.mode = redb::OpenOptions::Mode::open_or_create;
  TIDEMARK_ASSIGN(db, redb::Database::open(path, open));
  TIDEMARK_ASSIGN(intact, db.check_integrity());
  if (!intact) check.problems.emplace_back("redb found pages that do not match their checksums");
  return std::move(db).close();
}

}  // namespace

CacheStatus inspect(const std::string& path, ReaderOptions options) {
  CacheStatus status;
  status.path = path;
  status.holder = cache::lock_holder(path);
  status.reads = cache::total_reads(path);
  struct stat info{};
  status.exists = ::stat(path.c_str(), &info) == 0;
  if (status.exists) status.file_bytes = static_cast<std::uint64_t>(info.st_size);
  options.when_stale = StalePolicy::serve;
  if (auto read = read_status(status, options); !read) {
    status.readable = false;
    status.problem = std::move(read).error();
    if (status.problem->code == ErrorCode::needs_repair) {
      status.freshness.state = FreshnessState::needs_repair;
    }
  }
  return status;
}

Result<CacheCheck> check(const std::string& path, bool deep, ReaderOptions options) {
  CacheCheck result;
  {
    cache::ReadHandle handle(path, options);
    TIDEMARK_ASSIGN(view, handle.view());
    TIDEMARK_ASSIGN(meta, cache::load_meta(view.txn));
    for (const auto& collection : view.catalog->catalog.collections) {
      TIDEMARK_TRY(CollectionCheck(view, collection, result).run(meta.sums[collection.name]));
    }
  }
  if (deep) TIDEMARK_TRY(check_pages(path, result));
  return result;
}

}  // namespace tidemark
