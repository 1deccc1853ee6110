#include <simdjson.h>

#include <cmath>

#include "turso/connection.h"
#include "turso/json_number.h"

namespace tidemark::turso {

std::optional<std::vector<float>> parse_float_array(std::string_view text) {
  thread_local simdjson::ondemand::parser parser;
  const simdjson::padded_string padded(text);
  simdjson::ondemand::document document;
  if (parser.iterate(padded).get(document) != simdjson::SUCCESS) return std::nullopt;
  simdjson::ondemand::array array;
  if (document.get_array().get(array) != simdjson::SUCCESS) return std::nullopt;
  std::vector<float> floats;
  for (auto element : array) {
    double number = 0;
    simdjson::ondemand::value value;
    if (element.get(value) != simdjson::SUCCESS || !read_real(value, number)) return std::nullopt;
    const auto narrow = static_cast<float>(number);
    if (!std::isfinite(narrow)) return std::nullopt;
    floats.push_back(narrow);
  }
  const char* rest = nullptr;
  if (document.current_location().get(rest) == simdjson::SUCCESS) return std::nullopt;
  return floats;
}

}  // namespace tidemark::turso
