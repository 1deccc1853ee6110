// SQL values as tidemark hands them out: a view (borrowed) and an owned value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace tidemark {

// `vector` is a little-endian f32 array; `repeated` a text cell that only repeats its row's vector
// and is not kept.
enum class ValueType : std::uint8_t { null, int64, real, text, blob, vector, repeated };

// A borrowed value: valid as long as what it was read from (a Row, a page of rows).
class ValueView {
 public:
  constexpr ValueView() = default;
  static constexpr ValueView null() { return {}; }
  static constexpr ValueView int64(std::int64_t v) {
    ValueView r;
    r.type_ = ValueType::int64;
    r.int_ = v;
    return r;
  }
  static constexpr ValueView real(double v) {
    ValueView r;
    r.type_ = ValueType::real;
    r.real_ = v;
    return r;
  }
  static constexpr ValueView text(std::string_view v) { return {ValueType::text, v}; }
  static constexpr ValueView blob(std::string_view v) { return {ValueType::blob, v}; }
  // `v`: little-endian f32, v.size() a multiple of 4, any alignment.
  static constexpr ValueView vector(std::string_view v) { return {ValueType::vector, v}; }
  static constexpr ValueView repeated() { return {ValueType::repeated, {}}; }

  [[nodiscard]] constexpr ValueType type() const { return type_; }
  [[nodiscard]] constexpr bool is_null() const { return type_ == ValueType::null; }
  // Each of these is meaningful only for its type; otherwise 0 or empty.
  [[nodiscard]] constexpr std::int64_t as_int64() const { return int_; }
  [[nodiscard]] constexpr double as_real() const { return real_; }
  // The bytes of a text, blob or vector.
  [[nodiscard]] constexpr std::string_view bytes() const { return bytes_; }
  // The number of floats in a vector.
  [[nodiscard]] constexpr std::size_t dimension() const {
    return type_ == ValueType::vector ? bytes_.size() / sizeof(float) : 0;
  }
  // Copies the vector's floats; returns how many: min(out.size(), dimension()).
  std::size_t copy_vector(std::span<float> out) const {
    const std::size_t n = out.size() < dimension() ? out.size() : dimension();
    if (n > 0) std::memcpy(out.data(), bytes_.data(), n * sizeof(float));
    return n;
  }

 private:
  constexpr ValueView(ValueType type, std::string_view bytes) : type_(type), bytes_(bytes) {}

  ValueType type_ = ValueType::null;
  std::int64_t int_ = 0;
  double real_ = 0;
  std::string_view bytes_;
};

struct Blob {
  std::string bytes;
  bool operator==(const Blob&) const = default;
};

// An owned SQL value.
using Value = std::variant<std::monostate, std::int64_t, double, std::string, Blob>;

[[nodiscard]] inline ValueView view(const Value& value) {
  struct Visitor {
    ValueView operator()(std::monostate) const { return ValueView::null(); }
    ValueView operator()(std::int64_t v) const { return ValueView::int64(v); }
    ValueView operator()(double v) const { return ValueView::real(v); }
    ValueView operator()(const std::string& v) const { return ValueView::text(v); }
    ValueView operator()(const Blob& v) const { return ValueView::blob(v.bytes); }
  };
  return std::visit(Visitor{}, value);
}

}  // namespace tidemark
