// One cached item. Owns its bytes (a page guard or a copy), never a transaction.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "tidemark/export.h"
#include "tidemark/value.h"

namespace tidemark {

// A vector as JSON: an array, {"dimension":N}, or no member at all.
enum class VectorJson : std::uint8_t { numbers, dimension, nothing };

// Immutable and thread-safe; cheap to move. Views die with the row, so temporaries give none.
class TIDEMARK_API Row {
 public:
  Row(Row&&) noexcept;
  Row& operator=(Row&&) noexcept;
  ~Row();

  [[nodiscard]] std::string_view collection() const&;
  [[nodiscard]] std::string_view key() const&;
  [[nodiscard]] std::size_t column_count() const;
  [[nodiscard]] std::string_view column_name(std::size_t column) const&;  // column < column_count()
  [[nodiscard]] ValueView at(std::size_t column) const&;                  // column < column_count()
  // nullopt: no such column.
  [[nodiscard]] std::optional<ValueView> at(std::string_view column) const&;
  std::string_view collection() const&& = delete;
  std::string_view key() const&& = delete;
  std::string_view column_name(std::size_t) const&& = delete;
  ValueView at(std::size_t) const&& = delete;
  std::optional<ValueView> at(std::string_view) const&& = delete;

  // One JSON object, columns in source order: int64 beyond 2^53 is {"int64":"..."}, a blob
  // {"base64":"..."}, a vector an array, NaN and infinities {"real":"nan"|"inf"|"-inf"}; a text
  // that only repeats the vector is left out.
  [[nodiscard]] std::string to_json(VectorJson vectors = VectorJson::numbers) const;

  // Another row with the same content and bytes of its own, for who was only lent this one.
  [[nodiscard]] Row copy() const;

  struct Impl;  // internal
  explicit Row(std::unique_ptr<const Impl> impl);

 private:
  std::unique_ptr<const Impl> impl_;
};

}  // namespace tidemark
