#include "daemon/scrubber.h"

#include "cache/lock.h"

namespace tidemark::daemon {
namespace {

// A file that a killed writer left is the next pass's to repair.
ReaderOptions looking_options() {
  ReaderOptions options;
  options.repair = false;
  options.open_deadline = {};
  return options;
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

}  // namespace tidemark::daemon
