// Memcmp-ordered encoding of SQL values, in SQLite's order: NULL < numbers < text < blob. Integers
// and reals share one exact encoding. docs/cache-format.md describes it byte by byte.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model/record.h"
#include "tidemark/value.h"

namespace tidemark::cache {

// Appends the encoding of a NULL, int64, real, text or blob. No encoding is a prefix of another.
void append_order_key(std::string& out, ValueView value);

// Takes one value off the front of `bytes`; nullopt on bytes that append_order_key never writes. A
// number that is integral and fits comes back as int64.
[[nodiscard]] std::optional<Value> take_order_key(std::string_view& bytes);

// (order value, key).
[[nodiscard]] std::string encode_place(const model::Place& place);
[[nodiscard]] std::optional<model::Place> decode_place(std::string_view bytes);

}  // namespace tidemark::cache
