// When the scrub's next slice is due: one walk for each `scrub_interval`, evenly. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tidemark::daemon {

// intact: everything was looked at, and agrees. unjudged: so does every row, but commits kept some
// index or sum from being compared. damaged: it ended at what it found.
enum class WalkEnd : std::uint8_t { intact, unjudged, damaged };
[[nodiscard]] std::string_view to_string(WalkEnd end);

// What one look at a slice of the cache was.
struct Slice {
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;  // keys and values
  double progress = 0;      // of the walk, 0 to 1
  bool hurry = false;       // a commit made it begin a collection again: before the next one comes
  bool failed = false;      // no cache yet, or another process repairs or writes it: later again
  std::optional<WalkEnd> ended{};
  std::vector<std::string> problems{};  // where it ended at damage: one at least
  bool marked = false;                  // and the cache itself says now that it needs repair
};

// Of the walks that look at every row of the cache, one after the other.
struct ScrubState {
  unsigned percent = 0;                                             // of this one
  std::optional<std::chrono::system_clock::time_point> ended_at{};  // the last without damage
};

// One thread.
class ScrubPace {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // The first slice is due at once. `interval` 0: never any.
  ScrubPace(std::chrono::milliseconds interval, Time now)
      : interval_(interval), begun_(now), next_(now) {}

  [[nodiscard]] std::optional<Time> next() const;
  void looked(const Slice& slice, Time now);
  // The walk goes on where it is.
  void reload(std::chrono::milliseconds interval, Time now);

 private:
  std::chrono::milliseconds interval_;
  Time begun_;  // the walk; in the future between two
  Time next_;
  double progress_ = 0;
};

}  // namespace tidemark::daemon
