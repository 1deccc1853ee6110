// How often a cache was read, and how often it had an answer.
#pragma once

#include <cstdint>

namespace tidemark {

// Reads of a cache by every process, since CACHE.stats was made.
struct ReadCounts {
  std::uint64_t hits = 0;
  std::uint64_t absent = 0;
  std::uint64_t unknown = 0;
  [[nodiscard]] std::uint64_t all() const { return hits + absent + unknown; }
  // Without the source: an absence that the cache proves is as good as a row. Of all(), the hit
  // rate.
  [[nodiscard]] std::uint64_t answered() const { return hits + absent; }
  // Those that came after `then`. A CACHE.stats that was made anew meanwhile counts from zero.
  [[nodiscard]] ReadCounts since(const ReadCounts& then) const {
    if (hits < then.hits || absent < then.absent || unknown < then.unknown) return *this;
    return {hits - then.hits, absent - then.absent, unknown - then.unknown};
  }
  bool operator==(const ReadCounts&) const = default;
};

}  // namespace tidemark
