#include <algorithm>
#include <map>
#include <numeric>

#include "cache/index.h"
#include "cache/index_runs.h"
#include "cache/order_key.h"
#include "cache/tuning.h"
#include "cache/write_session_impl.h"

namespace tidemark::cache {
namespace {

// Places of the rows, by key; of rows with one key the last only.
std::vector<std::size_t> by_key(std::span<const EncodedRow> rows) {
  std::vector<std::size_t> order(rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) {
    const int compared = rows[a].key.compare(rows[b].key);
    return compared != 0 ? compared < 0 : a > b;
  });
  const auto repeated = std::ranges::unique(
      order, [&](std::size_t a, std::size_t b) { return rows[a].key == rows[b].key; });
  order.erase(repeated.begin(), repeated.end());
  return order;
}

}  // namespace

WriteSession::WriteSession(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WriteSession::WriteSession(WriteSession&&) noexcept = default;
WriteSession& WriteSession::operator=(WriteSession&&) noexcept = default;
WriteSession::~WriteSession() = default;

// Every key is above all that a table holds which was empty when this session first wrote to it:
// none is stored, and nobody need look. `keys` ascend.
bool WriteSession::Impl::all_new(const std::string& table,
                                 const std::vector<std::string_view>& keys) {
  if (meta.sums[table].count == 0) greatest.try_emplace(table);
  const auto found = greatest.find(table);
  return found != greatest.end() && (found->second.empty() || keys.front() > found->second);
}

// Makes one change of a row known to the sums and the indexes.
Result<void> WriteSession::Impl::replace(const model::Collection& collection, std::string_view key,
                                         const std::optional<std::string_view>& old_bytes,
                                         const std::optional<std::string_view>& new_bytes) {
  TableSum& sum = meta.sums[collection.name];
  std::optional<RowView> before;
  std::optional<RowView> after;
  if (old_bytes) {
    TIDEMARK_ASSIGN(view, RowView::open(collection.name, key, *old_bytes));
    before = view;
    --sum.count;
    sum.xor_of_hashes ^= view.hash();
    sum.bytes -= key.size() + old_bytes->size();
  }
  if (new_bytes) {
    TIDEMARK_ASSIGN(view, RowView::open(collection.name, key, *new_bytes));
    after = view;
    ++sum.count;
    sum.xor_of_hashes ^= view.hash();
    sum.bytes += key.size() + new_bytes->size();
  }
  indexes.replace(collection, key, before ? &*before : nullptr, after ? &*after : nullptr, sum);
  return indexes.bytes() < kIndexChangesBytesMax ? Result<void>{} : write_indexes();
}

// An entry that is taken away may be in a run.
Result<void> WriteSession::Impl::write_indexes() {
  if (indexes.deferring() && indexes.removes()) return merge_indexes();
  return indexes.apply(txn);
}

Result<void> WriteSession::Impl::settle_indexes() {
  return indexes.deferring() ? merge_indexes() : indexes.apply(txn);
}

// Entries that are to be taken away are gathered later than what is in the runs.
Result<void> WriteSession::Impl::merge_indexes() {
  if (!indexes.removes()) TIDEMARK_TRY(indexes.apply(txn));
  indexes.end_deferring();
  const auto commit = [this]() -> Result<void> {
    if (!writer->keep_going()) return fail(ErrorCode::cancelled, "cancelled");
    return commit_and_go_on();
  };
  for (const auto& collection : meta.catalog.catalog.collections) {
    for (const std::string& table : index_tables(collection)) {
      if (!writer->keep_going()) return fail(ErrorCode::cancelled, "cancelled");
      TIDEMARK_TRY(merge_runs(txn, table, commit));
    }
  }
  return indexes.apply(txn);
}

Result<std::vector<PutOutcome>> WriteSession::put(const model::Collection& collection,
                                                  std::span<const EncodedRow> rows) {
  std::vector<PutOutcome> outcomes(rows.size(), PutOutcome::unchanged);
  if (rows.empty()) return outcomes;
  const std::vector<std::size_t> order = by_key(rows);
  std::vector<std::string_view> keys;
  keys.reserve(order.size());
  for (const std::size_t at : order) keys.emplace_back(rows[at].key);

  const bool all_new = impl_->all_new(collection.name, keys);
  const std::vector<std::optional<std::string_view>> none(all_new ? order.size() : 0);
  std::vector<redb::Change> changes;
  changes.reserve(order.size());
  for (std::size_t n = 0; n < order.size();) {
    std::optional<redb::Values> stored;
    if (!all_new) {
      TIDEMARK_ASSIGN(
          found, impl_->txn.get_batch(data_table(collection.name), std::span(keys).subspan(n)));
      stored.emplace(std::move(found));
    }
    for (const auto& old_bytes : stored ? stored->values() : none) {
      const std::size_t at = order[n++];
      const EncodedRow& row = rows[at];
      if (old_bytes == row.bytes) continue;
      TIDEMARK_TRY(impl_->replace(collection, row.key, old_bytes, row.bytes));
      outcomes[at] = old_bytes ? PutOutcome::updated : PutOutcome::inserted;
      changes.push_back({row.key, row.bytes});
    }
  }
  const auto greatest = impl_->greatest.find(collection.name);
  if (greatest != impl_->greatest.end() && keys.back() > greatest->second) {
    greatest->second = keys.back();
  }
  if (changes.empty()) return outcomes;
  TIDEMARK_TRY(impl_->txn.apply(data_table(collection.name), changes));
  return outcomes;
}

Result<std::vector<bool>> WriteSession::remove(const model::Collection& collection,
                                               std::span<const std::string> keys) {
  std::vector<bool> found(keys.size(), false);
  std::vector<redb::Change> changes;
  std::map<std::string_view, bool> seen;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (!seen.emplace(keys[i], true).second) continue;
    TIDEMARK_ASSIGN(old_bytes, impl_->txn.get(data_table(collection.name), keys[i]));
    if (!old_bytes) continue;
    TIDEMARK_TRY(impl_->replace(collection, keys[i], *old_bytes, std::nullopt));
    found[i] = true;
    changes.push_back({keys[i], std::nullopt});
  }
  if (changes.empty()) return found;
  TIDEMARK_TRY(impl_->txn.apply(data_table(collection.name), changes));
  return found;
}

