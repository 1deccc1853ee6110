#include "daemon/scrubbing.h"

#include <utility>

#include "cache/lock.h"
#include "daemon/log.h"
#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

// A file that a killed writer left is the next pass's to repair.
ReaderOptions looking_options() {
  ReaderOptions options;
  options.repair = false;
  options.open_deadline = {};
  return options;
}

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

Slice Scrubber::look() {
  Slice slice;
  if (!problems_.empty()) return mark(std::move(slice));
  if (!walk_) walk_.emplace(cache_, looking_options());
  const cache::Scrub::Read before = walk_->read();
  const auto more = walk_->step();
  walk_->rest();
  slice.rows = walk_->read().rows - before.rows;
  slice.bytes = walk_->read().bytes - before.bytes;
  slice.progress = walk_->progress();
  slice.hurry = walk_->hurries();
  problems_ = walk_->found().problems;
  if (!more && more.error().code == ErrorCode::corrupt) problems_.push_back(more.error().message);
  if (!problems_.empty()) return mark(std::move(slice));
  slice.failed = !more;
  if (!more || *more) return slice;
  slice.ended = walk_->found().unjudged.empty() ? WalkEnd::intact : WalkEnd::unjudged;
  walk_.reset();
  return slice;
}

Slice Scrubber::mark(Slice slice) {
  const auto lock = cache::CacheLock::acquire(cache_, cache_mode_);
  if (!lock && lock.error().code == ErrorCode::busy) {
    slice.failed = true;
    return slice;
  }
  slice.marked = lock && cache::mark_needs_repair(cache_);
  slice.ended = WalkEnd::damaged;
  slice.problems = std::exchange(problems_, {});
  walk_.reset();
  return slice;
}

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
