// What can be asked of a cache that needs its source, and doing it. The daemon's passes and those
// that a command runs by itself are the same.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <variant>

#include "tidemark/syncer.h"

namespace tidemark::daemon {

enum class Work : std::uint8_t { sync, repair, rebuild, validate };
[[nodiscard]] std::string_view to_string(Work work);

// What the asker named; the rest is as the one who runs it is configured.
struct Ask {
  Work work = Work::sync;
  std::string source;  // as named; a daemon refuses one that is not its own
  std::optional<std::uint64_t> max_episodes_cache;
  std::optional<bool> sync_patterns;
  std::optional<bool> sync_embeddings;
  std::optional<std::uint64_t> batch_size;
  std::optional<bool> validate_checksums;
  std::optional<std::uint64_t> max_concurrent_fetches;
  std::optional<std::chrono::milliseconds> request_deadline;
  std::optional<std::chrono::milliseconds> pass_deadline;
  std::optional<std::uint64_t> max_rows_read_per_pass;
  std::optional<std::chrono::milliseconds> audit_interval;
  bool full = false;
  bool set_scope = false;
  bool adopt = false;  // rebuild: also over a file that is no cache of this source

  // Equal ones may share a pass.
  friend bool operator==(const Ask&, const Ask&) = default;
};

// What a pass needs to know besides.
struct Setup {
  std::string source;
  std::string cache;
  SyncConfig config;
  SyncerOptions options;
};

using Done = std::variant<SyncReport, RepairReport, AuditReport>;
using OnProgress = std::function<void(const Progress&)>;

[[nodiscard]] SyncRequest request_of(const Ask& ask);
// On the calling thread, which makes the callbacks. Errors: as Syncer's functions.
[[nodiscard]] Result<Done> perform(const Setup& setup, const Ask& ask, std::stop_token stop,
                                   const OnProgress& progress);

// The cache as it is. Hardly waits: a file that a killed writer left is the next pass's to repair.
[[nodiscard]] CacheStatus look_at(const std::string& cache);

}  // namespace tidemark::daemon
