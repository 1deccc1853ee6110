#include "model/row_set.h"

#include <algorithm>

#include "base/assert.h"

namespace tidemark::model {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 10U;

ValueView with_bytes(ValueView value, std::string_view bytes) {
  switch (value.type()) {
    case ValueType::text:
      return ValueView::text(bytes);
    case ValueType::blob:
      return ValueView::blob(bytes);
    case ValueType::vector:
      return ValueView::vector(bytes);
    default:
      return value;
  }
}

}  // namespace

ValueView RowSet::keep(ValueView value) {
  const std::string_view bytes = value.bytes();
  if (bytes.empty()) return with_bytes(value, {});
  if (bytes.size() > block_left_) {
    const std::size_t size = std::max(kBlockBytes, bytes.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
    block_next_ = blocks_.back().get();
    block_left_ = size;
    arena_bytes_ += size;
  }
  char* const at = block_next_;
  std::copy(bytes.begin(), bytes.end(), at);
  block_next_ += bytes.size();
  block_left_ -= bytes.size();
  return with_bytes(value, {at, bytes.size()});
}

void RowSet::add(std::span<const ValueView> cells) {
  TIDEMARK_ASSERT(cells.size() == columns_.size());
  for (const ValueView& cell : cells) cells_.push_back(keep(cell));
}

void RowSet::replace(std::size_t row, std::size_t column, ValueView value) {
  TIDEMARK_ASSERT(row < size() && column < columns_.size());
  cells_[row * columns_.size() + column] = keep(value);
}

void RowSet::append(RowSet other) {
  TIDEMARK_ASSERT(other.columns_.size() == columns_.size());
  cells_.insert(cells_.end(), other.cells_.begin(), other.cells_.end());
  for (auto& block : other.blocks_) blocks_.push_back(std::move(block));
  arena_bytes_ += other.arena_bytes_;
  inexact_ = inexact_ || other.inexact_;
}

void RowSet::clear() {
  cells_.clear();
  inexact_ = false;
  blocks_.clear();
  block_left_ = 0;
  block_next_ = nullptr;
  arena_bytes_ = 0;
}

}  // namespace tidemark::model
