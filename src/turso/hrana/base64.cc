#include "turso/hrana/base64.h"

#include <algorithm>
#include <array>
#include <cstdint>

namespace tidemark::turso::hrana {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kBad = 0xFF;

constexpr std::array<std::uint8_t, 256> make_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kBad);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}
constexpr std::array<std::uint8_t, 256> kValues = make_values();

std::uint32_t value_of(char c) { return kValues[static_cast<unsigned char>(c)]; }
char low_byte(std::uint32_t bits) { return static_cast<char>(bits & 0xFFU); }

// The one or two bytes of a last group of two or three digits. Bits past them must be 0, so that
// each byte string has one form.
bool decode_tail(std::string_view tail, std::string& out) {
  if (tail.empty()) return true;
  if (tail.size() == 1) return false;
  std::uint32_t bits = 0;
  for (const char c : tail) {
    if (value_of(c) == kBad) return false;
    bits = bits << 6U | value_of(c);
  }
  if (tail.size() == 2) {
    out += low_byte(bits >> 4U);
    return (bits & 0xFU) == 0;
  }
  out += low_byte(bits >> 10U);
  out += low_byte(bits >> 2U);
  return (bits & 3U) == 0;
}

}  // namespace

bool decode_base64(std::string_view text, std::string& out) {
  if (text.ends_with('=')) {
    if (text.size() % 4 != 0) return false;
    text.remove_suffix(text.ends_with("==") ? 2 : 1);
  }
  const std::size_t whole = text.size() / 4 * 4;
  std::size_t at = out.size();
  out.resize(at + whole / 4 * 3);
  for (std::size_t i = 0; i < whole; i += 4) {
    const std::uint32_t a = value_of(text[i]);
    const std::uint32_t b = value_of(text[i + 1]);
    const std::uint32_t c = value_of(text[i + 2]);
    const std::uint32_t d = value_of(text[i + 3]);
    if (((a | b | c | d) & 0x80U) != 0) return false;
    const std::uint32_t bits = a << 18U | b << 12U | c << 6U | d;
    out[at++] = low_byte(bits >> 16U);
    out[at++] = low_byte(bits >> 8U);
    out[at++] = low_byte(bits);
  }
  return decode_tail(text.substr(whole), out);
}

std::string encode_base64(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t bits = 0;
    for (std::size_t n = 0; n < 3; ++n) {
      const bool there = i + n < bytes.size();
      bits = bits << 8U | (there ? static_cast<unsigned char>(bytes[i + n]) : 0U);
    }
    const std::size_t digits = std::min<std::size_t>(3, bytes.size() - i) + 1;
    for (std::size_t n = 0; n < 4; ++n) {
      out += n < digits ? kAlphabet[bits >> (18U - 6U * n) & 63U] : '=';
    }
  }
  return out;
}

}  // namespace tidemark::turso::hrana
