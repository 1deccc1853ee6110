#include "sync/page_sizer.h"

#include <algorithm>

#include "sync/tuning.h"

namespace tidemark::sync {

PageSizer::PageSizer(std::size_t first_rows)
    : rows_(std::clamp<std::size_t>(first_rows, 1, kPageRowsMax)), rows_max_(kPageRowsMax) {}

void PageSizer::measured(std::size_t rows, std::size_t bytes, std::chrono::milliseconds took) {
  if (rows == 0) return;
  const double of_page = static_cast<double>(bytes) / static_cast<double>(rows);
  bytes_per_row_ = bytes_per_row_ > 0 ? (bytes_per_row_ + of_page) / 2 : of_page;
  if (took > kPageSlow) {
    rows_ = std::max<std::size_t>(1, std::min(rows_, rows / 2));
    rows_max_ = std::max<std::size_t>(1, rows_);
    return;
  }
  const double wanted = static_cast<double>(kPageBytesTarget) / std::max(1.0, bytes_per_row_);
  const auto grown = std::min(rows_max_, rows_ * kPageGrowthMax);
  rows_ = std::clamp<std::size_t>(static_cast<std::size_t>(wanted), 1, grown);
}

void PageSizer::too_large(std::size_t rows) {
  rows_ = std::max<std::size_t>(1, std::min(rows_, rows / 2));
  rows_max_ = rows_;
}

std::size_t PageSizer::expected_bytes() const {
  if (bytes_per_row_ <= 0) return kPageBytesTarget;
  return static_cast<std::size_t>(bytes_per_row_ * static_cast<double>(rows_));
}

}  // namespace tidemark::sync
