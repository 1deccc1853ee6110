#include "daemon/jobs.h"

#include <algorithm>
#include <utility>

namespace tidemark::daemon {

void Jobs::ask(const Ask& ask, Listener listener) {
  const auto same = std::ranges::find(waiting_, ask, &Job::ask);
  Job& job = same == waiting_.end() ? waiting_.emplace_back(Job{ask, Trigger::request, {}}) : *same;
  job.listeners.push_back(std::move(listener));
}

const Job* Jobs::start() {
  if (running_ || waiting_.empty()) return nullptr;
  running_ = std::move(waiting_.front());
  waiting_.pop_front();
  return &*running_;
}

void Jobs::progress(const Progress& progress) const {
  if (!running_) return;
  for (const Listener& listener : running_->listeners) listener.progress(progress);
}

void Jobs::end(const Result<Done>& result) {
  const std::optional<Job> job = std::exchange(running_, std::nullopt);
  if (!job) return;
  for (const Listener& listener : job->listeners) listener.done(result);
}

void Jobs::refuse_waiting(const Error& error) {
  const std::deque<Job> jobs = std::exchange(waiting_, {});
  for (const Job& job : jobs) {
    for (const Listener& listener : job.listeners) listener.done(std::unexpected(error));
  }
}

}  // namespace tidemark::daemon
