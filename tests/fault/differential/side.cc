#include "tests/fault/differential/side.h"

#include <sqlite3.h>

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/http_call.h"

namespace tidemark::differential {
namespace {

constexpr std::size_t kCellsPerColumn = 3;  // class, value, sign
// Of statements in one request, as a rule: tursodb takes no request that is much larger.
constexpr std::size_t kRequestBytes = std::size_t{16} << 10U;

// A value in a form that both sides write alike: bytes as hexadecimal digits.
std::string exact(const std::string& column) {
  return "typeof(" + column + "), CASE WHEN typeof(" + column + ") IN ('text','blob') THEN hex(" +
         column + ") ELSE " + column + " END, " + column + " > 0";
}

double number_of(const std::string& text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw std::runtime_error("no number: " + text);
  }
  return value;
}

}  // namespace

std::string quoted_name(const std::string& name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string hex(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : bytes) {
    out += kDigits[static_cast<unsigned char>(c) >> 4U];
    out += kDigits[static_cast<unsigned char>(c) & 15U];
  }
  return out;
}

std::string unhex(std::string_view digits) {
  const auto of = [](char c) { return c <= '9' ? c - '0' : c - 'A' + 10; };
  std::string out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out += static_cast<char>(of(digits[i]) * 16 + of(digits[i + 1]));
  }
  return out;
}

std::string real_cell(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "r:%a", value);
  return text.data();
}

Rows Side::rows(const std::string& table, const std::vector<std::string>& columns,
                const std::string& tail) {
  std::string select;
  for (const std::string& column : columns) {
    select += (select.empty() ? "SELECT " : ", ") + exact(quoted_name(column));
  }
  Rows out;
  for (const auto& plain : ask(select + " FROM " + quoted_name(table) + " " + tail)) {
    Cells& cells = out.emplace_back();
    for (std::size_t at = 0; at < plain.size(); at += kCellsPerColumn) {
      const std::string& type = plain[at].value;
      const Plain& value = plain[at + 1];
      if (type == "null") {
        cells.emplace_back("null");
      } else if (type == "integer") {
        cells.push_back("i:" + value.value);
      } else if (type == "real" &&
                 (value.type != "float" || value.value == "null")) {  // JSON has no infinities
        const double infinity = std::numeric_limits<double>::infinity();
        cells.push_back(real_cell(plain[at + 2].value == "1" ? infinity : -infinity));
      } else if (type == "real") {
        cells.push_back(real_cell(number_of(value.value)));
      } else {
        cells.push_back(type.substr(0, 1) + ":" + value.value);
      }
    }
  }
  return out;
}

FileSide::FileSide(std::string path) : path_(std::move(path)) {
  if (sqlite3_open(path_.c_str(), &db_) != SQLITE_OK) throw std::runtime_error("open " + path_);
  execute({"PRAGMA synchronous = OFF"});
}

FileSide::~FileSide() { sqlite3_close(db_); }

std::vector<std::string> FileSide::execute(const std::vector<std::string>& statements) {
  std::vector<std::string> out;
  for (const std::string& sql : statements) {
    const int code = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
    out.emplace_back(code == SQLITE_OK ? "" : sqlite3_errmsg(db_));
  }
  return out;
}

std::vector<std::vector<Side::Plain>> FileSide::ask(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(db_));
  }
  std::vector<std::vector<Plain>> out;
  while (sqlite3_step(statement) == SQLITE_ROW) {
    auto& row = out.emplace_back();
    for (int c = 0; c < sqlite3_column_count(statement); ++c) {
      if (sqlite3_column_type(statement, c) == SQLITE_FLOAT) {
        const double real = sqlite3_column_double(statement, c);
        std::array<char, 32> text{};
        const auto [end, error] = std::to_chars(text.begin(), text.end(), real);
        row.push_back({std::isinf(real) ? "null" : "float", std::string(text.begin(), end)});
      } else {
        const auto* const text = sqlite3_column_text(statement, c);
        row.push_back({"", text != nullptr ? reinterpret_cast<const char*>(text) : ""});
      }
    }
  }
  if (sqlite3_finalize(statement) != SQLITE_OK) {
    throw std::runtime_error(sql + ": " + sqlite3_errmsg(db_));
  }
  return out;
}

std::string ServerSide::post(const std::vector<std::string>& statements) {
  auto requests = nlohmann::json::array();
  for (const std::string& sql : statements) {
    requests.push_back({{"type", "execute"}, {"stmt", {{"sql", sql}, {"want_rows", true}}}});
  }
  const auto answer =
      support::call({.port = server_.port(),
                     .method = "POST",
                     .path = "/v2/pipeline",
                     .headers = "Content-Type: application/json\r\n",
                     .body = nlohmann::json{{"requests", requests}}.dump(-1, ' ', true),
                     .timeout = std::chrono::seconds(60)});
  if (answer.status == 0) throw NoAnswer("tursodb closes the connection");
  if (answer.status != 200) {
    throw std::runtime_error("tursodb: " + std::to_string(answer.status) + " " + answer.body);
  }
  return answer.body;
}

std::vector<std::string> ServerSide::execute(const std::vector<std::string>& statements) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < statements.size();) {
    std::vector<std::string> some;
    for (std::size_t bytes = 0; at < statements.size() && bytes < kRequestBytes; ++at) {
      some.push_back(statements[at]);
      bytes += statements[at].size();
    }
    const auto reply = nlohmann::json::parse(post(some));
    for (const auto& result : reply.at("results")) {
      const bool fine = result.at("type") == "ok";
      out.push_back(fine ? "" : result.at("error").at("message").get<std::string>());
    }
  }
  return out;
}

std::vector<std::vector<Side::Plain>> ServerSide::ask(const std::string& sql) {
  const auto reply = nlohmann::json::parse(post({sql}));
  const auto& result = reply.at("results").at(0);
  if (result.at("type") != "ok") throw std::runtime_error(sql + ": " + result.dump());
  std::vector<std::vector<Plain>> out;
  for (const auto& row : result.at("response").at("result").at("rows")) {
    auto& cells = out.emplace_back();
    for (const auto& cell : row) {
      const auto value = cell.find("value");
      Plain plain{cell.at("type"), ""};
      if (value != cell.end()) {
        plain.value = value->is_string() ? value->get<std::string>() : value->dump();
      }
      cells.push_back(std::move(plain));
    }
  }
  return out;
}

}  // namespace tidemark::differential
