// What the source had, at every moment: the truth that caches are judged by. It is read from the
// real database, whole tables at a time, by SQL and code that share nothing with the product.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tidemark/row.h"
#include "tidemark/value.h"

namespace tidemark::simulation {

// A row as a cache must give it, in 64 bits: column names, types and bytes.
using RowHash = std::uint64_t;
inline constexpr RowHash kInvalidRow = 0;  // the source has it, no cache may

struct SourceRow {
  std::vector<Value> cells;
  std::optional<std::string> key;  // as text; none: NULL, a blob or a real
  bool key_is_utf8 = false;
  RowHash hash = kInvalidRow;
  RowHash text_hash = kInvalidRow;  // of the cells as they are, fit or not
  bool operator==(const SourceRow&) const = default;
};

struct Column {
  std::string name;
  std::string type;
  bool operator==(const Column&) const = default;
};

struct Table {
  std::vector<Column> columns;
  std::size_t key_column = 0;
  std::vector<SourceRow> rows;
  bool operator==(const Table& other) const {
    return columns == other.columns && rows == other.rows;
  }
  [[nodiscard]] std::optional<std::size_t> find(const std::string& column) const;
  // Reads key, fitness and hash out of the cells of every row.
  void settle(bool embeddings);
};

// One state of the source; tables that did not change are shared with the state before.
using State = std::map<std::string, std::shared_ptr<const Table>>;

[[nodiscard]] RowHash hash_of(const Row& cached);
[[nodiscard]] bool is_utf8(const std::string& bytes);
// As SQLite's ORDER BY: NULL, numbers, text, blob.
[[nodiscard]] bool order_less(const Value& a, const Value& b);

// All states since the start, by number. A key's line holds its changes only.
class History {
 public:
  // Returns its number: the last one again when nothing changed.
  std::size_t append(State state);
  [[nodiscard]] std::size_t last() const { return states_.size() - 1; }
  [[nodiscard]] const State& at(std::size_t number) const { return states_[number]; }
  [[nodiscard]] const State& now() const { return states_.back(); }

  // Whether the key had this value in some state of [from, to].
  [[nodiscard]] bool had(const std::string& table, const std::string& key, RowHash value,
                         std::size_t from, std::size_t to) const;
  // Whether the source had no such key in some state of [from, to].
  [[nodiscard]] bool lacked(const std::string& table, const std::string& key, std::size_t from,
                            std::size_t to) const;
  [[nodiscard]] std::vector<std::string> keys_ever(const std::string& table) const;

 private:
  struct Change {
    std::size_t since;
    std::optional<RowHash> value;
  };
  using Line = std::vector<Change>;
  template <typename Holds>
  [[nodiscard]] bool any(const std::string& table, const std::string& key, std::size_t from,
                         std::size_t to, Holds holds) const;

  std::vector<State> states_;
  std::map<std::string, std::map<std::string, Line>> lines_;
};

}  // namespace tidemark::simulation
