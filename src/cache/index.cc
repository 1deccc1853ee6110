#include "cache/index.h"

#include <algorithm>

#include "cache/order_key.h"

namespace tidemark::cache {
namespace {

// 0: the embedding names no collection; else the kind + 1.
char kind_tag(std::optional<model::Kind> kind) {
  return kind ? static_cast<char>(static_cast<int>(*kind) + 1) : '\0';
}

std::vector<ValueView> cells_of(const RowView& row) {
  std::vector<ValueView> cells;
  cells.reserve(row.size());
  for (std::size_t i = 0; i < row.size(); ++i) cells.push_back(row.at(i));
  return cells;
}

}  // namespace

std::string newest_table(std::string_view collection) {
  return "tidemark:newest:" + std::string(collection);
}
std::string children_table(std::string_view collection) {
  return "tidemark:children:" + std::string(collection);
}
std::string keys_table(std::string_view collection) {
  return "tidemark:keys:" + std::string(collection);
}
bool has_keys_table(const model::Collection& collection) {
  return collection.kind != model::Kind::embeddings;
}
std::string by_table(std::string_view collection, std::string_view column) {
  return "tidemark:by:" + std::string(collection) + ":" + std::string(column);
}

std::vector<std::string> index_tables(const model::Collection& collection) {
  std::vector<std::string> tables;
  if (collection.kind == model::Kind::episodes) tables.push_back(newest_table(collection.name));
  if (collection.kind == model::Kind::embeddings) tables.push_back(children_table(collection.name));
  if (has_keys_table(collection)) tables.push_back(keys_table(collection.name));
  for (const std::size_t column : collection.index_columns) {
    tables.push_back(by_table(collection.name, collection.columns[column].name));
  }
  return tables;
}

std::string place_of_row(const model::Collection& episodes, const RowView& row) {
  std::string place;
  append_order_key(place,
                   episodes.order_column ? row.at(*episodes.order_column) : ValueView::null());
  append_order_key(place, row.at(episodes.key_column));
  return place;
}

std::string children_prefix(std::string_view parent_key) {
  std::string prefix;
  append_order_key(prefix, ValueView::text(parent_key));
  return prefix;
}

std::string children_prefix(std::string_view parent_key, std::optional<model::Kind> kind) {
  return children_prefix(parent_key) + kind_tag(kind);
}

std::vector<IndexEntry> index_entries(const model::Collection& collection, std::string_view key,
                                      const RowView& row) {
  std::vector<IndexEntry> entries;
  if (has_keys_table(collection)) {
    entries.push_back({keys_table(collection.name), std::string(key)});
  }
  if (row.size() != collection.columns.size())
    return entries;  // a row of an older schema: refilled
  if (collection.kind == model::Kind::episodes) {
    entries.push_back({newest_table(collection.name), place_of_row(collection, row)});
  }
  if (collection.kind == model::Kind::embeddings) {
    const auto cells = cells_of(row);
    if (const auto parent = model::parent_of(collection, cells)) {
      std::string entry = children_prefix(parent->key, parent->kind);
      append_order_key(entry, row.at(collection.key_column));
      entries.push_back({children_table(collection.name), std::move(entry)});
    }
  }
  for (const std::size_t column : collection.index_columns) {
    std::string entry;
    append_order_key(entry, row.at(column));
    append_order_key(entry, row.at(collection.key_column));
    entries.push_back(
        {by_table(collection.name, collection.columns[column].name), std::move(entry)});
  }
  std::ranges::sort(entries);
  return entries;
}

bool has_entry(const model::Collection& collection, const RowView& row, std::string_view table,
               std::string_view entry) {
  const auto entries = index_entries(collection, {}, row);
  return std::ranges::any_of(
      entries, [&](const IndexEntry& e) { return e.table == table && e.key == entry; });
}

std::string key_after(std::string_view prefix, std::string_view entry) {
  if (!entry.starts_with(prefix)) return {};
  entry.remove_prefix(prefix.size());
  const auto key = take_order_key(entry);
  return key && entry.empty() ? model::key_text(*key) : std::string{};
}

std::string key_of_place(std::string_view place) {
  const auto decoded = decode_place(place);
  return decoded ? model::key_text(decoded->key) : std::string{};
}

std::string prefix_end(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') end.pop_back();
  if (!end.empty()) end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  return end;
}

}  // namespace tidemark::cache
