// CACHE.lock: held by flock for one whole pass, repair or swap. Never renamed nor unlinked.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "cache/fork.h"
#include "tidemark/error.h"

namespace tidemark::cache {

// Move-only; the kernel releases it when the process dies. A forked child closes it unreleased.
class CacheLock {
 public:
  // Errors: busy (the message names the holder's pid), invalid (cannot be created), unsupported.
  [[nodiscard]] static Result<CacheLock> acquire(const std::string& cache, unsigned file_mode);

 private:
  explicit CacheLock(LocalDescriptor fd) : fd_(std::move(fd)) {}
  LocalDescriptor fd_;
};

// Takes the lock of an open file; false: another holds it. Whoever only looks takes it shared for
// an instant, which is waited out, 20 ms at the most.
[[nodiscard]] bool lock_exclusively(int fd);

// "pid 123" while somebody holds the lock; nullopt when it is free or there is no lock file.
[[nodiscard]] std::optional<std::string> lock_holder(const std::string& cache);

}  // namespace tidemark::cache
