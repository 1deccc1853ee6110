#include "cache/scrub.h"

#include <algorithm>

#include "cache/index.h"
#include "cache/lock.h"
#include "cache/meta_store.h"
#include "cache/tuning.h"

namespace tidemark {
namespace cache {
namespace {

// In the format of the cache: its first one had no table of keys.
std::vector<std::string> tables_of(const model::Collection& collection, bool with_keys_table) {
  auto tables = index_tables(collection);
  if (!with_keys_table) std::erase(tables, keys_table(collection.name));
  return tables;
}

Result<bool> has_parent(const View& view, const model::Collection& embeddings, const RowView& row) {
  std::vector<ValueView> cells;
  cells.reserve(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) cells.push_back(row.at(i));
  const auto parent = model::parent_of(embeddings, cells);
  if (!parent) return false;
  for (const auto& collection : view.catalog->catalog.collections) {
    if (collection.kind == model::Kind::embeddings) continue;
    if (parent->kind.value_or(collection.kind) != collection.kind) continue;
    TIDEMARK_ASSIGN(found, view.txn.get(data_table(collection.name), parent->key));
    if (found) return true;
  }
  return false;
}

}  // namespace

void Scrub::Entries::add(std::string_view key) {
  ++count;
  xor_of_hashes ^= std::hash<std::string_view>()(key);
}

void Scrub::problem(const model::Collection& collection, const std::string& text) {
  if (found_.problems.size() < kProblemsMax)
    found_.problems.push_back(collection.name + ": " + text);
}

double Scrub::progress() const {
  if (total_bytes_ == 0) return 0;
  const auto done = static_cast<double>(passed_bytes_ + collection_bytes_);
  return std::min(1.0, done / static_cast<double>(total_bytes_));
}

Result<bool> Scrub::step() {
  if (!handle_) handle_.emplace(path_, options_);
  TIDEMARK_ASSIGN(view, handle_->view());
  TIDEMARK_ASSIGN(identity, load_identity(view.txn));
  if (identity.generation != generation_) {
    TIDEMARK_TRY(begin(view));
    generation_ = std::move(identity.generation);
  }
  const auto& collections = view.catalog->catalog.collections;
  if (collection_ >= collections.size()) return false;
  const model::Collection& collection = collections[collection_];
  TIDEMARK_TRY(go_on(view, collection));
  if (auto done = slice(view, collection); !done) {
    if (done.error().code != ErrorCode::corrupt) return std::unexpected(std::move(done).error());
    problem(collection, done.error().message);  // what comes after it cannot be read
    end_collection();
  }
  return collection_ < collections.size();
}

// A new file: what was found in the old one says nothing of it.
Result<void> Scrub::begin(const View& view) {
  found_ = {};
  collection_ = 0;
  table_ = 0;
  last_.reset();
  restarts_ = 0;
  passed_bytes_ = collection_bytes_ = total_bytes_ = 0;
  with_keys_table_ = view.state.hashed;
  TIDEMARK_ASSIGN(meta, load_meta(view.txn));
  for (const auto& [name, sum] : meta.sums) total_bytes_ += sum.bytes;
  return {};
}

// With the collection, where the rows are those that it began with; else it begins.
Result<void> Scrub::go_on(const View& view, const model::Collection& collection) {
  if (table_ == 0 && !last_) return begin_collection(view, collection);
  if (view.state.commit_id == commit_id_ || changed_) return {};
  TIDEMARK_ASSIGN(recorded, load_sum(view.txn, view.state, collection.name));
  if (recorded == recorded_ && view.state.catalog_version == catalog_version_) {
    commit_id_ = view.state.commit_id;  // which changed other things
    return {};
  }
  changed_ = ++restarts_ > kScrubRestartsMax;
  if (changed_) return {};
  found_ = before_;
  return begin_collection(view, collection);
}

Result<void> Scrub::begin_collection(const View& view, const model::Collection& collection) {
  TIDEMARK_ASSIGN(recorded, load_sum(view.txn, view.state, collection.name));
  recorded_ = recorded;
  commit_id_ = view.state.commit_id;
  catalog_version_ = view.state.catalog_version;
  before_ = found_;
  table_ = 0;
  last_.reset();
  changed_ = false;
  collection_bytes_ = 0;
  sum_ = {};
  expected_.clear();
  stored_.clear();
  return {};
}

void Scrub::end_collection() {
  passed_bytes_ += std::exchange(collection_bytes_, 0);
  ++collection_;
  table_ = 0;
  last_.reset();
  restarts_ = 0;
}

Result<void> Scrub::slice(const View& view, const model::Collection& collection) {
  const auto tables = tables_of(collection, with_keys_table_);
  redb::Range range;
  range.bytes_max = kScrubSliceBytes;
  range.keys_only = table_ > 0;
  const std::optional<std::string> last = last_;
  range.from = last;
  range.from_exclusive = true;
  const auto name = table_ == 0 ? data_table(collection.name) : index_table(tables[table_ - 1]);
  TIDEMARK_ASSIGN(slice, view.txn.scan(name, range));
  for (const redb::Entry& entry : slice.entries()) {
    if (last_ && entry.key <= *last_) {
      return fail(ErrorCode::corrupt, std::string(name.name) + " has keys out of order");
    }
    last_ = entry.key;
    const std::uint64_t bytes = entry.key.size() + entry.value.size();
    read_.bytes += bytes;
    collection_bytes_ += bytes;
    if (table_ == 0) {
      TIDEMARK_TRY(look_at(view, collection, entry));
    } else {
      ++found_.index_entries;
      stored_[tables[table_ - 1]].add(entry.key);
    }
  }
  if (slice.more()) return {};
  last_.reset();
  if (table_++ < tables.size()) return {};
  TIDEMARK_TRY(judge(view, collection));
  end_collection();
  return {};
}

Result<void> Scrub::look_at(const View& view, const model::Collection& collection,
                            const redb::Entry& entry) {
  ++found_.rows;
  ++read_.rows;
  const auto row = RowView::open(collection.name, entry.key, entry.value);
  if (!row) {
    problem(collection, row.error().message);
    return {};
  }
  ++sum_.count;
  sum_.xor_of_hashes ^= row->hash();
  sum_.bytes += entry.key.size() + entry.value.size();
  for (const auto& index : index_entries(collection, entry.key, *row)) {
    if (!with_keys_table_ && index.table == keys_table(collection.name)) continue;
    expected_[index.table].add(index.key);
    sum_.bytes += index.key.size();
  }
  if (collection.kind != model::Kind::embeddings) return {};
  TIDEMARK_ASSIGN(found, has_parent(view, collection, *row));
  if (!found) problem(collection, "row " + std::string(entry.key) + " has no cached parent");
  return {};
}

Result<void> Scrub::judge(const View& view, const model::Collection& collection) {
  if (changed_) {
    found_.unjudged.push_back(collection.name);
    return {};
  }
  TIDEMARK_ASSIGN(meta, load_meta(view.txn));
  if (sum_ != meta.sums[collection.name]) {
    problem(collection, "the count, sum or bytes of its rows are not what the cache recorded");
  }
  for (const std::string& table : tables_of(collection, with_keys_table_)) {
    if (stored_[table] != expected_[table]) TIDEMARK_TRY(explain(view, collection, table));
  }
  return {};
}

// The slow way, for an index that is known not to agree: which rows it lacks.
Result<void> Scrub::explain(const View& view, const model::Collection& collection,
                            const std::string& table) {
  std::uint64_t lacking = 0;
  TIDEMARK_TRY(
      walk(view, data_table(collection.name), [&](const redb::Entry& entry) -> Result<void> {
        const auto row = RowView::open(collection.name, entry.key, entry.value);
        if (!row) return {};
        for (const auto& index : index_entries(collection, entry.key, *row)) {
          if (index.table != table) continue;
          TIDEMARK_ASSIGN(found, view.txn.get(index_table(table), index.key));
          if (found) continue;
          ++lacking;
          problem(collection, table + " lacks row " + std::string(entry.key));
        }
        return {};
      }));
  if (stored_[table].count + lacking != expected_[table].count || lacking == 0) {
    problem(collection, table + " has entries that no row has");
  }
  return {};
}

Result<void> Scrub::walk(const View& view, redb::TableName table, const Visit& visit) const {
  std::optional<std::string> last;
  redb::Range range;
  range.bytes_max = kScrubSliceBytes;
  range.from_exclusive = true;
  while (found_.problems.size() < kProblemsMax) {
    TIDEMARK_ASSIGN(slice, view.txn.scan(table, range));
    for (const redb::Entry& entry : slice.entries()) {
      if (last && entry.key <= *last) return {};  // told already
      TIDEMARK_TRY(visit(entry));
      last = entry.key;
    }
    if (!slice.more()) return {};
    range.from = last;
  }
  return {};
}

Result<void> mark_needs_repair(const std::string& path) {
  redb::OpenOptions open;
  open.mode = redb::OpenOptions::Mode::open_or_create;
  TIDEMARK_ASSIGN(db, redb::Database::open(path, open));
  TIDEMARK_ASSIGN(read, db.begin_read());
  TIDEMARK_ASSIGN(state, load_state(read));
  if (state.needs_repair || !state.hashed) return {};  // the next sync fills an older one anew
  State marked = state;
  marked.needs_repair = true;
  ++marked.commit_id;
  const std::string record = seal_record("state", encode_state(marked));
  TIDEMARK_ASSIGN(write, db.begin_write());
  const redb::Change change{"state", record};
  TIDEMARK_TRY(write.apply(kMetaTable, std::span(&change, 1)));
  TIDEMARK_TRY(std::move(write).commit());
  return {};
}

namespace {

// redb's own checksums of all pages. The caller holds CACHE.lock.
Result<void> check_pages(const std::string& path, CacheCheck& check) {
  redb::OpenOptions open;
  open.mode = redb::OpenOptions::Mode::open_or_create;
  TIDEMARK_ASSIGN(db, redb::Database::open(path, open));
  TIDEMARK_ASSIGN(intact, db.check_integrity());
  if (!intact) check.problems.emplace_back("redb found pages that do not match their checksums");
  return std::move(db).close();
}

}  // namespace
}  // namespace cache

Result<CacheCheck> check(const std::string& path, bool deep, ReaderOptions options) {
  CacheCheck result;
  std::optional<Error> broken;  // pages that contradict each other: nothing behind them is walked
  {
    cache::Scrub scrub(path, options);
    while (true) {
      const auto more = scrub.step();
      if (more && *more) continue;
      result = scrub.found();
      if (more) break;
      if (more.error().code != ErrorCode::corrupt) return std::unexpected(more.error());
      broken = more.error();
      result.problems.push_back(broken->message);
      break;
    }
  }
  if (!deep && result.problems.empty()) return result;
  auto lock = cache::CacheLock::acquire(path, 0600);
  if (deep) {
    if (!lock) return std::unexpected(std::move(lock).error());
    TIDEMARK_TRY(cache::check_pages(path, result));
  }
  // Who may not write it, or finds it being written, leaves that to the next one.
  if (lock && !result.problems.empty()) result.marked = cache::mark_needs_repair(path).has_value();
  if (broken && !result.marked) return std::unexpected(*std::move(broken));
  return result;
}

}  // namespace tidemark
