// What a sync pass may be told. Every bound is checked by validate(), all bad fields at once.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "tidemark/error.h"
#include "tidemark/export.h"

namespace tidemark {

struct TIDEMARK_API SyncConfig {
  std::uint64_t max_episodes_cache = 1000;  // newest episodes to keep, 1 to 100,000,000
  std::uint64_t batch_size = 100;           // rows of the first page, 1 to 100,000; pages grow
  bool sync_patterns = true;                // patterns and heuristics
  bool sync_embeddings = true;              // embeddings of what is cached
  // Check the whole cache after each pass: hashes, indexes and sums of a cache of any size (else of
  // up to 10,000 rows), and audit it where it follows a change log. A scan compares every row with
  // the source by hash in any case.
  bool validate_checksums = false;
  std::uint32_t max_concurrent_fetches = 10;           // 1 to 10
  std::chrono::milliseconds request_deadline{30'000};  // 100 ms to 10 min
  std::chrono::milliseconds pass_deadline{0};          // 0: none; else 100 ms to 24 h
  // A pass ends, with `invalid`, before it would have the source read more rows; 0: no limit. Else
  // 1,000 to 10^12.
  std::uint64_t max_rows_read_per_pass = 0;
  // A Syncer's passes that found nothing to do commit when they ran at most this often; 0: each.
  // 0 to 1 h.
  std::chrono::milliseconds heartbeat{10'000};
  // A cache that follows a change log is compared with its source, row by row, when that was last
  // done so long ago. 1 min to 365 d.
  std::chrono::milliseconds audit_interval{86'400'000};

  // `invalid`, naming every bad field with its range.
  [[nodiscard]] Result<void> validate() const;
};

}  // namespace tidemark
