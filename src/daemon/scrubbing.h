// The scrub of the daemon's own cache: damage is found, and marked, before a reader meets it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cache/scrub.h"
#include "daemon/asio.h"
#include "daemon/scrub_pace.h"
#include "sync/worker.h"

namespace tidemark::daemon {

// Does the looking. One thread at a time.
class Scrubber {
 public:
  // `cache_mode`: of CACHE.lock, should it be missing.
  Scrubber(std::string cache, unsigned cache_mode)
      : cache_(std::move(cache)), cache_mode_(cache_mode) {}
  // One slice of the walk, or the first one of a new walk. The file is closed afterwards. What ends
  // at damage marked the cache (needs_repair) under CACHE.lock; while another process holds that it
  // fails, and is tried again with the next look.
  [[nodiscard]] Slice look();

 private:
  [[nodiscard]] Slice mark(Slice slice);

  const std::string cache_;
  const unsigned cache_mode_;
  std::optional<cache::Scrub> walk_;   // none between two walks
  std::vector<std::string> problems_;  // that wait to be marked
};

// Logs how walks end. One thread, the loop's; it looks on the worker's. At most one look waits or
// runs there, so that a pass, which runs on the same thread, never has one beside it and waits for
// one at the most.
class Scrubbing {
 public:
  using OnSlice = std::function<void(const Slice&)>;
  // All three outlive it; the worker's thread ends first.
  Scrubbing(asio::io_context& loop, sync::Worker& worker, OnSlice told)
      : loop_(loop), worker_(worker), told_(std::move(told)), timer_(loop) {}

  // Once. `interval`: of a walk; 0: none.
  void start(const std::string& cache, unsigned cache_mode, std::chrono::milliseconds interval);
  void reload(std::chrono::milliseconds interval);
  void stop();

 private:
  void wait();
  void look();
  void looked(const Slice& slice);

  asio::io_context& loop_;
  sync::Worker& worker_;
  const OnSlice told_;
  asio::steady_timer timer_;
  std::optional<ScrubPace> pace_;  // none: it was not started, or was stopped
  bool looking_ = false;
  std::optional<Scrubber> scrubber_;  // the worker's own
};

}  // namespace tidemark::daemon
