// Rows of SQL values owned in one arena: what a source page is until the cache encodes it.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tidemark/value.h"

namespace tidemark::model {

// Move-only; views stay valid while the set lives (and across moves). One thread.
class RowSet {
 public:
  RowSet() = default;
  RowSet(RowSet&&) = default;
  RowSet& operator=(RowSet&&) = default;

  void set_columns(std::vector<std::string> names) { columns_ = std::move(names); }
  [[nodiscard]] const std::vector<std::string>& columns() const { return columns_; }

  // Copies `cells` (exactly columns().size() of them) with their bytes into the set.
  void add(std::span<const ValueView> cells);
  // Replaces one cell; bytes are copied in.
  void replace(std::size_t row, std::size_t column, ValueView value);
  // Moves the rows of `other` to the end; both have the same number of columns. Views stay valid.
  void append(RowSet other);
  void clear();

  [[nodiscard]] std::size_t size() const {
    return columns_.empty() ? 0 : cells_.size() / columns_.size();
  }
  [[nodiscard]] std::span<const ValueView> row(std::size_t i) const {
    return std::span(cells_).subspan(i * columns_.size(), columns_.size());
  }
  // Some cell may not be what the source stores: the way here has no form for it (an infinity's
  // sign, a text that is not UTF-8). source/exact.h asks again in a form that loses nothing.
  void mark_inexact() { inexact_ = true; }
  [[nodiscard]] bool inexact() const { return inexact_; }

  // Bytes held by texts and blobs plus cells: what back pressure counts.
  [[nodiscard]] std::size_t bytes() const {
    return arena_bytes_ + cells_.size() * sizeof(ValueView);
  }

 private:
  ValueView keep(ValueView value);

  std::vector<std::string> columns_;
  std::vector<ValueView> cells_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_next_ = nullptr;
  std::size_t arena_bytes_ = 0;
  bool inexact_ = false;
};

}  // namespace tidemark::model
