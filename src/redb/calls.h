// What the wrappers share: errors and ranges between C++ and the C ABI.
#pragma once

#include <string>
#include <string_view>

#include "redb/database.h"
#include "redb/ffi/tidemark_redb.h"

namespace tidemark::redb {

// Takes the error object over; "operation: message".
[[nodiscard]] std::unexpected<Error> failed(std::string_view operation, tdmk_redb_error* error);

// Borrows the range's bounds.
[[nodiscard]] tdmk_redb_range to_c(const Range& range);

[[nodiscard]] inline bool byte_key(TableName table) { return table.key_type == KeyType::bytes; }

}  // namespace tidemark::redb
