#include "daemon/scrubbing.h"

#include <utility>

#include "daemon/log.h"

namespace tidemark::daemon {
namespace {

void log_end(const Slice& slice) {
  if (*slice.ended != WalkEnd::damaged) {
    return log_line(Level::debug, "scrub: a walk ended, " + std::string(to_string(*slice.ended)));
  }
  std::string text = "scrub: the cache is damaged: " + slice.problems.front();
  if (slice.problems.size() > 1) {
    text += " (and " + std::to_string(slice.problems.size() - 1) + " more)";
  }
  log_line(Level::warning, text);
}

}  // namespace

void Scrubbing::start(const std::string& cache, unsigned cache_mode,
                      std::chrono::milliseconds interval) {
  scrubber_.emplace(cache, cache_mode);
  pace_.emplace(interval, ScrubPace::Time::clock::now());
  wait();
}

void Scrubbing::reload(std::chrono::milliseconds interval) {
  if (!pace_) return;
  pace_->reload(interval, ScrubPace::Time::clock::now());
  wait();
}

void Scrubbing::stop() {
  pace_.reset();
  timer_.cancel();
}

void Scrubbing::wait() {
  timer_.cancel();
  const auto next = pace_->next();
  if (looking_ || !next) return;
  timer_.expires_at(*next);
  timer_.async_wait([this](const IoError& cancelled) {
    if (!cancelled) look();
  });
}

void Scrubbing::look() {
  if (!pace_ || looking_) return;  // stopped, or reloaded, while this was on its way
  looking_ = true;
  worker_.run([this] { asio::post(loop_, [this, slice = scrubber_->look()] { looked(slice); }); });
}

void Scrubbing::looked(const Slice& slice) {
  looking_ = false;
  if (!pace_) return;
  pace_->looked(slice, ScrubPace::Time::clock::now());
  wait();
  if (slice.ended) log_end(slice);
  told_(slice);
}

}  // namespace tidemark::daemon
