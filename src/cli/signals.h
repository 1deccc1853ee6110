// Ctrl-C and SIGTERM as a stop token; a second one ends the process at once with 130.
#pragma once

#include <stop_token>
#include <thread>

namespace tidemark::cli {

// While one lives, SIGINT and SIGTERM ask for a stop. Make it before any other thread: the signals
// are blocked in all threads and taken by one of its own.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  std::stop_source source_;
  int ended_ = -1;  // eventfd that ends the thread
  std::jthread thread_;
};

}  // namespace tidemark::cli
