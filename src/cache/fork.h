// The fork rule of the cache's own files: a child must neither use nor release what its parent
// opened. A pthread_atfork child handler closes the inherited descriptors (never unlocks) and
// raises the epoch.
#pragma once

#include <atomic>
#include <cstdint>

namespace tidemark::cache {

// Grows in each forked child. A handle that remembers another epoch was inherited.
extern std::atomic<std::uint64_t> fork_epoch_counter;
[[nodiscard]] inline std::uint64_t fork_epoch() {
  return fork_epoch_counter.load(std::memory_order_relaxed);
}

// Installs the child handler; called by whatever remembers an epoch.
void watch_forks();

// A descriptor that belongs to this process alone: closed here, and by the child handler in a
// forked child, where the inherited object then holds nothing.
class LocalDescriptor {
 public:
  LocalDescriptor() = default;
  // Takes `fd` over; with more of them than there is room for it is closed and the object empty.
  explicit LocalDescriptor(int fd);
  LocalDescriptor(LocalDescriptor&& other) noexcept;
  LocalDescriptor& operator=(LocalDescriptor&& other) noexcept;
  ~LocalDescriptor();
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
  std::uint64_t epoch_ = 0;
};

}  // namespace tidemark::cache
