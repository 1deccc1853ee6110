// What the server says went wrong, as an Error.
#include <nlohmann/json.hpp>

#include "turso/hrana/pipeline.h"

namespace tidemark::turso::hrana {
namespace {

constexpr std::size_t kErrorBodyMax = std::size_t{64} << 10U;  // a longer one is no error object
constexpr std::size_t kTextMax = 300;  // of the server's own words; some send whole pages

std::string shorten(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kTextMax)) {
    out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return text.size() > kTextMax ? out + "..." : out;
}

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string string_of(const nlohmann::json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

std::string error_text(std::string_view body) {
  if (body.size() > kErrorBodyMax) return shorten(body);
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object()) return shorten(body);
  const auto error = json.find("error");
  if (error != json.end() && error->is_object()) return error_text(error->dump());
  std::string text = string_of(json, "error");
  if (text.empty()) text = string_of(json, "message");
  const std::string code = string_of(json, "code");
  if (text.empty()) return shorten(body);
  return shorten(code.empty() ? text : code + ": " + text);
}

Error statement_error(std::string_view code, std::string_view message) {
  const std::string source_text = shorten(
      code.empty() ? std::string(message) : std::string(code) + ": " + std::string(message));
  const bool too_large = has(code, "RESPONSE_TOO_LARGE") || has(code, "SQLITE_TOOBIG");
  if (too_large) return {ErrorCode::invalid, "the reply is too large", {}, source_text};
  if (has(code, "BLOCKED")) {
    return {ErrorCode::unavailable, "the source refuses reads: " + shorten(message),
            "the account's quota may be used up; see the database's page at Turso", source_text};
  }
  if (has(code, "STREAM_EXPIRED")) {
    return {ErrorCode::unavailable,
            "the source ended the transaction: it took too long",
            {},
            source_text};
  }
  if (has(code, "SQLITE_BUSY") || has(code, "SQLITE_LOCKED") ||
      has(message, "database is locked")) {
    return {ErrorCode::unavailable, "the source is busy: " + shorten(message), {}, source_text};
  }
  return {ErrorCode::invalid, "the source refused the query: " + shorten(message), {}, source_text};
}

}  // namespace tidemark::turso::hrana
