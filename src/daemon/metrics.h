// What the daemon counts, as Prometheus' text (docs/daemon.md lists the names).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/perform.h"
#include "daemon/scrub_pace.h"
#include "tidemark/reader.h"

namespace tidemark::daemon {

// Of the program that runs.
struct Build {
  std::string version;
  std::string commit;
  std::string redb;  // version
};

// One thread. No label holds a key, a text of the source or a secret; each has a bounded number of
// values, whatever the source is.
class Metrics {
 public:
  using WallTime = std::chrono::system_clock::time_point;

  // `cache`: as it is at the daemon's start; what is read from then on is the hit ratio's.
  Metrics(const Build& build, std::chrono::milliseconds max_staleness, CacheStatus cache);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // At `now`; `after`: the cache as the pass left it.
  void pass_ended(Work work, const Result<Done>& result, std::chrono::milliseconds took,
                  CacheStatus after, WallTime now);
  // A reader found the cache stale.
  void nudged();
  void scrubbed(const Slice& slice, WallTime now);
  void reload(std::chrono::milliseconds max_staleness, WallTime now);

  // What changes while no pass ends.
  struct Now {
    WallTime time;
    std::optional<ReadCounts> reads;  // nullopt: not known
    std::uint32_t failures = 0;       // passes in a row
  };
  [[nodiscard]] std::string text(const Now& now) const;

  // As the last pass left it, or as it was at the start.
  [[nodiscard]] const CacheStatus& cache() const { return cache_; }
  [[nodiscard]] ScrubState scrub() const;

 private:
  struct Counted;
  [[nodiscard]] bool turned_stale(WallTime now) const;
  void count_staleness(WallTime now);

  std::unique_ptr<Counted> counted_;
  std::chrono::milliseconds max_staleness_;
  CacheStatus cache_;
  ReadCounts reads_at_start_;
  ReadCounts reads_after_pass_;
  std::optional<std::uint64_t> position_;  // of the change log
  std::uint64_t position_lag_ = 0;
  std::uint64_t stale_ = 0;     // times that the cache became so, up to the last pass
  bool counted_stale_ = false;  // and is so since
  double scrub_progress_ = 0;
  std::optional<WallTime> scrubbed_at_;  // when a walk last ended that looked at every row
};

// Between then and `now`; nullopt: it was never in step, or the clock went back.
[[nodiscard]] std::optional<std::chrono::milliseconds> age_of(
    const CacheStatus& cache, std::chrono::system_clock::time_point now);

}  // namespace tidemark::daemon
