#include "model/collection.h"

#include <algorithm>
#include <cctype>

namespace tidemark::model {

std::string_view to_string(Kind kind) {
  switch (kind) {
    case Kind::episodes:
      return "episodes";
    case Kind::patterns:
      return "patterns";
    case Kind::heuristics:
      return "heuristics";
    case Kind::embeddings:
      return "embeddings";
  }
  return "";
}

std::optional<Kind> kind_from_string(std::string_view name) {
  for (const Kind kind : {Kind::episodes, Kind::patterns, Kind::heuristics, Kind::embeddings}) {
    if (to_string(kind) == name) return kind;
  }
  return std::nullopt;
}

std::optional<Kind> parent_kind_of(std::string_view item_type) {
  std::string lower(item_type);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  for (const Kind kind : {Kind::episodes, Kind::patterns, Kind::heuristics}) {
    const std::string_view plural = to_string(kind);
    if (lower == plural || lower == plural.substr(0, plural.size() - 1)) return kind;
  }
  return std::nullopt;
}

std::uint32_t Collection::schema_id() const {
  // FNV-1a over the names with their lengths: stable across machines and versions.
  std::uint32_t hash = 2166136261U;
  const auto mix = [&hash](unsigned char byte) { hash = (hash ^ byte) * 16777619U; };
  for (const Column& column : columns) {
    for (const char c : column.name) mix(static_cast<unsigned char>(c));
    mix(0);
  }
  return hash;
}

std::optional<std::size_t> Collection::column_index(std::string_view column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return i;
  }
  return std::nullopt;
}

bool same_tables(const std::vector<Collection>& a, const std::vector<Collection>& b) {
  return std::ranges::equal(a, b, [](Collection one, const Collection& other) {
    one.access = other.access;
    return one == other;
  });
}

const Collection* Catalog::find(std::string_view name) const {
  for (const Collection& collection : collections) {
    if (collection.name == name) return &collection;
  }
  return nullptr;
}

const Collection* Catalog::find(Kind kind) const {
  for (const Collection& collection : collections) {
    if (collection.kind == kind) return &collection;
  }
  return nullptr;
}

}  // namespace tidemark::model
