// The scrub of the daemon's own cache, between its passes.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "daemon/asio.h"
#include "daemon/scrub_pace.h"
#include "daemon/scrubber.h"
#include "sync/worker.h"

namespace tidemark::daemon {

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
