// The process that keeps a cache in step: runs a pass when one is due or asked for, and answers on
// the control socket. One thread has the loop, another one runs the passes.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "daemon/metrics.h"
#include "daemon/perform.h"
#include "daemon/schedule.h"
#include "tidemark/error.h"

namespace tidemark::daemon {

struct Settings {
  Setup setup;
  Ask pass;  // what the daemon's own passes name: the scope
  Timing timing;
  std::string socket;      // empty: see socket_path()
  std::string listen;      // of the HTTP server, "127.0.0.1:9464"; empty: none
  std::string token_file;  // of the HTTP server; empty: CACHE.token
  // What is older is shown as stale.
  std::chrono::milliseconds max_staleness = ReaderOptions{}.max_staleness;
  Build build;
  std::chrono::milliseconds stop_deadline = kStopDeadline;
  std::chrono::milliseconds scrub_interval = kScrubInterval;  // 0: no scrub
};
// Reads the configuration again, at SIGHUP.
using Load = std::function<Result<Settings>()>;

// Returns when it was told to stop: SIGTERM, SIGINT or over the socket; the signals are blocked in
// the calling thread afterwards. Passes that fail are logged and tried again. Errors: busy (another
// daemon, socket or port), invalid (CACHE.daemon, the socket or the token cannot be made; source,
// settings).
[[nodiscard]] Result<void> run_daemon(Settings settings, const Load& load);

}  // namespace tidemark::daemon
