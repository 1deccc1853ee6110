// CACHE.daemon: held by flock for a daemon's life, and names its control socket. Never renamed nor
// unlinked.
#pragma once

#include <string>
#include <utility>

#include "cache/daemon_file.h"
#include "cache/fork.h"
#include "tidemark/error.h"

namespace tidemark::daemon {

// Move-only; the kernel releases it when the process dies.
class Place {
 public:
  // Errors: busy (the message names the holder), invalid (cannot be made).
  [[nodiscard]] static Result<Place> claim(const std::string& cache, unsigned file_mode);
  // Tells clients the socket; to be called once it listens.
  [[nodiscard]] Result<void> announce(const std::string& socket) const;

 private:
  Place(cache::LocalDescriptor fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
  cache::LocalDescriptor fd_;
  std::string path_;
};

// Where a daemon of this cache listens: `configured`, else CACHE.sock, else, where that is too long
// for a socket, a name of its own in $XDG_RUNTIME_DIR. Absolute. Errors: invalid (all too long).
[[nodiscard]] Result<std::string> socket_path(const std::string& cache,
                                              const std::string& configured);

}  // namespace tidemark::daemon
