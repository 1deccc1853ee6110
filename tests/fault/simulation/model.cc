#include "tests/fault/simulation/model.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <functional>

namespace tidemark::simulation {
namespace {

template <typename T>
std::string bytes_of(T value) {
  std::string out(sizeof value, '\0');
  std::memcpy(out.data(), &value, sizeof value);
  return out;
}

std::string cell_text(ValueView cell) {
  switch (cell.type()) {
    case ValueType::null:
      return "n";
    case ValueType::int64:
      return "i" + bytes_of(cell.as_int64());
    case ValueType::real:
      return "r" + bytes_of(cell.as_real());
    case ValueType::text:
      return "t" + std::string(cell.bytes());
    case ValueType::blob:
      return "b" + std::string(cell.bytes());
    case ValueType::vector:
      return "v" + std::string(cell.bytes());
    case ValueType::repeated:
      return "=";
  }
  return "?";
}

RowHash hash_of_texts(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) all += bytes_of(text.size()) + text;
  return std::hash<std::string>{}(all) | 1U;  // never kInvalidRow
}

// Only what this simulation writes: "[1,2.5]".
std::optional<std::string> floats_of(const std::string& text) {
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') return std::nullopt;
  std::string out;
  const char* at = text.c_str() + 1;
  while (*at != ']') {
    char* end = nullptr;
    out += bytes_of(std::strtof(at, &end));
    if (end == at) return std::nullopt;
    at = *end == ',' ? end + 1 : end;
  }
  return out;
}

class Embedding {
 public:
  Embedding(const Table& table, const SourceRow& row) : table_(table), row_(row) {}

  // Replaces the texts of its vector cells; false: a wrong dimension.
  bool decode(std::vector<std::string>& texts) {
    const auto vector = table_.find("embedding_vector");
    const auto data = table_.find("embedding_data");
    const auto* const blob = vector ? std::get_if<Blob>(&row_.cells[*vector]) : nullptr;
    const auto* const text = data ? std::get_if<std::string>(&row_.cells[*data]) : nullptr;
    const auto floats = text != nullptr ? floats_of(*text) : std::nullopt;
    if (blob != nullptr && !blob->bytes.empty()) {
      if (blob->bytes.size() % sizeof(float) != 0) return true;
      if (!fits(blob->bytes.size())) return false;
      texts[2 * *vector + 1] = "v" + blob->bytes;
      if (floats == blob->bytes) texts[2 * *data + 1] = "=";
      return true;
    }
    const bool null_vector = !vector || std::holds_alternative<std::monostate>(row_.cells[*vector]);
    if (!floats || !null_vector) return true;
    if (!fits(floats->size())) return false;
    texts[2 * *data + 1] = "v" + *floats;
    return true;
  }

 private:
  [[nodiscard]] bool fits(std::size_t bytes) const {
    const auto dimension = table_.find("dimension");
    const auto* const said =
        dimension ? std::get_if<std::int64_t>(&row_.cells[*dimension]) : nullptr;
    if (said != nullptr && *said > 0) return static_cast<std::size_t>(*said) * 4 == bytes;
    const auto vector = table_.find("embedding_vector");
    if (!vector) return true;
    const std::string& type = table_.columns[*vector].type;
    const std::size_t open = type.find('(');
    return open == std::string::npos ||
           std::strtoul(type.c_str() + open + 1, nullptr, 10) * 4 == bytes;
  }

  const Table& table_;
  const SourceRow& row_;
};

int class_of(const Value& value) { return std::array{0, 1, 1, 2, 3}[value.index()]; }

long double number_of(const Value& value) {  // exact: 64 bits of mantissa
  const auto* const whole = std::get_if<std::int64_t>(&value);
  return whole != nullptr ? static_cast<long double>(*whole)
                          : static_cast<long double>(std::get<double>(value));
}

}  // namespace

std::optional<std::size_t> Table::find(const std::string& column) const {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == column) return i;
  }
  return std::nullopt;
}

