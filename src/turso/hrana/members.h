// Reading JSON objects member by member, safe on any bytes.
#pragma once

#include <simdjson.h>

#include <charconv>
#include <cstdint>
#include <string_view>

#include "turso/json_number.h"

namespace tidemark::turso::hrana {

namespace od = simdjson::ondemand;

// Members are always visited in the order they have. simdjson 3.0 finds a member by its name as
// well, but on broken JSON that search runs into undefined behaviour (found by fuzzing).
//
// Calls visit(name, value) for each member until it returns false. False: it did, or broken JSON.
template <typename Visit>
[[nodiscard]] bool each_member(od::object object, const Visit& visit) {
  for (auto field : object) {
    std::string_view name;
    od::value value;
    if (field.unescaped_key().get(name) != simdjson::SUCCESS) return false;
    if (field.value().get(value) != simdjson::SUCCESS || !visit(name, value)) return false;
  }
  return true;
}

// A scalar, whatever its class turns out to be.
struct Scalar {
  od::json_type type = od::json_type::null;
  std::string_view text;  // of a string
  std::int64_t whole = 0;
  bool is_whole = false;
  double real = 0;
};

// `token`: a number and what follows it.
[[nodiscard]] inline bool is_whole_number(std::string_view token, std::int64_t& number) {
  const char* const end = token.data() + token.size();
  const auto [at, error] = std::from_chars(token.data(), end, number);
  return error == std::errc{} && (at == end || (*at != '.' && *at != 'e' && *at != 'E'));
}

[[nodiscard]] inline bool read_scalar(od::value value, Scalar& out) {
  if (value.type().get(out.type) != simdjson::SUCCESS) return false;
  switch (out.type) {
    case od::json_type::string:
      return value.get_string().get(out.text) == simdjson::SUCCESS;
    case od::json_type::number:
      out.is_whole = is_whole_number(value.raw_json_token(), out.whole);
      return read_real(value, out.real);  // the one read of it that simdjson allows
    case od::json_type::null: {
      bool null = false;
      return value.is_null().get(null) == simdjson::SUCCESS && null;
    }
    default:
      return false;
  }
}

// Whether a value is null, which is read then. False: broken JSON. Results of simdjson are taken
// out by get(): converting them would throw.
[[nodiscard]] inline bool read_null(od::value value, bool& null) {
  od::json_type type = od::json_type::null;
  if (value.type().get(type) != simdjson::SUCCESS) return false;
  null = type == od::json_type::null;
  Scalar nothing;
  return !null || read_scalar(value, nothing);
}

}  // namespace tidemark::turso::hrana
