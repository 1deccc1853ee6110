// Order keys: any bytes decode or do not, and have one form; two values compare as their keys do.
#include <cmath>
#include <compare>
#include <optional>

#include "cache/order_key.h"
#include "tests/fuzz/fuzz.h"

namespace tidemark {
namespace {

using fuzz::must;

int rank(const Value& value) {
  constexpr int kRanks[] = {0, 1, 1, 2, 3};  // NULL, int64, real, text, blob
  return kRanks[value.index()];
}

// Both are numbers. long double holds every int64 and every double.
int compare_numbers(const Value& a, const Value& b) {
  const auto exact = [](const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    return number != nullptr ? static_cast<long double>(*number)
                             : static_cast<long double>(std::get<double>(value));
  };
  return exact(a) < exact(b) ? -1 : exact(a) > exact(b) ? 1 : 0;
}

int sign(int comparison) { return (comparison > 0) - (comparison < 0); }

// As SQLite's ORDER BY does, by values.
int compare(const Value& a, const Value& b) {
  if (rank(a) != rank(b)) return rank(a) < rank(b) ? -1 : 1;
  if (rank(a) == 1) return compare_numbers(a, b);
  return sign(view(a).bytes().compare(view(b).bytes()));
}

std::string key_of(const Value& value) {
  std::string key;
  cache::append_order_key(key, view(value));
  return key;
}

void decode(std::string_view bytes) {
  std::string_view left = bytes;
  if (const auto value = cache::take_order_key(left)) {
    must(key_of(*value) == bytes.substr(0, bytes.size() - left.size()), "a key has one form");
  }
  if (const auto place = cache::decode_place(bytes)) {
    must(cache::encode_place(*place) == bytes, "a place has one form");
  }
}

// What SQLite can hold: NaN is NULL there.
std::optional<Value> take_value(fuzz::Input& input) {
  const ValueView value = input.value();
  switch (value.type()) {
    case ValueType::int64:
      return Value(value.as_int64());
    case ValueType::real:
      if (std::isnan(value.as_real())) return std::nullopt;
      return Value(value.as_real());
    case ValueType::text:
      return Value(std::string(value.bytes()));
    case ValueType::blob:
    case ValueType::vector:
      return Value(Blob{std::string(value.bytes())});
    default:
      return Value{};
  }
}

void compare_two(fuzz::Input input) {
  const auto a = take_value(input);
  const auto b = take_value(input);
  if (!a || !b) return;
  const std::string key_a = key_of(*a);
  const std::string key_b = key_of(*b);
  must(sign(key_a.compare(key_b)) == compare(*a, *b), "keys compare as their values");
  must(key_a == key_b || (!key_a.starts_with(key_b) && !key_b.starts_with(key_a)),
       "no key is the start of another");
  std::string_view both = key_a;
  const auto back = cache::take_order_key(both);
  must(back && both.empty() && compare(*back, *a) == 0, "a key gives back its value");
  const auto place = cache::decode_place(key_a + key_b);
  must(place && compare(place->order, *a) == 0 && compare(place->key, *b) == 0,
       "a place gives back its values");
}

}  // namespace
}  // namespace tidemark

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tidemark::fuzz::Input input(data, size);
  if (input.number<std::uint8_t>() % 2 == 0) {
    tidemark::decode(input.rest());
  } else {
    tidemark::compare_two(input);
  }
  return 0;
}
