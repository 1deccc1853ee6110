// A short form of a schema: equal means that nothing changed.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "tidemark/value.h"

namespace tidemark::source {

// FNV-1a, 64 bits, over rows of (type, name, table, SQL) in order.
class Fingerprint {
 public:
  void add(std::span<const ValueView> row) {
    for (const ValueView& cell : row) {
      for (const char c : cell.bytes()) mix(static_cast<unsigned char>(c));
      mix(0xFF);  // never part of UTF-8
    }
  }
  // Hexadecimal.
  [[nodiscard]] std::string text() const {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string out;
    for (int shift = 60; shift >= 0; shift -= 4) {
      out += kDigits[(hash_ >> static_cast<unsigned>(shift)) & 15U];
    }
    return out;
  }

 private:
  void mix(unsigned char byte) { hash_ = (hash_ ^ byte) * 1099511628211U; }

  std::uint64_t hash_ = 14695981039346656037U;
};

}  // namespace tidemark::source
