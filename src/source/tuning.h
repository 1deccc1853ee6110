// Bounds of the source layer.
#pragma once

#include <cstddef>

namespace tidemark::source {

// A larger row is skipped and listed. SQLite's own default limit for one value is 1 GB; the hosted
// service refuses values over 5 MB.
inline constexpr std::size_t kRowBytesMax = std::size_t{64} << 20U;

// Keys bound into one statement; a page has as many statements as it needs. Turso 0.6 plans a
// longer IN list as a scan when the table has few times as many rows: 2,000 keys of 20,000 rows
// took 4.1 s, four times 500 keys 20 ms.
inline constexpr std::size_t kKeysPerStatement = 500;

}  // namespace tidemark::source
