#include "cache/fork.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <utility>

namespace tidemark::cache {
namespace {

// Locks and statistics files open in one process: more than any agent opens caches.
constexpr std::size_t kDescriptorsMax = 1'024;
// Descriptors plus one, so that the zeroed array is empty.
std::array<std::atomic<int>, kDescriptorsMax> descriptors;
std::once_flag installed;

// Async-signal-safe: atomics and close() only.
void in_child() {
  fork_epoch_counter.fetch_add(1);
  for (auto& slot : descriptors) {
    const int fd = slot.exchange(0) - 1;
    if (fd >= 0) ::close(fd);
  }
}

}  // namespace

std::atomic<std::uint64_t> fork_epoch_counter{1};

void watch_forks() {
  std::call_once(installed, [] { pthread_atfork(nullptr, nullptr, in_child); });
}

LocalDescriptor::LocalDescriptor(int fd) : epoch_(fork_epoch()) {
  watch_forks();
  for (auto& slot : descriptors) {
    int empty = 0;
    if (!slot.compare_exchange_strong(empty, fd + 1)) continue;
    fd_ = fd;
    return;
  }
  ::close(fd);
}

LocalDescriptor::LocalDescriptor(LocalDescriptor&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), epoch_(other.epoch_) {}
LocalDescriptor& LocalDescriptor::operator=(LocalDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(epoch_, other.epoch_);
  return *this;
}

LocalDescriptor::~LocalDescriptor() {
  // In a child the number may by now be another file's.
  if (fd_ < 0 || epoch_ != fork_epoch()) return;
  for (auto& slot : descriptors) {
    int expected = fd_ + 1;
    if (slot.compare_exchange_strong(expected, 0)) break;
  }
  ::close(fd_);
}

}  // namespace tidemark::cache
