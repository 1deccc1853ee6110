// A queue between two threads, bounded in bytes: the slower side sets the pace.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace tidemark::base {

// Thread-safe. An item larger than the bound is taken when the queue is empty.
template <typename T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Waits for room. False once the queue is closed: the item is dropped.
  [[nodiscard]] bool push(T item, std::size_t bytes) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || items_.empty() || bytes_ + bytes <= bytes_max_; });
    if (closed_) return false;
    bytes_ += bytes;
    items_.emplace_back(std::move(item), bytes);
    filled_.notify_one();
    return true;
  }

  // With one thread that pops: waits until it has taken everything and is back for more. False once
  // the queue is closed.
  [[nodiscard]] bool wait_until_idle() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return closed_ || (items_.empty() && popping_ > 0); });
    return !closed_;
  }

  // Waits for an item; nullopt once the queue is closed (what is left is dropped).
  [[nodiscard]] std::optional<T> pop() {
    std::unique_lock lock(mutex_);
    ++popping_;
    if (items_.empty()) room_.notify_all();
    filled_.wait(lock, [&] { return closed_ || !items_.empty(); });
    --popping_;
    if (closed_) return std::nullopt;
    auto [item, bytes] = std::move(items_.front());
    items_.pop_front();
    bytes_ -= bytes;
    room_.notify_all();
    return std::move(item);
  }

  // Ends every wait, now and later.
  void close() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    items_.clear();
    room_.notify_all();
    filled_.notify_all();
  }

 private:
  const std::size_t bytes_max_;
  std::mutex mutex_;
  std::condition_variable room_;
  std::condition_variable filled_;
  std::deque<std::pair<T, std::size_t>> items_;
  std::size_t bytes_ = 0;
  std::size_t popping_ = 0;  // threads in pop()
  bool closed_ = false;
};

}  // namespace tidemark::base
