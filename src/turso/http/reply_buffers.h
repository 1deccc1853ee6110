// The memory of reply bodies, used again: a fresh 2 MiB costs 512 page faults, and a fill needs one
// such body after the other.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "turso/http/tuning.h"

namespace tidemark::turso::http {

// Any thread.
class ReplyBuffers {
 public:
  // Empty, perhaps with capacity.
  [[nodiscard]] std::string take() {
    const std::lock_guard lock(mutex_);
    if (free_.empty()) return {};
    std::string buffer = std::move(free_.back());
    free_.pop_back();
    return buffer;
  }

  void give(std::string buffer) {
    if (buffer.capacity() > kReplyBufferBytesMax) return;
    buffer.clear();
    const std::lock_guard lock(mutex_);
    if (free_.size() < kReplyBuffersKept) free_.push_back(std::move(buffer));
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> free_;
};

}  // namespace tidemark::turso::http
