// What the fuzz targets share: the entry that libFuzzer and the replay call, the input taken apart,
// and a property that must hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "tidemark/value.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace tidemark::fuzz {

// Ends the program, so that the fuzzer keeps the input.
inline void must(bool holds, const char* property) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", property);
  std::abort();
}

// An input read from its front; past its end there are zeros.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : bytes_(reinterpret_cast<const char*>(data), size) {}

  template <typename T>
  T number() {
    T value{};
    const std::size_t n = bytes_.size() < sizeof value ? bytes_.size() : sizeof value;
    if (n > 0) std::memcpy(&value, bytes_.data(), n);
    bytes_.remove_prefix(n);
    return value;
  }
  std::string_view text(std::size_t bytes) {
    const std::string_view taken = bytes_.substr(0, bytes);
    bytes_.remove_prefix(taken.size());
    return taken;
  }
  [[nodiscard]] std::string_view rest() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }

  // Any value that a row can hold.
  ValueView value() {
    const auto type = static_cast<ValueType>(number<std::uint8_t>() % 7);
    switch (type) {
      case ValueType::int64:
        return ValueView::int64(number<std::int64_t>());
      case ValueType::real:
        return ValueView::real(number<double>());
      case ValueType::text:
        return ValueView::text(text(number<std::uint8_t>()));
      case ValueType::blob:
        return ValueView::blob(text(number<std::uint8_t>()));
      case ValueType::vector: {
        const std::string_view floats = text(number<std::uint8_t>());
        return ValueView::vector(floats.substr(0, floats.size() / sizeof(float) * sizeof(float)));
      }
      case ValueType::repeated:
        return ValueView::repeated();
      case ValueType::null:
        break;
    }
    return ValueView::null();
  }

 private:
  std::string_view bytes_;
};

}  // namespace tidemark::fuzz
