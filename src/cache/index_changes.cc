#include "cache/index_changes.h"

#include <algorithm>

#include "cache/index_runs.h"

namespace tidemark::cache {

void IndexChanges::choose(const model::Collection& collection) {
  if (chosen_ == collection.name) return;
  of_chosen_.clear();
  for (const std::string& table : index_tables(collection)) of_chosen_.push_back(&tables_[table]);
  chosen_ = collection.name;
}

void IndexChanges::replace(const model::Collection& collection, std::string_view key,
                           const RowView* before, const RowView* after, TableSum& sum) {
  choose(collection);
  before_.clear();
  after_.clear();
  if (before != nullptr) append_index_keys(collection, key, *before, before_);
  if (after != nullptr) append_index_keys(collection, key, *after, after_);
  std::size_t n = 0;  // both are in the order of the tables, with one key for each at the most
  for (std::size_t old = 0; old < before_.keys.size(); ++old) {
    const std::size_t table = before_.keys[old].table;
    while (n < after_.keys.size() && after_.keys[n].table < table) add_new(n++, sum);
    const bool replaced = n < after_.keys.size() && after_.keys[n].table == table;
    if (replaced && after_.key(n) == before_.key(old)) {
      ++n;
      continue;
    }
    sum.bytes -= before_.key(old).size();
    add(table, before_.key(old), false);
  }
  while (n < after_.keys.size()) add_new(n++, sum);
}

void IndexChanges::add_new(std::size_t n, TableSum& sum) {
  sum.bytes += after_.key(n).size();
  add(after_.keys[n].table, after_.key(n), true);
}

void IndexChanges::add(std::size_t table, std::string_view key, bool present) {
  Table& to = *of_chosen_[table];
  to.changes.push_back({to.bytes.size(), key.size(), present});
  to.bytes += key;
  to.bytes += '\0';  // an empty key has a place of its own, too
  bytes_ += key.size() + sizeof(Change);
  removes_ = removes_ || !present;
}

Result<void> IndexChanges::write(redb::WriteTransaction& txn, std::string_view name, Table& table,
                                 std::span<const redb::Change> batch) {
  if (!in_place_bytes_) return txn.apply({name, redb::KeyType::bytes}, batch);
  const bool as_run = table.applied_bytes > *in_place_bytes_ && batch.front().key <= table.greatest;
  for (const redb::Change& change : batch) table.applied_bytes += change.key.size();
  if (as_run) return add_run(txn, name, table.runs++, batch);
  if (batch.back().key > table.greatest) table.greatest = batch.back().key;
  return txn.apply({name, redb::KeyType::bytes}, batch);
}

Result<void> IndexChanges::apply(redb::WriteTransaction& txn) {
  for (auto& [name, table] : tables_) {
    const std::string_view bytes = table.bytes;
    const auto key = [bytes](const Change& c) { return bytes.substr(c.at, c.size); };
    std::ranges::sort(table.changes, [&](const Change& a, const Change& b) {
      const int by_key = key(a).compare(key(b));
      return by_key != 0 ? by_key < 0 : a.at < b.at;
    });
    std::vector<redb::Change> batch;
    batch.reserve(table.changes.size());
    for (std::size_t i = 0; i < table.changes.size(); ++i) {
      const Change& change = table.changes[i];
      const bool last = i + 1 == table.changes.size() || key(table.changes[i + 1]) != key(change);
      if (!last) continue;
      batch.push_back(
          {key(change), change.present ? std::optional<std::string_view>("") : std::nullopt});
    }
    if (!batch.empty()) TIDEMARK_TRY(write(txn, name, table, batch));
    table.changes.clear();
    table.bytes.clear();
  }
  bytes_ = 0;
  removes_ = false;
  return {};
}

void IndexChanges::forget(const std::vector<std::string>& tables) {
  for (const std::string& table : tables) tables_.erase(table);
  chosen_.clear();
  of_chosen_.clear();
}

}  // namespace tidemark::cache
