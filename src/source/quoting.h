// SQL identifiers and literals.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "source/tuning.h"
#include "turso/connection.h"

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

// 'text' with its quotes doubled. A NUL cannot be in it.
[[nodiscard]] inline std::string quote_text(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}

// "?,?,?": `count` parameters.
[[nodiscard]] inline std::string parameters(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += i == 0 ? "?" : ",?";
  return out;
}

// `select` completed by " IN (...)" for each run of so many keys.
[[nodiscard]] inline std::vector<turso::Statement> by_keys(const std::string& select,
                                                           std::span<const Value> keys,
                                                           std::size_t run = kKeysPerStatement) {
  std::vector<turso::Statement> statements;
  for (std::size_t at = 0; at < keys.size(); at += run) {
    const auto some = keys.subspan(at, std::min(run, keys.size() - at));
    statements.push_back(
        {select + " IN (" + parameters(some.size()) + ")", {some.begin(), some.end()}});
  }
  return statements;
}

}  // namespace tidemark::source
