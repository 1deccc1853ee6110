// What `status` says of a cache, for the commands that say it too.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "cli/context.h"
#include "daemon/wire.h"
#include "tidemark/reader.h"

namespace tidemark::cli {

// A daemon answers at once, whatever it does; one that hangs is not waited for.
inline constexpr std::chrono::milliseconds kDaemonPatience{500};

// A cache, and its daemon where one answers.
struct StatusSeen {
  CacheStatus cache;
  std::optional<daemon::Status> daemon;
};

// Looks at the cache, and asks its daemon.
[[nodiscard]] StatusSeen see_status(const Context& context, const ReaderOptions& options);
// The result of `status --json`.
[[nodiscard]] std::string status_json(const StatusSeen& seen);
// Prints the envelope of `status --json`; returns its exit code. `max_age` as for run_status.
int print_status_envelope(const StatusSeen& seen,
                          const std::optional<std::chrono::milliseconds>& max_age);

// "the newest 1,000 episodes, patterns and heuristics, embeddings"
[[nodiscard]] std::string scope_text(const CacheStatus& cache);
// "delta, committed after 12 ms: 3 rows written, 0 removed"; empty: no pass is told of.
[[nodiscard]] std::string last_pass_text(const CacheStatus& cache);
// "pid 12, next pass in 3.2 s (interval)"
[[nodiscard]] std::string daemon_text(const std::optional<daemon::Status>& daemon);
// "43 % of a walk over every row; the last one ended 20 min ago and found nothing"
[[nodiscard]] std::string scrub_text(const daemon::ScrubState& scrub);
// The hit rate in percent, as `tidemark_cache_hit_ratio` has it; nullopt: without reads.
[[nodiscard]] std::optional<std::uint64_t> hit_percent(const ReadCounts& reads);

}  // namespace tidemark::cli
