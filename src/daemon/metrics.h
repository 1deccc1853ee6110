// What the daemon counts, as Prometheus' text (docs/daemon.md lists the names).
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "daemon/perform.h"
#include "tidemark/reader.h"

namespace tidemark::daemon {

// One thread. No label holds a key, a text of the source or a secret; each has a bounded number of
// values, whatever the source is.
class Metrics {
 public:
  // `cache`: as it is at the daemon's start; what is read from then on is the hit ratio's.
  Metrics(const std::string& version, CacheStatus cache);
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  // `after`: the cache as the pass left it.
  void pass_ended(Work work, const Result<Done>& result, std::chrono::milliseconds took,
                  CacheStatus after);
  // A reader found the cache stale.
  void nudged();

  // What changes while no pass ends.
  struct Now {
    std::chrono::system_clock::time_point time;
    std::optional<ReadCounts> reads;  // nullopt: not known
    std::uint32_t failures = 0;       // passes in a row
  };
  [[nodiscard]] std::string text(const Now& now) const;

  // As the last pass left it, or as it was at the start.
  [[nodiscard]] const CacheStatus& cache() const { return cache_; }

 private:
  struct Counted;
  std::unique_ptr<Counted> counted_;
  CacheStatus cache_;
  ReadCounts reads_at_start_;
  ReadCounts reads_after_pass_;
  std::optional<std::uint64_t> position_;  // of the change log
};

// Between then and `now`; nullopt: it was never in step, or the clock went back.
[[nodiscard]] std::optional<std::chrono::milliseconds> age_of(
    const CacheStatus& cache, std::chrono::system_clock::time_point now);

}  // namespace tidemark::daemon
