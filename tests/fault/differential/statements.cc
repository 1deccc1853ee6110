#include "tests/fault/differential/statements.h"

#include <array>
#include <cstdio>

#include "tests/fault/differential/rules.h"
#include "tests/fault/differential/side.h"

namespace tidemark::differential {
namespace {

std::string text(const std::string& bytes) {
  std::string out = "'";
  for (const char c : bytes) {
    if (c == '\'') out += '\'';
    out += c;
  }
  return out + "'";
}
std::string blob(const std::string& bytes) { return "x'" + hex(bytes) + "'"; }

// Few, so that they meet again; some that a careless reader takes for one another.
const std::vector<std::string> kTextKeys = {"a",
                                            "A",
                                            "a ",
                                            "b",
                                            "c",
                                            "d",
                                            "e",
                                            "10",
                                            "9",
                                            "5",
                                            "it's",
                                            "\"q\"",
                                            "",
                                            " ",
                                            "%",
                                            "_",
                                            "\xc3\xa9",
                                            "e\xcc\x81",
                                            "\xe6\x97\xa5\xe6\x9c\xac",
                                            "\xf0\x9f\x8c\x8a",
                                            "a/b",
                                            "a\nb",
                                            "null",
                                            "\\u0041",
                                            "-0",
                                            "{\"int64\":\"1\"}"};
const std::vector<std::string> kIntegerKeys = {"0",
                                               "1",
                                               "2",
                                               "3",
                                               "4",
                                               "5",
                                               "9",
                                               "10",
                                               "-1",
                                               "9007199254740993",
                                               "9223372036854775806",
                                               "-9223372036854775807"};

}  // namespace

std::string Author::key(const Table& table) {
  if (!table.integer_key()) {
    if (odd_ && dice_.one_in(10)) return "CAST(x'62FF' AS TEXT)";
    if (dice_.one_in(60)) return "x'01'";
    return text(dice_.of(kTextKeys));
  }
  // Only another name of the rowid refuses what is no integer; others keep it.
  if (dice_.one_in(40)) return dice_.one_in(2) ? "'seven'" : "1.5";
  return dice_.of(kIntegerKeys);
}

std::string Author::random_real() {
  const double value = static_cast<double>(static_cast<std::int64_t>(dice_.next())) /
                       static_cast<double>(1 + dice_.below(1U << 30U));
  std::array<char, 64> digits{};
  std::snprintf(digits.data(), digits.size(), "%.17e", value);
  return digits.data();
}

std::string Author::number() {
  const std::vector<std::string> whole = {"0",
                                          "-1",
                                          "2147483648",
                                          "9007199254740992",
                                          "9007199254740993",
                                          "-9007199254740993",
                                          "9223372036854775807",
                                          "-9223372036854775808"};
  const std::vector<std::string> reals = {"0.1",
                                          "1.0",
                                          "1e15",
                                          "1e22",
                                          "1e-5",
                                          "1e308",
                                          "9e999",
                                          "-9e999",
                                          "4.9e-324",
                                          "0.5",
                                          "-2.25e3",
                                          "2.0",
                                          "123456789.12345679"};
  if (dice_.one_in(3)) return std::to_string(dice_.below(30));
  if (dice_.one_in(3)) return random_real();
  if (odd_ && dice_.one_in(10)) return "-0.0";
  return dice_.of(dice_.one_in(2) ? whole : reals);
}

std::string Author::words() {
  const std::vector<std::string> odd = {"",
                                        " ",
                                        "12",
                                        " 5",
                                        "5 ",
                                        "1e5",
                                        "0x10",
                                        "1.0",
                                        "inf",
                                        "nan",
                                        "NULL",
                                        "it's",
                                        "\"q\"",
                                        "\\",
                                        "\t\n\r",
                                        "\x01\x1f\x7f",
                                        "\xe2\x80\xa8",
                                        "\xef\xbb\xbf",
                                        "\xf0\x9f\x8c\x8a",
                                        "9223372036854775808",
                                        "{\"base64\":\"AA==\"}",
                                        "</script>"};
  switch (dice_.below(12)) {
    case 0:
      return "'a' || char(0) || 'b'";
    case 1:
      return odd_ ? "CAST(x'" + hex("bad\xff") + "' AS TEXT)" : "'good'";
    case 2:
      return text(std::string(dice_.below(5'000), 'l'));
    case 3:
    case 4:
    case 5:
      return text(dice_.of(odd));
    default:
      return text("w" + std::to_string(dice_.below(1'000'000)));
  }
}

std::string Author::any() {
  switch (dice_.below(8)) {
    case 0:
      return "NULL";
    case 1:
      return blob(dice_.of(std::vector<std::string>{"", std::string("\0\xff", 2), "abc"}));
    case 2:
      return "zeroblob(" + std::to_string(dice_.below(5'000)) + ")";
    case 3:
    case 4:
      return number();
    default:
      return words();
  }
}

std::string Author::vector(bool as_text) {
  const std::size_t floats = dice_.one_in(6) ? dice_.below(4) : 2;
  std::string json = "[";
  std::string bytes;
  for (std::size_t i = 0; i < floats; ++i) {
    const auto value = static_cast<float>(dice_.below(3)) * 0.5F;
    std::array<char, 16> digits{};
    std::snprintf(digits.data(), digits.size(), "%g", static_cast<double>(value));
    json += (i == 0 ? "" : ", ") + std::string(digits.data());
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return as_text ? text(json + "]") : blob(bytes);
}

std::string Author::cell(const Table& table, const Column& column) {
  switch (column.use) {
    case Use::key:
      return key(table);
    case Use::order:
      return dice_.one_in(3) ? any() : std::to_string(dice_.below(12));
    case Use::parent:
      if (dice_.one_in(12)) return "NULL";
      return dice_.one_in(3) ? dice_.of(kIntegerKeys) : text(dice_.of(kTextKeys));
    case Use::parent_type:
      return dice_.of(std::vector<std::string>{"NULL", "'episode'", "'Episodes'", "'pattern'",
                                               "'HEURISTICS'", "'heuristic'", "'lesson'"});
    case Use::vector:
      if (dice_.one_in(4)) return "NULL";
      return dice_.one_in(10) ? blob("12345") : vector(false);
    case Use::vector_text:
      if (dice_.one_in(4)) return "NULL";
      return dice_.one_in(8) ? "'__compressed__:abc'" : vector(true);
    case Use::dimension:
      return dice_.of(std::vector<std::string>{"NULL", "2", "2", "3", "'two'"});
    case Use::plain:
      break;
  }
  return any();
}

std::string Author::where_key(const Table& table) {
  return " WHERE " + quoted_name(table.key().name) + " = " + key(table);
}

std::string Author::insert(const Table& table) {
  const std::vector<std::string> verbs = {"INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE",
                                          "INSERT OR REPLACE"};
  const bool upsert = dice_.one_in(3);
  std::string sql =
      (upsert ? "INSERT" : dice_.of(verbs)) + " INTO " + quoted_name(table.name) + "(";
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    sql += (i == 0 ? "" : ", ") + quoted_name(table.columns[i].name);
  }
  const std::size_t rows = 1 + dice_.below(3);
  for (std::size_t row = 0; row < rows; ++row) {
    sql += row == 0 ? ") VALUES(" : "), (";
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
      sql += (i == 0 ? "" : ", ") + cell(table, table.columns[i]);
    }
  }
  sql += ")";
  if (!upsert || table.columns.size() < 2) return sql;
  const std::string& key = table.key().name;
  const std::string& set = dice_.of(table.columns).name;
  return sql + " ON CONFLICT(" + quoted_name(key) + ") DO UPDATE SET " + quoted_name(set) +
         " = excluded." + quoted_name(set);
}

std::string Author::update(const Table& table) {
  const std::vector<std::string> verbs = {"UPDATE ", "UPDATE OR IGNORE ", "UPDATE OR REPLACE "};
  const Column& column = dice_.of(table.columns);
  std::string sql = dice_.of(verbs) + quoted_name(table.name) + " SET " + quoted_name(column.name) +
                    " = " + cell(table, column);
  // A key for all rows at once would leave one of them.
  if (column.use != Use::key && dice_.one_in(20)) return sql;
  return sql + where_key(table);
}

std::string Author::erase(const Table& table) {
  const std::string from = "DELETE FROM " + quoted_name(table.name);
  if (dice_.one_in(30)) return from;
  if (dice_.one_in(8)) return from + " WHERE " + quoted_name(table.key().name) + " > " + key(table);
  return from + where_key(table);
}

std::string Author::statement(const Schema& schema) {
  const Table& table = dice_.of(schema);
  const std::size_t choice = dice_.below(10);
  if (choice < 5) return insert(table);
  return choice < 8 ? update(table) : erase(table);
}

std::vector<std::string> possible_keys(const Table& table) {
  return table.integer_key() ? kIntegerKeys : kTextKeys;
}

}  // namespace tidemark::differential
