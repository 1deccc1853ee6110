// Bytes as they arrive, taken apart into lines of a bounded length. Pure.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tidemark::cli::mcp {

// One thread.
class LineBuffer {
 public:
  struct Taken {
    std::string line{};     // without its newline
    bool too_long = false;  // it had more than `line_bytes_max`: it is lost, and `line` empty
  };
  explicit LineBuffer(std::size_t line_bytes_max) : line_bytes_max_(line_bytes_max) {}

  void add(std::string_view bytes) { bytes_ += bytes; }
  // The next whole line; of one that is too long nothing is kept while it arrives.
  [[nodiscard]] std::optional<Taken> next() {
    const std::size_t end = bytes_.find('\n', looked_at_);
    const bool whole = end != std::string::npos;
    if (!whole) {
      if (bytes_.size() > line_bytes_max_) skipping_ = true;
      if (skipping_) bytes_.clear();
      looked_at_ = bytes_.size();
      return std::nullopt;
    }
    Taken taken;
    taken.too_long = skipping_ || end > line_bytes_max_;
    if (!taken.too_long) taken.line = bytes_.substr(0, end);
    bytes_.erase(0, end + 1);
    looked_at_ = 0;
    skipping_ = false;
    return taken;
  }

 private:
  const std::size_t line_bytes_max_;
  std::string bytes_;
  std::size_t looked_at_ = 0;  // no newline before it
  bool skipping_ = false;      // the line that is arriving is too long
};

}  // namespace tidemark::cli::mcp