void Table::settle(bool embeddings) {
  for (SourceRow& row : rows) {
    const Value& key = row.cells[key_column];
    if (const auto* const text = std::get_if<std::string>(&key)) row.key = *text;
    if (const auto* const whole = std::get_if<std::int64_t>(&key)) row.key = std::to_string(*whole);
    row.key_is_utf8 = row.key && is_utf8(*row.key);
    bool fit = row.key_is_utf8;
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < columns.size(); ++i) {
      texts.push_back(columns[i].name);
      texts.push_back(cell_text(view(row.cells[i])));
      const auto* const text = std::get_if<std::string>(&row.cells[i]);
      fit = fit && (text == nullptr || is_utf8(*text));
    }
    row.text_hash = hash_of_texts(texts);
    if (fit && embeddings) fit = Embedding(*this, row).decode(texts);
    row.hash = fit ? hash_of_texts(texts) : kInvalidRow;
  }
}

RowHash hash_of(const Row& cached) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < cached.column_count(); ++i) {
    texts.emplace_back(cached.column_name(i));
    texts.push_back(cell_text(cached.at(i)));
  }
  return hash_of_texts(texts);
}

bool is_utf8(const std::string& bytes) {  // this simulation's bad texts all have a byte 0xff
  return bytes.find('\xff') == std::string::npos;
}

bool order_less(const Value& a, const Value& b) {
  if (class_of(a) != class_of(b)) return class_of(a) < class_of(b);
  switch (class_of(a)) {
    case 1:
      return number_of(a) < number_of(b);
    case 2:
      return std::get<std::string>(a) < std::get<std::string>(b);
    case 3:
      return std::get<Blob>(a).bytes < std::get<Blob>(b).bytes;
    default:
      return false;
  }
}

std::size_t History::append(State state) {
  if (!states_.empty() && states_.back() == state) return last();
  const std::size_t number = states_.size();
  std::map<std::string, std::shared_ptr<const Table>> all = state;
  for (const auto& [name, line] : lines_) all.try_emplace(name);  // a table that is gone
  for (const auto& [name, table] : all) {
    auto& lines = lines_[name];
    std::map<std::string, RowHash> rows;
    if (table) {
      for (const SourceRow& row : table->rows) {
        if (row.key) rows[*row.key] = row.hash;
      }
    }
    for (const auto& [key, value] : rows) lines.try_emplace(key);
    for (auto& [key, line] : lines) {
      const auto found = rows.find(key);
      const auto value = found == rows.end() ? std::nullopt : std::optional(found->second);
      const auto before = line.empty() ? std::nullopt : line.back().value;
      if (line.empty() && number > 0) line.push_back({0, std::nullopt});
      if (line.empty() || before != value) line.push_back({number, value});
    }
  }
  states_.push_back(std::move(state));
  return number;
}

template <typename Holds>
bool History::any(const std::string& table, const std::string& key, std::size_t from,
                  std::size_t to, Holds holds) const {
  const auto lines = lines_.find(table);
  if (lines == lines_.end()) return holds(std::optional<RowHash>{});
  const auto line = lines->second.find(key);
  if (line == lines->second.end()) return holds(std::optional<RowHash>{});
  const Line& changes = line->second;
  for (std::size_t i = changes.size(); i-- > 0;) {
    const std::size_t until = i + 1 < changes.size() ? changes[i + 1].since - 1 : last();
    if (until < from) break;
    if (changes[i].since <= to && holds(changes[i].value)) return true;
  }
  return false;
}

bool History::had(const std::string& table, const std::string& key, RowHash value, std::size_t from,
                  std::size_t to) const {
  return any(table, key, from, to, [value](const auto& held) { return held == value; });
}

bool History::lacked(const std::string& table, const std::string& key, std::size_t from,
                     std::size_t to) const {
  return any(table, key, from, to, [](const auto& held) { return !held; });
}

std::vector<std::string> History::keys_ever(const std::string& table) const {
  std::vector<std::string> keys;
  const auto lines = lines_.find(table);
  if (lines == lines_.end()) return keys;
  for (const auto& [key, line] : lines->second) {
    if (is_utf8(key)) keys.push_back(key);
  }
  return keys;
}

}  // namespace tidemark::simulation
