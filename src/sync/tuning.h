// Every bound, size and delay of a pass, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tidemark::sync {

// Reply bytes that a rows page aims for. The hosted limit is 10 MB for a reply; ten pages of this
// size in flight stay under the 16 MiB that may be in flight at all.
inline constexpr std::size_t kPageBytesTarget = std::size_t{3} << 19U;  // 1.5 MiB
inline constexpr std::size_t kInFlightBytesMax = std::size_t{16} << 20U;
// Keys bound into one statement: SQLite's own limit is 32,766 parameters.
inline constexpr std::size_t kPageRowsMax = 8'000;
// A page that takes longer than this is halved the next time: the hosted service ends a transaction
// after 5 s.
inline constexpr std::chrono::milliseconds kPageSlow{2'000};
// A page may grow by this factor from one to the next, so that one small row misleads little.
inline constexpr std::size_t kPageGrowthMax = 8;

// Places (order value, key) in one list request: about 80 bytes of reply each, so 4 MB; in memory
// about 12 MB at the most, twice while it is decoded.
inline constexpr std::size_t kListChunkRows = 40'000;
// Parents in one request for embeddings.
inline constexpr std::size_t kParentsPerList = 5'000;

// Encoded rows waiting for the writer: back pressure on the fetch thread.
inline constexpr std::size_t kQueueBytesMax = std::size_t{8} << 20U;
// Rows are handed to the writer in batches of about this size, sorted by key: random insertion
// costs half the speed of sorted.
inline constexpr std::size_t kPutBytes = std::size_t{4} << 20U;

// A fill commits after this many bytes of rows, since redb keeps a transaction's pages in memory:
// 1M rows in one transaction took 205 MiB.
inline constexpr std::size_t kFillCommitBytes = std::size_t{16} << 20U;

// Tries of one request before the pass gives up; the caller comes again with its own timer.
inline constexpr std::uint32_t kTriesMax = 3;
inline constexpr std::chrono::milliseconds kRetryFirst{200};
inline constexpr std::chrono::milliseconds kRetryCap{5'000};

// Keys that can never be cached are listed up to here.
inline constexpr std::size_t kOddKeysMax = 100;
// Skipped rows that a report prints; the cache keeps more.
inline constexpr std::size_t kReportSkipsMax = 100;
// Caches up to this many rows are checked row by row after each pass (about 3 us a row).
inline constexpr std::uint64_t kCheckRowsMax = 20'000;
// A schema that changes under a pass restarts it at most this often.
inline constexpr int kSchemaRestartsMax = 3;

}  // namespace tidemark::sync
