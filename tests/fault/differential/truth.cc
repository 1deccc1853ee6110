#include "tests/fault/differential/truth.h"

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

namespace tidemark::differential {
namespace {

bool is_utf8(const std::string& bytes) {
  try {
    (void)nlohmann::json(bytes).dump();
    return true;
  } catch (const nlohmann::json::exception&) {
    return false;
  }
}

// What the cache calls a row by; nullopt: it cannot be cached, and takes no place.
std::optional<std::string> key_of(const std::string& cell) {
  if (cell.starts_with("i:")) return cell.substr(2);
  if (!cell.starts_with("t:")) return std::nullopt;
  std::string text = unhex(cell.substr(2));
  if (!is_utf8(text)) return std::nullopt;
  return text;
}

bool has_bad_text(const Cells& cells) {
  return std::ranges::any_of(cells, [](const std::string& cell) {
    return cell.starts_with("t:") && !is_utf8(unhex(cell.substr(2)));
  });
}

// An array of numbers as little-endian f32, in hexadecimal digits.
std::optional<std::string> floats_of(const std::string& cell) {
  if (!cell.starts_with("t:")) return std::nullopt;
  const auto json = nlohmann::json::parse(unhex(cell.substr(2)), nullptr, false);
  if (!json.is_array()) return std::nullopt;
  std::string bytes;
  for (const auto& number : json) {
    const auto value = number.get<float>();
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return hex(bytes);
}

constexpr std::size_t kFloatDigits = 8;
constexpr std::size_t kDeclaredDimension = 2;

// Puts vectors in the place of their cells; false: of a wrong dimension, so not cached.
bool decode(const Table& table, Cells& cells) {
  const auto vector = table.find(Use::vector);
  const auto text = table.find(Use::vector_text);
  std::optional<std::size_t> wanted;
  if (vector) wanted = kDeclaredDimension;
  if (const auto column = table.find(Use::dimension)) {
    if (cells[*column].starts_with("i:")) wanted = std::stoul(cells[*column].substr(2));
  }
  const auto is_wrong = [&](std::size_t digits) {
    return wanted && *wanted * kFloatDigits != digits;
  };
  const auto floats = text ? floats_of(cells[*text]) : std::nullopt;
  const std::string blob = vector ? cells[*vector] : "null";
  if (blob.starts_with("b:") && blob.size() > 2) {
    const std::string digits = blob.substr(2);
    if (digits.size() % kFloatDigits != 0) return true;
    if (is_wrong(digits.size())) return false;
    cells[*vector] = "v:" + digits;
    if (floats && *floats == digits) cells[*text] = "repeated";
    return true;
  }
  if (!floats || blob != "null") return true;
  if (is_wrong(floats->size())) return false;
  cells[*text] = "v:" + *floats;
  return true;
}

// The kind that an item_type names; empty: any.
std::string named_kind(const std::string& cell) {
  if (!cell.starts_with("t:")) return {};
  std::string lower = unhex(cell.substr(2));
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  for (const std::string kind : {"episodes", "patterns", "heuristics"}) {
    if (lower == kind || lower + "s" == kind) return kind;
  }
  return {};
}

class Builder {
 public:
  Builder(Side& side, const Schema& schema, std::size_t window)
      : side_(side), schema_(schema), window_(window) {}

  Contents build() {
    for (const Table& table : schema_) {
      if (table.kind != "embeddings") take(table);
    }
    for (const Table& table : schema_) {
      if (table.kind == "embeddings") take(table);
    }
    return std::move(out_);
  }

 private:
  static std::string order_of(const Table& table) {
    std::string sql = "ORDER BY ";
    if (table.kind == "episodes") {
      if (const auto column = table.find(Use::order)) {
        sql += quoted_name(table.columns[*column].name) + " COLLATE BINARY DESC, ";
      }
    }
    return sql + quoted_name(table.key().name) + " COLLATE BINARY DESC";
  }
  void take(const Table& table) {
    std::vector<Item>& items = out_[table.name];
    const bool windowed = table.kind == "episodes";
    std::size_t places = 0;
    for (Cells& cells : side_.rows(table.name, table.names(), order_of(table))) {
      const auto key = key_of(cells[*table.find(Use::key)]);
      if (!key || (windowed && ++places > window_)) continue;
      if (has_bad_text(cells)) continue;
      if (table.kind == "embeddings" && (!has_parent(table, cells) || !decode(table, cells)))
        continue;
      cached_[table.kind].insert(*key);
      items.push_back({*key, std::move(cells)});
    }
    if (!windowed) std::ranges::sort(items, {}, &Item::key);
  }
  bool has_parent(const Table& table, const Cells& cells) {
    const auto id = key_of(cells[*table.find(Use::parent)]);
    if (!id) return false;
    const auto type = table.find(Use::parent_type);
    const std::string kind = type ? named_kind(cells[*type]) : "";
    return std::ranges::any_of(cached_, [&](const auto& of) {
      return of.first != "embeddings" && (kind.empty() || of.first == kind) &&
             of.second.contains(*id);
    });
  }

  Side& side_;
  const Schema& schema_;
  std::size_t window_;
  Contents out_;
  std::map<std::string, std::set<std::string>> cached_;
};

}  // namespace

Contents expected(Side& side, const Schema& schema, std::size_t window) {
  return Builder(side, schema, window).build();
}

Rows everything(Side& side, const Schema& schema) {
  Rows out;
  for (const Table& table : schema) {
    for (Cells& cells : side.rows(table.name, table.names(), "")) {
      cells.insert(cells.begin(), table.name);
      out.push_back(std::move(cells));
    }
  }
  std::ranges::sort(out);
  return out;
}

}  // namespace tidemark::differential
