// CACHE.daemon as others see it: does a daemon live, where does it listen, and asking it for a
// pass.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::cache {

// Two lines: "pid 123", then "socket PATH" once it listens. A path without a folder is beside the
// file, so that the folder may be mounted elsewhere.
inline constexpr std::string_view kSocketWord = "socket ";
[[nodiscard]] std::string daemon_path(const std::string& cache);

struct DaemonHolder {
  std::string name;    // "pid 123"
  std::string socket;  // absolute; empty: it does not listen yet
};
// The daemon that lives; nullopt: none.
[[nodiscard]] std::optional<DaemonHolder> find_daemon(const std::string& cache);
// What the open file at `path` says, whether or not somebody holds it.
[[nodiscard]] DaemonHolder read_daemon(int fd, const std::string& path);

// Connects a Unix socket; false: nothing listens at `path`, or it waits (a non-blocking one).
[[nodiscard]] bool connect_socket(int fd, const std::string& path);

// A stale reader's word to the daemon. Thread-safe.
class Nudge {
 public:
  // Asks the daemon of `cache` for a pass, where one lives, at most each second. Waits for nothing;
  // that it did not come through is no error, since the daemon has an interval of its own.
  void send(const std::string& cache);

 private:
  std::atomic<std::int64_t> last_ms_{0};  // of the steady clock
};

}  // namespace tidemark::cache
