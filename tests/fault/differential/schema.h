// A random schema of the profile: usual tables with unusual columns, types, collations and names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tests/fault/simulation/dice.h"

namespace tidemark::differential {

using simulation::Dice;

enum class Use : std::uint8_t {
  plain,
  key,
  order,
  parent,
  parent_type,
  vector,
  vector_text,
  dimension
};

struct Column {
  std::string name;
  std::string type;  // with its collation
  Use use = Use::plain;
};

struct Table {
  std::string name;
  std::string kind;  // "episodes", "patterns", "heuristics", "embeddings"
  std::vector<Column> columns;
  std::vector<std::string> indexes;  // CREATE INDEX, whole
  bool without_rowid = false;

  [[nodiscard]] std::optional<std::size_t> find(Use use) const;
  [[nodiscard]] const Column& key() const { return columns[*find(Use::key)]; }
  [[nodiscard]] bool integer_key() const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::string create(bool with_rowid) const;
};

using Schema = std::vector<Table>;

[[nodiscard]] Schema random_schema(Dice& dice);
// One more column, which the table is given.
[[nodiscard]] std::string add_column(Dice& dice, Table& table);

}  // namespace tidemark::differential
