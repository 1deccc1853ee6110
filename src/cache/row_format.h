// The stored form of a row (docs/cache-format.md): header, column ends, payload; O(1) access, no
// copy.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "tidemark/error.h"
#include "tidemark/value.h"

namespace tidemark::cache {

inline constexpr std::uint8_t kRowFormat = 1;

// The stored bytes of a row of `table` with `key`.
[[nodiscard]] std::string encode_row(std::string_view table, std::string_view key,
                                     std::uint32_t schema_id, std::span<const ValueView> cells);

// A validated view of stored bytes; valid as long as they are.
class RowView {
 public:
  // `corrupt` when the bytes are not a row, or their hash does not match table, key and content.
  [[nodiscard]] static Result<RowView> open(std::string_view table, std::string_view key,
                                            std::string_view bytes);
  // Of bytes that open() has found right, and that are the same still.
  [[nodiscard]] static RowView reopen(std::string_view bytes);
  // The hash that stored bytes say they have; nullopt: they are too short to be a row.
  [[nodiscard]] static std::optional<std::uint64_t> stated_hash(std::string_view bytes);
  [[nodiscard]] std::uint32_t schema_id() const { return schema_id_; }
  [[nodiscard]] std::uint64_t hash() const { return hash_; }
  [[nodiscard]] std::size_t size() const { return columns_; }
  [[nodiscard]] ValueView at(std::size_t column) const;  // column < size()

 private:
  std::string_view bytes_;
  std::uint32_t schema_id_ = 0;
  std::uint64_t hash_ = 0;
  std::size_t columns_ = 0;
};

}  // namespace tidemark::cache
