#include "source/indexed.h"

#include <algorithm>
#include <cctype>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace tidemark::source {
namespace {

struct Token {
  std::string text;     // lower case; an identifier without its quotes
  bool quoted = false;  // then it is no keyword
};
using Tokens = std::span<const Token>;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  });
  return out;
}

bool is_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || std::isalnum(byte) != 0 || c == '_' || c == '$';
}

// Reads one token at `at`, which moves on; nullopt for blanks and comments.
std::optional<Token> next_token(std::string_view sql, std::size_t& at) {
  const char c = sql[at];
  if (sql.substr(at, 2) == "--") {
    at = std::min(sql.find('\n', at), sql.size());
    return std::nullopt;
  }
  if (sql.substr(at, 2) == "/*") {
    const std::size_t end = sql.find("*/", at + 2);
    at = end == std::string_view::npos ? sql.size() : end + 2;
    return std::nullopt;
  }
  if (c == '"' || c == '`' || c == '[' || c == '\'') {
    const char close = c == '[' ? ']' : c;
    Token token{{}, true};
    for (++at; at < sql.size(); ++at) {
      if (sql[at] == close && (at + 1 >= sql.size() || sql[at + 1] != close || c == '[')) break;
      if (sql[at] == close) ++at;  // doubled
      token.text += sql[at];
    }
    at = std::min(at + 1, sql.size());
    return Token{lower(token.text), true};
  }
  if (!is_word(c)) {
    ++at;
    if (std::isspace(static_cast<unsigned char>(c)) != 0) return std::nullopt;
    return Token{std::string(1, c), false};
  }
  const std::size_t begin = at;
  while (at < sql.size() && is_word(sql[at])) ++at;
  return Token{lower(sql.substr(begin, at - begin)), false};
}

std::vector<Token> tokens_of(std::string_view sql) {
  std::vector<Token> tokens;
  for (std::size_t at = 0; at < sql.size();) {
    if (auto token = next_token(sql, at)) tokens.push_back(std::move(*token));
  }
  return tokens;
}

bool is(const Token& token, std::string_view word) { return !token.quoted && token.text == word; }
bool has(Tokens tokens, std::string_view word) {
  return std::ranges::any_of(tokens, [&](const Token& token) { return is(token, word); });
}

// What is between the first parenthesis and its partner, at commas of that level.
std::vector<Tokens> parts(Tokens tokens) {
  std::vector<Tokens> out;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (is(tokens[i], "(") && ++depth == 1) begin = i + 1;
    const bool ends = depth == 1 && (is(tokens[i], ",") || is(tokens[i], ")"));
    if (ends) {
      out.push_back(tokens.subspan(begin, i - begin));
      begin = i + 1;
    }
    if (is(tokens[i], ")") && --depth == 0) break;
  }
  return out;
}

// (column, ...)
bool begins_with(Tokens tokens, std::string_view column) {
  const auto columns = parts(tokens);
  if (columns.empty() || columns[0].empty() || columns[0][0].text != column) return false;
  return columns[0].size() == 1 || !is(columns[0][1], "(");  // an expression: lower(column)
}

// A column that is unique by itself, or a table's UNIQUE or PRIMARY KEY that begins with it.
bool table_implies(Tokens table, std::string_view column) {
  return std::ranges::any_of(parts(table), [&](Tokens part) {
    if (part.empty()) return false;
    const bool unique = has(part, "unique") || has(part, "primary");
    const bool constraint =
        is(part[0], "constraint") || is(part[0], "unique") || is(part[0], "primary");
    return unique && (constraint ? begins_with(part, column) : part[0].text == column);
  });
}

}  // namespace

bool is_indexed(const model::RowSet& schema_rows, std::string_view table, std::string_view column) {
  const std::string wanted_table = lower(table);
  const std::string wanted = lower(column);
  for (std::size_t i = 0; i < schema_rows.size(); ++i) {
    const auto row = schema_rows.row(i);
    if (lower(row[2].bytes()) != wanted_table) continue;
    const auto tokens = tokens_of(row[3].bytes());
    if (row[0].bytes() == "table" && table_implies(tokens, wanted)) return true;
    if (row[0].bytes() == "index" && begins_with(tokens, wanted) && !has(tokens, "where")) {
      return true;
    }
  }
  return false;
}

bool is_binary(const model::RowSet& schema_rows, std::string_view table, std::string_view column) {
  for (std::size_t i = 0; i < schema_rows.size(); ++i) {
    const auto row = schema_rows.row(i);
    if (row[0].bytes() != "table" || lower(row[1].bytes()) != lower(table)) continue;
    const auto tokens = tokens_of(row[3].bytes());
    return std::ranges::any_of(parts(tokens), [&](Tokens part) {
      return !part.empty() && part[0].text == lower(column) && !has(part, "collate");
    });
  }
  return false;
}

std::string declared_size(const model::RowSet& schema_rows, std::string_view table,
                          std::string_view column) {
  for (std::size_t i = 0; i < schema_rows.size(); ++i) {
    const auto row = schema_rows.row(i);
    if (row[0].bytes() != "table" || lower(row[1].bytes()) != lower(table)) continue;
    const auto tokens = tokens_of(row[3].bytes());
    for (const Tokens part : parts(tokens)) {  // name type ( size )
      const bool sized =
          part.size() >= 5 && part[0].text == lower(column) && is(part[2], "(") && is(part[4], ")");
      if (sized) return "(" + part[3].text + ")";
    }
  }
  return {};
}

}  // namespace tidemark::source
