// Bounds of the source layer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::source {

// A larger row is skipped and listed. SQLite's own default limit for one value is 1 GB; the hosted
// service refuses values over 5 MB.
inline constexpr std::size_t kRowBytesMax = std::size_t{64} << 20U;

// Keys bound into one statement; a page has as many statements as it needs. Turso 0.6 plans a
// longer IN list as a scan when the table has few times as many rows: 2,000 keys of 20,000 rows
// took 4.1 s, four times 500 keys 20 ms.
inline constexpr std::size_t kKeysPerStatement = 500;

// The same where no index helps, and each statement reads the whole table. SQLite binds up to
// 32,766.
inline constexpr std::size_t kKeysPerWholeRead = 20'000;

// Changes of an item that are this much older than the newest change are deleted with its next one,
// so that an item that is edited all the time does not fill the log. It is also how long an anchor
// (the log row at a cache's position) lives at the least: a cache that is further behind than this
// may have to compare everything.
inline constexpr std::int64_t kLogKeep = 100'000;

// Log rows that one transaction of `capture prune` deletes: a tenth of a second's work, while the
// hosted service ends a transaction after 5 s.
inline constexpr std::int64_t kPruneChunkRows = 10'000;
// Transactions of one prune; a longer distance makes them larger.
inline constexpr std::int64_t kPruneChunksMax = 1'000;

}  // namespace tidemark::source
