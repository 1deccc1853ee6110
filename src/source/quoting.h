// SQL identifiers and literals.
#pragma once

#include <string>
#include <string_view>

namespace tidemark::source {

// "name" with its quotes doubled.
[[nodiscard]] inline std::string quote_name(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

// "?,?,?": `count` parameters.
[[nodiscard]] inline std::string parameters(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ",?";
  return out;
}

}  // namespace tidemark::source
