// What a cache must hold, by SQL of its own and rules that share nothing with the product.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tests/fault/differential/schema.h"
#include "tests/fault/differential/side.h"

namespace tidemark::differential {

struct Item {
  std::string key;
  Cells cells;
  bool operator==(const Item&) const = default;
};

// By table, in listed order: episodes newest first, others by their key's bytes.
using Contents = std::map<std::string, std::vector<Item>>;

[[nodiscard]] Contents expected(Side& side, const Schema& schema, std::size_t window);
// Every row of every table, sorted, with the table's name.
[[nodiscard]] Rows everything(Side& side, const Schema& schema);

}  // namespace tidemark::differential
