// Real numbers out of JSON text, right to the last bit.
#pragma once

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <string_view>

namespace tidemark::turso {

// What simdjson 3.0 may still read right: of longer numbers below 1 it loses the leading digits
// ("0.74899078150499232009" becomes 1.6e-05), found by fuzzing.
inline constexpr std::size_t kTrustedNumberBytes = 19;

// False when `value` is no JSON number, or none that a double can hold.
[[nodiscard]] inline bool read_real(simdjson::ondemand::value value, double& number) {
  const std::string_view token = value.raw_json_token();  // with the white space behind it
  if (value.get_double().get(number) != simdjson::SUCCESS) return false;
  if (token.size() <= kTrustedNumberBytes) return true;
  // It is a number by JSON's grammar, which from_chars reads alike.
  const auto error = std::from_chars(token.data(), token.data() + token.size(), number).ec;
  if (error == std::errc::result_out_of_range && std::abs(number) < 1) {
    number = token.front() == '-' ? -0.0 : 0.0;  // below the least double
    return true;
  }
  return error == std::errc{};
}

}  // namespace tidemark::turso
