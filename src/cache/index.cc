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

void append_place(std::string& out, const model::Collection& episodes, const RowView& row) {
  append_order_key(out, episodes.order_column ? row.at(*episodes.order_column) : ValueView::null());
  append_order_key(out, row.at(episodes.key_column));
}

// The entry of an embedding below its parent; nothing when it names none.
bool append_child(std::string& out, const model::Collection& embeddings, const RowView& row) {
  const auto parent = model::parent_of(embeddings, cells_of(row));
  if (!parent) return false;
  out += children_prefix(parent->key, parent->kind);
  append_order_key(out, row.at(embeddings.key_column));
  return true;
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
  append_place(place, episodes, row);
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

void append_index_keys(const model::Collection& collection, std::string_view key,
                       const RowView& row, IndexKeys& out) {
  // A row of an older schema has its key only, until it is filled again.
  const bool current = row.size() == collection.columns.size();
  std::size_t table = 0;
  const auto end_key = [&] { out.keys.push_back({table, out.bytes.size()}); };
  if (collection.kind == model::Kind::episodes) {
    if (current) {
      append_place(out.bytes, collection, row);
      end_key();
    }
    ++table;
  }
  if (collection.kind == model::Kind::embeddings) {
    if (current && append_child(out.bytes, collection, row)) end_key();
    ++table;
  }
  if (has_keys_table(collection)) {
    out.bytes += key;
    end_key();
    ++table;
  }
  for (const std::size_t column : collection.index_columns) {
    if (!current) return;
    append_order_key(out.bytes, row.at(column));
    append_order_key(out.bytes, row.at(collection.key_column));
    end_key();
    ++table;
  }
}

std::vector<IndexEntry> index_entries(const model::Collection& collection, std::string_view key,
                                      const RowView& row) {
  const std::vector<std::string> tables = index_tables(collection);
  IndexKeys keys;
  append_index_keys(collection, key, row, keys);
  std::vector<IndexEntry> entries;
  entries.reserve(keys.keys.size());
  for (std::size_t n = 0; n < keys.keys.size(); ++n) {
    entries.push_back({tables[keys.keys[n].table], std::string(keys.key(n))});
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
