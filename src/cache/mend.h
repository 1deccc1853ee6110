// What can be mended of a cache from its own intact rows, and what is done with one that cannot.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cache/writer.h"
#include "tidemark/error.h"

namespace tidemark::cache {

struct Mended {
  std::vector<std::string> problems;  // what was found; empty: nothing was wrong
  std::uint64_t rows_dropped = 0;     // did not match their hash; the source has them
};

// 1. Opens for writing, by which redb repairs what a killed writer left; checks redb's checksums.
// 2. Walks rows, indexes and sums (Scrub). Nothing wrong, and not marked: done, nothing is written.
// 3. In one commit: drops the rows that do not match their hash, builds every index and sum anew
//    from the others, and marks the cache `needs_repair`. A pass that compares every row with the
//    source takes the mark away; until then nothing is `absent`.
//
// The caller holds CACHE.lock. `accept` refuses a cache that is not the caller's. Errors: its own;
// corrupt (redb or meta is damaged: nothing can be mended in place); unsupported; no_space.
[[nodiscard]] Result<Mended> mend(const std::string& path, const WriterOptions& options,
                                  const std::function<Result<void>(const Identity&)>& accept);

// CACHE.corrupt: where a file that cannot be mended is kept for whoever wants to know. One copy: a
// newer one replaces it, since a cache can always be filled again.
[[nodiscard]] std::string corrupt_path(const std::string& cache);
// Makes the file known there as well. It stays in its place, for readers of what is intact, until
// the next generation is. The caller holds CACHE.lock.
[[nodiscard]] Result<void> keep_aside(const std::string& cache);
// A cache of ours stood at the path once: CACHE.stats was made with it.
[[nodiscard]] bool stood_here(const std::string& cache);

}  // namespace tidemark::cache
