// Asking a cache's daemon, from another process.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "daemon/tuning.h"
#include "daemon/wire.h"

namespace tidemark::daemon {

struct Asked {
  // The daemon's last reply; nullopt: no daemon lives, so that the caller may do it by itself.
  std::optional<Reply> reply;
  bool lost = false;  // one lived, and ended before it answered
};

// Blocks until the daemon has answered; `progress` on the calling thread. A daemon that stops
// meanwhile is waited out. Errors: busy (one lives, but does not answer), cancelled (by `stop`: the
// daemon goes on), internal (its reply cannot be read).
[[nodiscard]] Result<Asked> ask_daemon(const std::string& cache, const Request& request,
                                       const std::stop_token& stop, const OnProgress& progress);

// What the daemon says of itself, asked for at most `patience`; nullopt: none lives or answers.
[[nodiscard]] std::optional<Status> daemon_status(const std::string& cache,
                                                  std::chrono::milliseconds patience);

}  // namespace tidemark::daemon
