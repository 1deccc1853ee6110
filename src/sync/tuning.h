// Every bound, size and delay of a pass, with its reason.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace tidemark::sync {

// Reply bytes that a rows page aims for. The hosted limit is 10 MB for a reply.
inline constexpr std::size_t kPageBytesTarget = std::size_t{2} << 20U;
// Reply bytes in flight, whatever the count: the replies being read and the ones being decoded,
// which take about twice as much.
inline constexpr std::size_t kInFlightBytesMax = std::size_t{6} << 20U;
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
// Parents in one request for embeddings; where these have no index on their parent the source reads
// all of them for each request: 100,000 took 34 s with lists of 5,000.
inline constexpr std::size_t kParentsPerList = 5'000;
inline constexpr std::size_t kParentsPerWholeRead = 20'000;

// Cached keys without a row in the lists that are asked for at a time, in memory about 5 MB; a few
// pages.
inline constexpr std::size_t kCandidatesMax = 20'000;

// Index entries that are walked at a time.
inline constexpr std::size_t kIndexSlice = 2'000;

// Log rows that one request of a delta covers: a few hundred rows of 1 KiB, whose embeddings come
// with them, stay below the limit of a reply. What is larger is fetched in pages.
inline constexpr std::size_t kChangesPerRange = 1'000;

// Rows that the source reads for one of them, as a rule, where max_rows_read_per_pass is set.
inline constexpr std::size_t kRowsPerChange = 8;

// Ranges that a pass follows past the head that it first saw, when each brings later rows than its
// range: an agent that writes all the time must not keep a pass from ending.
inline constexpr std::size_t kRoundsBeyondHead = 4;

// Encoded rows waiting for the writer: back pressure on the fetch thread.
inline constexpr std::size_t kQueueBytesMax = std::size_t{4} << 20U;
// A fill commits after this many bytes of rows, since redb keeps a transaction's pages in memory:
// 1M rows in one transaction took 205 MiB.
inline constexpr std::size_t kFillCommitBytes = std::size_t{8} << 20U;

// Tries of one request before the pass gives up; the caller comes again with its own timer.
inline constexpr std::uint32_t kTriesMax = 3;
inline constexpr std::chrono::milliseconds kRetryFirst{200};
inline constexpr std::chrono::milliseconds kRetryCap{5'000};

// Keys that can never be cached are listed up to here.
inline constexpr std::size_t kOddKeysMax = 100;
// Skipped rows that a report prints; the cache keeps more.
inline constexpr std::size_t kReportSkipsMax = 100;
// Caches up to this many rows are checked row by row after each pass, which takes about 1.3 us a
// row: a check must not be what a pass waits for. `tidemark validate` checks any cache.
inline constexpr std::uint64_t kCheckRowsMax = 10'000;

// Round trips that a probe measures: their median is not moved by one or two slow ones.
inline constexpr int kProbeRoundTrips = 5;
// For the first answer to a probe. A hosted database that sleeps wakes within a second or two.
inline constexpr std::chrono::milliseconds kProbeFirstAnswerMax{8'000};

// Keys that an audit names for each collection; it counts all.
inline constexpr std::size_t kAuditKeysMax = 100;

}  // namespace tidemark::sync
