#include "cache/lock.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cache/fork.h"

namespace tidemark::cache {
namespace {

constexpr int kTries = 10;
constexpr int kTryMs = 2;

std::string lock_path(const std::string& cache) { return cache + ".lock"; }

std::string read_holder(int fd) {
  std::array<char, 64> text{};
  const ssize_t got = ::pread(fd, text.data(), text.size(), 0);
  std::string holder(text.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
  while (!holder.empty() && (holder.back() == '\n' || holder.back() == '\0')) holder.pop_back();
  return holder.empty() ? "another process" : holder;
}

}  // namespace

bool lock_exclusively(int fd) {
  for (int n = 0; n < kTries; ++n) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return true;
    ::poll(nullptr, 0, kTryMs);
  }
  return false;
}

Result<CacheLock> CacheLock::acquire(const std::string& cache, unsigned file_mode) {
  const std::string path = lock_path(cache);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, static_cast<mode_t>(file_mode));
  if (fd < 0) {
    const ErrorCode code = errno == ENOSPC ? ErrorCode::no_space : ErrorCode::invalid;
    return fail(code, "cannot make the lock file " + path + ": " + std::strerror(errno),
                "the cache's folder must be writable for the user who syncs it");
  }
  if (!lock_exclusively(fd)) {
    const std::string holder = read_holder(fd);
    ::close(fd);
    return fail(ErrorCode::busy, "the cache is being written by " + holder,
                "wait for it to end, then try again");
  }
  // flock belongs to the open file, which a forked child shares: the child closes it.
  LocalDescriptor local(fd);
  if (!local) {
    return fail(ErrorCode::unsupported, "too many open caches in this process");
  }
  const std::string text = "pid " + std::to_string(::getpid()) + "\n";
  // Only the name for `busy`: the lock itself does not depend on it.
  if (::ftruncate(fd, 0) == 0) {
    [[maybe_unused]] const ssize_t written = ::pwrite(fd, text.data(), text.size(), 0);
  }
  return CacheLock(std::move(local));
}

std::optional<std::string> lock_holder(const std::string& cache) {
  const int fd = ::open(lock_path(cache).c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  std::optional<std::string> holder;
  if (::flock(fd, LOCK_SH | LOCK_NB) != 0) holder = read_holder(fd);
  ::close(fd);
  return holder;
}

}  // namespace tidemark::cache
