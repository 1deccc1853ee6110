#include "cache/index_changes.h"

#include <algorithm>

namespace tidemark::cache {

void IndexChanges::replace(const model::Collection& collection, std::string_view key,
                           const RowView* before, const RowView* after, TableSum& sum) {
  using Entries = std::vector<IndexEntry>;
  Entries old_entries = before != nullptr ? index_entries(collection, key, *before) : Entries{};
  Entries new_entries = after != nullptr ? index_entries(collection, key, *after) : Entries{};
  std::vector<bool> kept(new_entries.size(), false);
  for (auto& entry : old_entries) {
    const auto same = std::ranges::lower_bound(new_entries, entry);
    if (same != new_entries.end() && *same == entry) {
      kept[static_cast<std::size_t>(same - new_entries.begin())] = true;
      continue;
    }
    sum.bytes -= entry.key.size();
    add(std::move(entry), false);
  }
  for (std::size_t i = 0; i < new_entries.size(); ++i) {
    if (kept[i]) continue;
    sum.bytes += new_entries[i].key.size();
    add(std::move(new_entries[i]), true);
  }
}

void IndexChanges::add(IndexEntry entry, bool present) {
  bytes_ += entry.key.size() + sizeof(Change);
  auto& changes = tables_[entry.table];
  changes.push_back({std::move(entry.key), changes.size(), present});
}

Result<void> IndexChanges::apply(redb::WriteTransaction& txn) {
  for (auto& [table, changes] : tables_) {
    std::ranges::sort(changes, [](const Change& a, const Change& b) {
      const int by_key = a.key.compare(b.key);
      return by_key != 0 ? by_key < 0 : a.turn < b.turn;
    });
    std::vector<redb::Change> batch;
    batch.reserve(changes.size());
    for (std::size_t i = 0; i < changes.size(); ++i) {
      if (i + 1 < changes.size() && changes[i + 1].key == changes[i].key) continue;
      batch.push_back({changes[i].key,
                       changes[i].present ? std::optional<std::string_view>("") : std::nullopt});
    }
    TIDEMARK_TRY(txn.apply({table, redb::KeyType::bytes}, batch));
  }
  tables_.clear();
  bytes_ = 0;
  return {};
}

void IndexChanges::forget(const std::vector<std::string>& tables) {
  for (const std::string& table : tables) tables_.erase(table);
}

}  // namespace tidemark::cache
