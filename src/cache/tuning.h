// Bounds of the cache's writing and checking, with their reasons.
#pragma once

#include <cstddef>
#include <cstdint>

namespace tidemark::cache {

// Index entries that wait to be applied in key order; they are applied before any read of an index
// and before each commit as well.
inline constexpr std::size_t kIndexChangesBytesMax = std::size_t{1} << 20U;

// Read of all runs of an index at a time, and of each at the least: a million rows make about a
// hundred runs, and memory must not follow their number.
inline constexpr std::size_t kRunsBytes = std::size_t{2} << 20U;
inline constexpr std::size_t kRunSliceBytesMin = std::size_t{1} << 10U;
// As a fill's commits, of which keys are a part.
inline constexpr std::size_t kMergeCommitBytes = std::size_t{4} << 20U;

// A filled generation is packed when its file is this large and more than this many times its live
// bytes. 100,000 rows of 300 bytes under random keys, committed each 16 MiB: 3.5 times, packed 1.8
// (1.2 but for the free end that redb keeps). It costs as much as writing the rows once more, so
// that it is for files whose room is worth a longer fill.
struct PackWhen {
  std::uint64_t file_bytes_min = std::uint64_t{64} << 20U;
  double ratio_min = 2.5;
};
// Copied out of redb at a time; also how often a stop is looked for.
inline constexpr std::size_t kPackSliceBytes = std::size_t{1} << 20U;
// As a fill's commits: redb keeps a transaction's pages in memory.
inline constexpr std::size_t kPackCommitBytes = std::size_t{16} << 20U;

// Vectors that a search lays out at a time: large enough that comparing costs what reading them
// does, small enough that a search without room for all of them stays small.
inline constexpr std::size_t kVectorBlockBytes = std::size_t{4} << 20U;
// Rows that it copies out of redb at a time.
inline constexpr std::size_t kVectorSliceRows = 1'000;
inline constexpr std::size_t kVectorSliceBytes = std::size_t{1} << 20U;
// What is kept of a row beside its floats: its norm, and a key of the usual length.
inline constexpr std::size_t kVectorRowBytes = 64;
// Models that an error names.
inline constexpr std::size_t kModelsNamedMax = 10;
// Scores that are worked out before they are looked at: they stay in the core's cache.
inline constexpr std::size_t kScoresAtOnce = 512;
// A filter may refuse some of the nearest: look at this many times as many, and again.
inline constexpr std::size_t kFilterGrowth = 4;

// A scrub reads this much at a time: small enough that the allocator reuses the same block, and
// that its snapshot lasts milliseconds.
inline constexpr std::size_t kScrubSliceBytes = std::size_t{128} << 10U;
// A collection that commits interrupt is begun again this often; a pass comes each half minute, and
// a million rows take about a second.
inline constexpr int kScrubRestartsMax = 3;
// Problems that a check lists: enough to see what is wrong.
inline constexpr std::size_t kProblemsMax = 20;

}  // namespace tidemark::cache
