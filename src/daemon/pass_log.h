// The newest passes, as JSON (docs/daemon.md).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <string>

#include "daemon/perform.h"
#include "daemon/schedule.h"

namespace tidemark::daemon {

// A pass that ended; borrowed for a call.
struct PassRecord {
  std::chrono::system_clock::time_point ended_at;
  Trigger trigger;
  Work work;
  std::chrono::milliseconds took;
  const Result<Done>& result;
};
[[nodiscard]] std::string pass_json(const PassRecord& pass);

// One thread. Holds at most kReportsMax of them and, but for the newest, kReportsBytesMax.
class PassLog {
 public:
  // `pass`: pass_json().
  void add(std::string pass);
  // {"reports":[...]}, the newest first, at most `limit`; with a newline.
  [[nodiscard]] std::string json(std::size_t limit) const;

 private:
  std::deque<std::string> passes_;  // the newest last
  std::size_t bytes_ = 0;
};

}  // namespace tidemark::daemon
