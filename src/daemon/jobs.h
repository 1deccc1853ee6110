// The passes that are to run, one after the other, and who waits for each. Pure.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "daemon/perform.h"
#include "daemon/schedule.h"

namespace tidemark::daemon {

// Who asked. Both are called on the daemon's thread; done at most once, and last.
struct Listener {
  std::function<void(const Progress&)> progress;
  std::function<void(const Result<Done>&)> done;
};

struct Job {
  Ask ask;
  Trigger trigger = Trigger::request;
  std::vector<Listener> listeners;
};

// One thread. Single flight: what is asked for twice before it starts runs once, and what is asked
// for while it runs runs again afterwards, since what it read may be older than the asking.
class Jobs {
 public:
  void ask(const Ask& ask, Listener listener);
  void add(const Ask& ask, Trigger trigger) { waiting_.push_back({ask, trigger, {}}); }

  // The next one, which then runs; nullptr while one runs or none waits.
  [[nodiscard]] const Job* start();
  [[nodiscard]] const Job* running() const { return running_ ? &*running_ : nullptr; }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }
  // Tells who waits for the running one how far it is.
  void progress(const Progress& progress) const;
  // The running one ended: tells who waits for it.
  void end(const Result<Done>& result);
  // Those that wait are not going to run.
  void refuse_waiting(const Error& error);

 private:
  std::deque<Job> waiting_;
  std::optional<Job> running_;
};

}  // namespace tidemark::daemon
