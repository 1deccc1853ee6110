#include "daemon/scrub_pace.h"

#include <algorithm>

#include "daemon/tuning.h"

namespace tidemark::daemon {
namespace {

using std::chrono::milliseconds;

milliseconds part_of(milliseconds interval, double part) {
  return std::chrono::duration_cast<milliseconds>(interval * part);
}

// For so many bytes, at the highest rate.
milliseconds least_time(std::uint64_t bytes) {
  const auto ms = static_cast<milliseconds::rep>(bytes * 1'000 / kScrubBytesPerSecondMax);
  return std::max(milliseconds(ms), kScrubSpacingMin);
}

}  // namespace

std::string_view to_string(WalkEnd end) {
  switch (end) {
    case WalkEnd::intact:
      return "intact";
    case WalkEnd::unjudged:
      return "unjudged";
    case WalkEnd::damaged:
      return "damaged";
  }
  return "";
}

std::optional<ScrubPace::Time> ScrubPace::next() const {
  if (interval_ == milliseconds(0)) return std::nullopt;
  return next_;
}

void ScrubPace::looked(const Slice& slice, Time now) {
  if (slice.failed) {
    next_ = now + kScrubRetry;
    return;
  }
  const Time soonest = now + least_time(slice.bytes);
  if (slice.ended) {
    progress_ = 0;
    begun_ = next_ = std::max(soonest, begun_ + interval_);
    return;
  }
  progress_ = slice.progress;
  next_ = slice.hurry ? soonest : std::max(soonest, begun_ + part_of(interval_, progress_));
}

void ScrubPace::reload(milliseconds interval, Time now) {
  if (interval == interval_) return;
  interval_ = interval;
  begun_ = now - part_of(interval, progress_);
  next_ = now;
}

}  // namespace tidemark::daemon