Result<std::uint64_t> WriteSession::drop(const model::Collection& collection) {
  const auto sum = impl_->meta.sums.find(collection.name);
  const std::uint64_t count = sum == impl_->meta.sums.end() ? 0 : sum->second.count;
  TIDEMARK_TRY(impl_->txn.drop_table(data_table(collection.name)));
  impl_->indexes.forget(index_tables(collection));
  for (const std::string& table : index_tables(collection)) {
    TIDEMARK_TRY(impl_->txn.drop_table(index_table(table)));
    TIDEMARK_TRY(impl_->txn.drop_table(index_table(runs_table(table))));
  }
  if (sum != impl_->meta.sums.end()) impl_->meta.sums.erase(sum);
  return count;
}

Result<bool> WriteSession::contains(std::string_view collection, std::string_view key) {
  TIDEMARK_ASSIGN(found, impl_->txn.get(data_table(collection), key));
  return found.has_value();
}

Result<std::vector<WriteSession::PlaceEntry>> WriteSession::Impl::places(
    const model::Collection& episodes, const redb::Range& range) {
  TIDEMARK_TRY(settle_indexes());
  const std::string table = newest_table(episodes.name);
  TIDEMARK_ASSIGN(slice, txn.scan(index_table(table), range));
  std::vector<PlaceEntry> entries;
  for (const redb::Entry& entry : slice.entries()) {
    entries.push_back({std::string(entry.key), key_of_place(entry.key)});
  }
  return entries;
}

Result<std::vector<WriteSession::PlaceEntry>> WriteSession::newest(
    const model::Collection& episodes, std::string_view below, std::size_t limit) {
  redb::Range range;
  if (!below.empty()) range.to = below;
  range.backward = true;
  range.entries_max = limit;
  return impl_->places(episodes, range);
}

Result<std::vector<WriteSession::PlaceEntry>> WriteSession::oldest(
    const model::Collection& episodes, std::size_t limit) {
  redb::Range range;
  range.entries_max = limit;
  return impl_->places(episodes, range);
}

Result<std::vector<std::string>> WriteSession::keys(std::string_view collection,
                                                    std::optional<std::string_view> after,
                                                    std::size_t limit) {
  redb::Range range;
  range.from = after;
  range.from_exclusive = true;
  range.entries_max = limit;
  range.keys_only = true;
  TIDEMARK_ASSIGN(slice, impl_->txn.scan(data_table(collection), range));
  std::vector<std::string> keys;
  for (const redb::Entry& entry : slice.entries()) keys.emplace_back(entry.key);
  return keys;
}

Result<std::vector<std::string>> WriteSession::children(const model::Collection& embeddings,
                                                        const model::Parent& parent) {
  TIDEMARK_TRY(impl_->settle_indexes());
  std::vector<std::string> keys;
  const std::string table = children_table(embeddings.name);
  const std::string prefix = children_prefix(parent.key, parent.kind);
  const std::string end = prefix_end(prefix);
  std::string last;
  redb::Range range;
  range.from = prefix;
  range.to = end;
  while (true) {
    TIDEMARK_ASSIGN(slice, impl_->txn.scan(index_table(table), range));
    for (const redb::Entry& entry : slice.entries()) keys.push_back(key_after(prefix, entry.key));
    if (!slice.more()) return keys;
    last = slice.entries().back().key;
    range.from = last;
    range.from_exclusive = true;
  }
}

const Meta& WriteSession::meta() const { return impl_->meta; }
Meta& WriteSession::edit_meta() { return impl_->meta; }

Result<void> WriteSession::Impl::checkpoint() {
  TIDEMARK_TRY(write_indexes());
  return commit_and_go_on();
}

Result<void> WriteSession::Impl::commit_and_go_on() {
  TIDEMARK_TRY(store_meta(txn, meta, &writer->meta));
  TIDEMARK_TRY(std::move(txn).commit());
  writer->meta = meta;
  TIDEMARK_TRY(writer->keep());
  TIDEMARK_ASSIGN(next, writer->db.begin_write());
  txn = std::move(next);
  return {};
}

Result<void> WriteSession::checkpoint() { return impl_->checkpoint(); }

void WriteSession::defer_indexes(std::size_t in_place_bytes) {
  impl_->indexes.defer(in_place_bytes);
}

Result<void> WriteSession::settle_indexes() { return impl_->merge_indexes(); }

Result<void> WriteSession::commit() && {
  Meta& meta = impl_->meta;
  Meta& committed = impl_->writer->meta;
  ++meta.state.commit_id;
  meta.state.skipped = meta.skips.size();
  if (meta.catalog != committed.catalog) ++meta.state.catalog_version;
  TIDEMARK_TRY(impl_->settle_indexes());
  TIDEMARK_TRY(store_meta(impl_->txn, meta, &committed));
  TIDEMARK_TRY(std::move(impl_->txn).commit());
  committed = meta;
  return {};
}

}  // namespace tidemark::cache
