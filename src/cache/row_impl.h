// The inside of a public Row.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "cache/row_format.h"
#include "redb/database.h"
#include "tidemark/row.h"

namespace tidemark {

struct Row::Impl {
  std::string_view collection;  // the catalog's, which `names` keeps
  std::string key;
  std::shared_ptr<const std::vector<std::string>> names;
  std::variant<redb::Guard, std::string> bytes;  // what `view` borrows from
  cache::RowView view;
};

}  // namespace tidemark
