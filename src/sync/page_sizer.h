// How many rows the next page asks for. Pure: fed with what pages measured.
#pragma once

#include <chrono>
#include <cstddef>

namespace tidemark::sync {

// One thread. Starts at `first_rows`, then aims at kPageBytesTarget by the measured bytes of a row;
// halves when a page was slow or too large.
class PageSizer {
 public:
  explicit PageSizer(std::size_t first_rows);

  [[nodiscard]] std::size_t rows() const { return rows_; }
  [[nodiscard]] bool is_measured() const { return bytes_per_row_ > 0; }
  // A page of `rows` rows came as `bytes` bytes after `took`.
  void measured(std::size_t rows, std::size_t bytes, std::chrono::milliseconds took);
  // A page of `rows` rows was refused as too large.
  void too_large(std::size_t rows);
  // The bytes that a page of rows() is expected to be; kPageBytesTarget before any measurement.
  [[nodiscard]] std::size_t expected_bytes() const;

 private:
  std::size_t rows_;
  std::size_t rows_max_;
  double bytes_per_row_ = 0;
};

}  // namespace tidemark::sync
