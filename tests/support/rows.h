// A source's reply, written out by hand.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "model/row_set.h"

namespace tidemark::support {

inline model::RowSet rows(std::vector<std::string> columns,
                          std::initializer_list<std::vector<ValueView>> cells) {
  model::RowSet set;
  set.set_columns(std::move(columns));
  for (const auto& row : cells) set.add(row);
  return set;
}

inline ValueView text(std::string_view bytes) { return ValueView::text(bytes); }
inline ValueView number(std::int64_t value) { return ValueView::int64(value); }

}  // namespace tidemark::support
