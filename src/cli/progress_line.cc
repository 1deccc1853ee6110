#include "cli/progress_line.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "cli/output.h"

namespace tidemark::cli {
namespace {

constexpr std::chrono::milliseconds kBetween{200};  // a line that can be read
constexpr std::string_view kClear = "\r\033[K";

}  // namespace

std::string progress_text(const Progress& progress) {
  std::string text = progress.phase;
  if (!progress.collection.empty()) text += " " + progress.collection;
  if (progress.rows_done == 0 && !progress.rows_total) return text;
  text += ": " + grouped(progress.rows_done);
  if (progress.rows_total) text += " of " + grouped(*progress.rows_total);
  return text + " rows";
}

ProgressLine::~ProgressLine() {
  if (shown_) std::fwrite(kClear.data(), 1, kClear.size(), stderr);
}

void ProgressLine::show(const Progress& progress) {
  const auto now = std::chrono::steady_clock::now();
  if (!on_ || now - last_ < kBetween) return;
  last_ = now;
  shown_ = true;
  // One write, and cleared only behind the text: no flicker.
  const std::string line = "\r" + progress_text(progress) + "\033[K";
  std::fwrite(line.data(), 1, line.size(), stderr);
}

bool can_rewrite(int fd) {
  const char* const term = std::getenv("TERM");
  return ::isatty(fd) == 1 && term != nullptr && std::string_view(term) != "dumb";
}

bool can_show_progress() { return can_rewrite(STDERR_FILENO); }

}  // namespace tidemark::cli
