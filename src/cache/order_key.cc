#include "cache/order_key.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace tidemark::cache {
namespace {

constexpr char kNull = 0x05;
constexpr char kNumber = 0x10;
constexpr char kText = 0x20;
constexpr char kBlob = 0x30;
constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63U;
constexpr std::size_t kNumberBytes = 10;

void append_big_endian(std::string& out, std::uint64_t value, unsigned bytes) {
  for (unsigned i = bytes; i > 0; --i) out += static_cast<char>((value >> ((i - 1) * 8)) & 0xFFU);
}

std::uint64_t load_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8U | static_cast<unsigned char>(c);
  return value;
}

// The bits of a double, such that unsigned comparison is numeric comparison.
std::uint64_t sortable(double value) {
  const auto bits = std::bit_cast<std::uint64_t>(value == 0 ? 0.0 : value);  // -0.0 is 0.0
  return (bits & kSignBit) != 0 ? ~bits : bits | kSignBit;
}

double from_sortable(std::uint64_t bits) {
  return std::bit_cast<double>((bits & kSignBit) != 0 ? bits & ~kSignBit : ~bits);
}

// The greatest double not above `value`.
double floor_to_double(std::int64_t value) {
  const auto nearest = static_cast<double>(value);
  constexpr double kTwo63 = 9223372036854775808.0;
  const bool above = nearest >= kTwo63 || static_cast<std::int64_t>(nearest) > value;
  return above ? std::nextafter(nearest, -std::numeric_limits<double>::infinity()) : nearest;
}

// What lies between a double and the next is at most 1,023 for the largest int64.
void append_number(std::string& out, double whole, std::uint64_t rest) {
  out += kNumber;
  append_big_endian(out, sortable(whole), 8);
  append_big_endian(out, rest, 2);
}

void append_bytes(std::string& out, char tag, std::string_view bytes) {
  out += tag;
  for (const char c : bytes) {
    out += c;
    if (c == '\0') out += '\xFF';
  }
  out += '\0';
  out += '\x01';
}

std::optional<Value> take_number(std::string_view& bytes) {
  if (bytes.size() < kNumberBytes) return std::nullopt;
  const std::string_view taken = bytes.substr(0, kNumberBytes);
  bytes.remove_prefix(kNumberBytes);
  const double whole = from_sortable(load_big_endian(taken.substr(0, 8)));
  const auto rest = static_cast<std::int64_t>(load_big_endian(taken.substr(8, 2)));
  constexpr double kTwo63 = 9223372036854775808.0;
  Value value(whole);
  if (whole >= -kTwo63 && whole < kTwo63 && std::trunc(whole) == whole) {
    const auto number = static_cast<std::int64_t>(whole);
    if (number > std::numeric_limits<std::int64_t>::max() - rest) return std::nullopt;
    value = number + rest;
  }
  // A value has one form: other bytes that would give it (a rest beside a fraction, -0.0) are none.
  std::string written;
  append_order_key(written, view(value));
  if (std::string_view(written).substr(1) != taken) return std::nullopt;
  return value;
}

std::optional<std::string> take_bytes(std::string_view& bytes) {
  std::string out;
  while (true) {
    const std::size_t zero = bytes.find('\0');
    if (zero == std::string_view::npos || zero + 1 >= bytes.size()) return std::nullopt;
    out += bytes.substr(0, zero);
    const char next = bytes[zero + 1];
    bytes.remove_prefix(zero + 2);
    if (next == '\x01') return out;
    if (next != '\xFF') return std::nullopt;
    out += '\0';
  }
}

}  // namespace

void append_order_key(std::string& out, ValueView value) {
  switch (value.type()) {
    case ValueType::int64: {
      const double whole = floor_to_double(value.as_int64());
      const auto rest = static_cast<std::uint64_t>(value.as_int64()) -
                        static_cast<std::uint64_t>(static_cast<std::int64_t>(whole));
      append_number(out, whole, rest);
      return;
    }
    case ValueType::real:
      append_number(out, value.as_real(), 0);
      return;
    case ValueType::text:
      append_bytes(out, kText, value.bytes());
      return;
    case ValueType::blob:
    case ValueType::vector:
      append_bytes(out, kBlob, value.bytes());
      return;
    case ValueType::null:
    case ValueType::repeated:
      out += kNull;
      return;
  }
}

std::optional<Value> take_order_key(std::string_view& bytes) {
  if (bytes.empty()) return std::nullopt;
  const char tag = bytes.front();
  bytes.remove_prefix(1);
  switch (tag) {
    case kNull:
      return Value{};
    case kNumber:
      return take_number(bytes);
    case kText: {
      auto text = take_bytes(bytes);
      return text ? std::optional<Value>(std::move(*text)) : std::nullopt;
    }
    case kBlob: {
      auto blob = take_bytes(bytes);
      return blob ? std::optional<Value>(Blob{std::move(*blob)}) : std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::string encode_place(const model::Place& place) {
  std::string out;
  append_order_key(out, view(place.order));
  append_order_key(out, view(place.key));
  return out;
}

std::optional<model::Place> decode_place(std::string_view bytes) {
  auto order = take_order_key(bytes);
  if (!order) return std::nullopt;
  auto key = take_order_key(bytes);
  if (!key || !bytes.empty()) return std::nullopt;
  return model::Place{std::move(*order), std::move(*key)};
}

}  // namespace tidemark::cache
