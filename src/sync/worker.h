// One thread that runs jobs in order, beside the thread that hands them over.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

namespace tidemark::sync {

// Thread-safe. The owner bounds how many jobs wait.
class Worker {
 public:
  using Job = std::move_only_function<void()>;

  Worker() = default;
  // Drops the jobs that have not begun, and waits for the one that has.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void run(Job job);  // starts the thread with the first job
  // As the destructor, but the worker can be used again.
  void drain();

 private:
  void work(const std::stop_token& stop);

  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Job> jobs_;
  bool busy_ = false;
  std::jthread thread_;
};

}  // namespace tidemark::sync
