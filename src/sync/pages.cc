#include "sync/pages.h"

#include <algorithm>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "cache/order_key.h"
#include "cache/row_format.h"

namespace tidemark::sync {

using model::Collection;
using model::Kind;

void sort_by_key(std::vector<Value>& keys) {
  std::ranges::sort(keys, [](const Value& a, const Value& b) {
    if (a.index() != b.index()) return a.index() < b.index();  // integers before texts
    const auto* const text = std::get_if<std::string>(&a);
    if (text != nullptr) return *text < std::get<std::string>(b);
    return std::get<std::int64_t>(a) < std::get<std::int64_t>(b);
  });
}

namespace {

std::string place_of(const Collection& collection, std::span<const ValueView> cells) {
  std::string place;
  cache::append_order_key(
      place, collection.order_column ? cells[*collection.order_column] : ValueView::null());
  cache::append_order_key(place, cells[collection.key_column]);
  return place;
}

std::string key_text(ValueView key) {
  if (key.type() == ValueType::int64) return std::to_string(key.as_int64());
  return key.type() == ValueType::text ? std::string(key.bytes()) : std::string();
}

void locate_skipped(const Collection& collection, const model::RecordPage& page, FetchedRows& out) {
  if (page.skipped.empty()) return;
  std::map<std::string, std::size_t> rows;
  for (std::size_t i = 0; i < page.rows.size(); ++i) {
    rows[key_text(page.rows.row(i)[collection.key_column])] = i;
  }
  for (const auto& skip : page.skipped) {
    std::optional<FetchedRows::Whereabouts>& where = out.skipped_where.emplace_back();
    const auto row = rows.find(skip.key);
    if (row == rows.end()) continue;
    const auto cells = page.rows.row(row->second);
    where.emplace();
    if (collection.kind == Kind::embeddings) {
      where->parent = model::parent_of(collection, cells);
    }
    if (collection.kind == Kind::episodes) where->place = place_of(collection, cells);
  }
}

}  // namespace

FetchedRows encode_page(const Collection& collection, const std::vector<Value>& keys,
                        model::RecordPage page) {
  FetchedRows out;
  out.collection = &collection;
  const std::uint32_t schema_id = collection.schema_id();
  std::vector<std::string_view> seen;
  seen.reserve(page.records.size() + page.skipped.size());
  out.rows.reserve(page.records.size());
  for (const auto& record : page.records) {
    seen.push_back(record.key);
    out.rows.push_back(
        {record.key, cache::encode_row(collection.name, record.key, schema_id, record.cells)});
    if (collection.kind == Kind::embeddings) {
      out.parents.push_back(model::parent_of(collection, record.cells));
    }
    if (collection.kind == Kind::episodes) {
      out.places.push_back(place_of(collection, record.cells));
    }
  }
  locate_skipped(collection, page, out);
  for (const auto& skip : page.skipped) seen.push_back(skip.key);
  std::ranges::sort(seen);
  for (const Value& key : keys) {
    const auto* const text = std::get_if<std::string>(&key);
    const std::string number = text == nullptr ? model::key_text(key) : std::string();
    const std::string& wanted = text == nullptr ? number : *text;
    if (!std::ranges::binary_search(seen, std::string_view(wanted))) out.missing.push_back(wanted);
  }
  out.skipped = std::move(page.skipped);
  out.vectors_kept_raw = page.vectors_kept_raw;
  return out;
}

}  // namespace tidemark::sync
