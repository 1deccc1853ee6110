#include "cli/vector_file.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

namespace tidemark::cli {
namespace {

// Far beyond any model's vector, in either form.
constexpr std::size_t kVectorBytesMax = std::size_t{16} << 20U;
constexpr const char* kHint = "give a JSON array of numbers, or raw little-endian f32";

std::unexpected<Error> no_vector(const std::string& why) {
  return fail(ErrorCode::invalid, "that is no vector: " + why, kHint);
}

bool is_json_text(std::string_view bytes) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t first = bytes.find_first_not_of(kBlanks);
  if (first == std::string_view::npos || bytes[first] != '[') return false;
  return std::ranges::all_of(bytes, [&](char c) {
    return (c >= ' ' && c <= '~') || kBlanks.find(c) != std::string_view::npos;
  });
}

Result<std::vector<float>> parse_json(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_array()) return no_vector("the JSON cannot be read");
  std::vector<float> vector;
  for (const auto& element : json) {
    const double number = element.is_number() ? element.get<double>() : std::nan("");
    if (!(std::abs(number) <= static_cast<double>(std::numeric_limits<float>::max()))) {
      return no_vector("element " + std::to_string(vector.size()) +
                       " is no number that a float holds");
    }
    vector.push_back(static_cast<float>(number));
  }
  return vector;
}

Result<std::string> read_bytes(const std::string& path) {
  const auto close = [](std::FILE* file) {
    if (file != stdin) static_cast<void>(std::fclose(file));
  };
  const std::unique_ptr<std::FILE, decltype(close)> file(
      path == "-" ? stdin : std::fopen(path.c_str(), "rbe"), close);
  std::string bytes(kVectorBytesMax + 1, '\0');
  if (file != nullptr) bytes.resize(std::fread(bytes.data(), 1, bytes.size(), file.get()));
  if (file == nullptr || std::ferror(file.get()) != 0) {
    return fail(ErrorCode::invalid, "cannot read " + path + ": " + std::strerror(errno),
                "check the path and its rights");
  }
  if (bytes.size() > kVectorBytesMax) return no_vector(path + " is larger than 16 MiB");
  return bytes;
}

}  // namespace

Result<std::vector<float>> parse_vector(std::string_view bytes) {
  if (is_json_text(bytes)) return parse_json(bytes);
  if (bytes.empty() || bytes.size() % sizeof(float) != 0) {
    return no_vector(std::to_string(bytes.size()) + " bytes");
  }
  std::vector<float> vector(bytes.size() / sizeof(float));
  std::memcpy(vector.data(), bytes.data(), bytes.size());
  return vector;
}

Result<std::vector<float>> read_vector(const std::string& path) {
  TIDEMARK_ASSIGN(bytes, read_bytes(path));
  return parse_vector(bytes);
}

}  // namespace tidemark::cli
