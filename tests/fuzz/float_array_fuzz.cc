// Vectors as JSON text: exactly the arrays of finite numbers that another JSON reader takes.
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/fuzz/fuzz.h"
#include "turso/connection.h"

namespace {

std::optional<std::vector<float>> expected(const std::string& text) {
  if (text.find('\0') != std::string::npos) return std::nullopt;  // that reader stops there
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return std::nullopt;
  std::vector<float> floats;
  for (const auto& element : json) {
    if (!element.is_number()) return std::nullopt;
    const auto number = static_cast<float>(element.get<double>());
    if (!std::isfinite(number)) return std::nullopt;
    floats.push_back(number);
  }
  return floats;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto floats = tidemark::turso::parse_float_array(text);
  const auto other = expected(text);
  // simdjson refuses an exponent of many digits, where the other reader says zero.
  const bool may_refuse = std::regex_search(text, std::regex("[eE][-+]?[0-9]{10}"));
  if (may_refuse && !floats) return 0;
  tidemark::fuzz::must(floats.has_value() == other.has_value(), "both take it or both do not");
  tidemark::fuzz::must(floats == other, "both read the same numbers");
  return 0;
}
