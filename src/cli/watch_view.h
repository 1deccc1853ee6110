// What `status --watch` shows: lines, the frame that redraws them, and what counts as a change.
// Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/status.h"

namespace tidemark::cli {

// Freshness first. `at_start`: the reads when the watch began; nothing: there were none.
[[nodiscard]] std::vector<std::string> watch_lines(const StatusSeen& seen,
                                                   const std::optional<ReadCounts>& at_start);
// The same in one line, without what changes by itself (ages, the next pass) or with each read: two
// that are equal are no change.
[[nodiscard]] std::string change_text(const StatusSeen& seen);

struct ScreenSize {
  std::size_t rows = 24;
  std::size_t columns = 80;
};

// Draws over the frame before. Leaves the cursor visible, below the last line, and the terminal as
// it was: whatever ends the program between two frames leaves nothing to restore. One thread.
class Frames {
 public:
  // What to write. Lines are cut to the screen, not wrapped; another size than before clears it.
  [[nodiscard]] std::string next(const std::vector<std::string>& lines, ScreenSize size);

 private:
  std::optional<ScreenSize> size_;
  std::size_t rows_ = 0;  // of the last frame
};

// The first `columns` characters of UTF-8 text.
[[nodiscard]] std::string_view cut(std::string_view text, std::size_t columns);

}  // namespace tidemark::cli
