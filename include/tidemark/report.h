// What a pass did. The JSON names (to_json) are stable; docs/cache-format.md lists them.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tidemark/export.h"
#include "tidemark/freshness.h"

namespace tidemark {

// Rows of one collection (one source table).
struct CollectionReport {
  std::uint64_t upserted = 0;   // written because new or different
  std::uint64_t deleted = 0;    // the source confirmed that they are gone
  std::uint64_t evicted = 0;    // left the scope (window, switched off, parent left)
  std::uint64_t unchanged = 0;  // compared and equal
  std::uint64_t skipped = 0;    // could not be cached; see SyncReport::skipped
};

struct SkippedItem {
  std::string collection;
  std::string key;
  std::string reason;
};

// A change that the source's log does not name.
struct MissedItem {
  std::string collection;
  std::string key;
};

// Each check: true passed, false failed, nullopt not learned by this pass.
struct TIDEMARK_API ValidationReport {
  std::optional<bool> episode_count;   // <= limit, and = min(limit, source) where learned
  std::optional<bool> newest_present;  // the newest episode of the source is cached
  std::optional<bool> pattern_count;   // patterns cached + skipped = patterns at the source
  std::optional<bool> embeddings;      // none orphaned, missing or of a wrong dimension
  std::optional<bool> indexes;         // every index agrees with its data
  std::optional<bool> checksums;       // counts and XOR of row hashes agree with the rows
  std::vector<std::string> problems;   // a sentence for each that failed
  [[nodiscard]] bool failed() const;   // any check is false
};

struct TIDEMARK_API SyncReport {
  // "fill": a new file; "scan": everything compared; "delta": what the change log says;
  // "reconcile": everything compared, beside a change log; "audit": that after a delta, to find
  // what the log misses.
  std::string mode;
  std::string reason;    // why this mode
  bool resumed = false;  // a fill that was cut short went on
  std::chrono::milliseconds duration{0};
  std::uint64_t episodes_synced = 0;  // rows written
  std::uint64_t patterns_synced = 0;
  std::uint64_t heuristics_synced = 0;
  std::uint64_t embeddings_synced = 0;
  std::map<std::string, CollectionReport> collections;
  std::uint64_t pages = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  std::uint64_t bytes_received = 0;
  std::optional<std::uint64_t> rows_read;  // where the server says
  std::uint64_t commits = 0;
  std::uint64_t vectors_kept_raw = 0;  // embeddings in an encoding that is not f32
  std::vector<SkippedItem> skipped;    // the first 100
  // By an audit: differences that the change log does not explain, which were repaired. From then
  // on the cache follows no log until its capture is renewed.
  std::uint64_t missed_by_capture = 0;
  std::vector<MissedItem> missed;  // the first 100
  std::vector<std::string> notes;  // what discovery remarked
  std::vector<std::string> roles;  // what it found, a sentence for each collection
  ValidationReport validation;
  std::uint64_t position = 0;  // of the change log; 0 without capture
  // The newest change that the pass knew of, less the position; 0: in step with the log.
  std::uint64_t position_lag = 0;
  Freshness freshness;

  // One JSON object with the stable names.
  [[nodiscard]] std::string to_json() const;
};

}  // namespace tidemark
