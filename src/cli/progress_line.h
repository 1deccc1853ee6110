// One line on a terminal that tells how far a pass is; nothing in a pipe.
#pragma once

#include <chrono>
#include <string>

#include "tidemark/syncer.h"

namespace tidemark::cli {

// "fetch episodes: 1,200 of 5,000 rows".
[[nodiscard]] std::string progress_text(const Progress& progress);

// One thread. The line is gone when this is.
class ProgressLine {
 public:
  explicit ProgressLine(bool on) : on_(on) {}
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;
  void show(const Progress& progress);

 private:
  const bool on_;
  bool shown_ = false;
  // Starts now, so that a pass of a moment shows nothing.
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Whether a descriptor is a terminal that can rewrite a line.
[[nodiscard]] bool can_rewrite(int fd);
// Whether stderr is one.
[[nodiscard]] bool can_show_progress();

}  // namespace tidemark::cli
