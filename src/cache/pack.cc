#include "cache/pack.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>

#include "cache/files.h"
#include "cache/index.h"
#include "cache/meta_store.h"
#include "cache/write_session_impl.h"

namespace tidemark::cache {
namespace {

std::vector<std::string> index_names(const Meta& meta) {
  std::vector<std::string> names;
  for (const auto& collection : meta.catalog.catalog.collections) {
    for (std::string& name : index_tables(collection)) names.push_back(std::move(name));
  }
  return names;
}

// All tables that a cache with this meta can have.
std::vector<redb::TableName> tables_of(const Meta& meta, const std::vector<std::string>& indexes) {
  constexpr std::size_t kOwnTables = 2;
  std::vector<redb::TableName> tables;
  tables.reserve(meta.catalog.catalog.collections.size() + indexes.size() + kOwnTables);
  for (const auto& collection : meta.catalog.catalog.collections) {
    tables.push_back(data_table(collection.name));
  }
  for (const std::string& name : indexes) tables.push_back(index_table(name));
  tables.push_back(kSkipsTable);
  tables.push_back(kMetaTable);  // last: a file without it is no cache
  return tables;
}

// Copies tables, committing on the way so that memory does not follow their size.
class Copier {
 public:
  Copier(const redb::ReadTransaction& from, redb::Database& to,
         const std::function<bool()>& keep_going)
      : from_(from), to_(to), keep_going_(keep_going) {}

  Result<void> copy(redb::TableName table) {
    TIDEMARK_ASSIGN(txn, to_.begin_write());
    std::size_t uncommitted = 0;
    std::string last;
    redb::Range range;
    range.bytes_max = kPackSliceBytes;
    range.entries_max = kPackSliceBytes;
    while (true) {
      if (!keep_going_()) return fail(ErrorCode::cancelled, "cancelled");
      TIDEMARK_ASSIGN(slice, from_.scan(table, range));
      std::vector<redb::Change> changes;
      changes.reserve(slice.entries().size());
      for (const redb::Entry& entry : slice.entries()) {
        changes.push_back({entry.key, entry.value});
        uncommitted += entry.key.size() + entry.value.size();
      }
      TIDEMARK_TRY(txn.apply(table, changes));
      if (!slice.more()) break;
      last = slice.entries().back().key;
      range.from = last;
      range.from_exclusive = true;
      if (uncommitted < kPackCommitBytes) continue;
      uncommitted = 0;
      TIDEMARK_TRY(std::move(txn).commit());
      TIDEMARK_ASSIGN(next, to_.begin_write());
      txn = std::move(next);
    }
    TIDEMARK_ASSIGN(expected, from_.count(table));
    TIDEMARK_ASSIGN(copied, txn.count(table));
    if (copied != expected) return fail(ErrorCode::internal, "a packed table lacks rows");
    return std::move(txn).commit();
  }

 private:
  const redb::ReadTransaction& from_;
  redb::Database& to_;
  const std::function<bool()>& keep_going_;
};

Result<void> copy_all(const redb::ReadTransaction& from, const Meta& meta, const std::string& path,
                      const WriterOptions& options) {
  ::unlink(path.c_str());  // what a killed one left
  TIDEMARK_ASSIGN(to, redb::Database::open(path, open_options(options)));
  Copier copier(from, to, options.keep_going);
  const auto indexes = index_names(meta);
  for (const redb::TableName table : tables_of(meta, indexes)) TIDEMARK_TRY(copier.copy(table));
  return std::move(to).close();
}

bool worth_packing(const Meta& meta, std::uint64_t file_bytes, PackWhen when) {
  std::uint64_t live_bytes = 0;
  for (const auto& [name, sum] : meta.sums) live_bytes += sum.bytes;
  return file_bytes >= when.file_bytes_min &&
         static_cast<double>(file_bytes) > when.ratio_min * static_cast<double>(live_bytes);
}

// Ends with everything closed.
Result<bool> packed(const std::string& generation, const std::string& path,
                    const WriterOptions& options, PackWhen when) {
  std::error_code unknown;
  const std::uint64_t file_bytes = std::filesystem::file_size(generation, unknown);
  if (unknown || file_bytes < when.file_bytes_min) return false;
  TIDEMARK_ASSIGN(db, redb::Database::open(generation, {}));
  TIDEMARK_ASSIGN(txn, db.begin_read());
  TIDEMARK_ASSIGN(meta, load_meta(txn));
  if (unknown || !worth_packing(meta, file_bytes, when)) return false;
  TIDEMARK_TRY(copy_all(txn, meta, path, options));
  return true;
}

}  // namespace

Result<void> pack_generation(const std::string& generation, const WriterOptions& options,
                             PackWhen when) {
  const std::string path = packed_path(generation);
  auto done = packed(generation, path, options, when);
  if (done && *done && std::rename(path.c_str(), generation.c_str()) == 0) return {};
  ::unlink(path.c_str());
  if (!done && done.error().code != ErrorCode::no_space) {
    return wrap("pack the new generation", std::move(done).error());
  }
  return {};
}

Result<bool> pack_cache(const std::string& cache, const WriterOptions& options, PackWhen when) {
  const std::string path = packed_path(generation_path(cache));
  auto done = packed(cache, path, options, when);
  if (done && *done) {
    TIDEMARK_TRY(install_generation(path, cache));
    return true;
  }
  ::unlink(path.c_str());
  if (!done && done.error().code != ErrorCode::no_space) {
    return wrap("pack the cache", std::move(done).error());
  }
  return false;
}

}  // namespace tidemark::cache
