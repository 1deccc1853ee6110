// One test of the seam: the file all implementations serve, a connection, and how to ask it.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "tests/conformance/implementation.h"

namespace tidemark::conformance {

inline constexpr std::chrono::seconds kPatience{60};  // no reply takes so long on a busy machine

class ConnectionTest : public ::testing::TestWithParam<Implementation> {
 protected:
  // The file's content; must come before serve().
  void prepare(const std::string& sql) { support::SqliteSource(path()).run(sql); }
  [[nodiscard]] std::string path() const { return folder_.file("source.db"); }

  void serve() { served_ = GetParam().serve(path()); }
  Served& served() { return *served_; }

  std::unique_ptr<turso::Connection> connect(turso::ConnectOptions options = {}) {
    const auto url = turso::parse_source_url(served_->url());
    if (!url) throw std::runtime_error(url.error().message);
    options.ca_file = served_->ca_file();
    if (const std::string token = served_->token(); !token.empty()) {
      options.token = [token]() -> Result<std::string> { return token; };
    }
    auto connection = turso::connect(*url, options);
    if (!connection) throw std::runtime_error(connection.error().message);
    return std::move(*connection);
  }

  static Result<turso::BatchReply> ask(turso::Connection& connection, turso::Batch batch) {
    return turso::run(connection, std::move(batch), std::chrono::steady_clock::now() + kPatience);
  }
  static Result<turso::BatchReply> ask(turso::Connection& connection, std::string sql,
                                       std::vector<Value> args = {}) {
    turso::Batch batch;
    batch.statements.push_back({std::move(sql), std::move(args)});
    return ask(connection, std::move(batch));
  }

 private:
  support::TempFolder folder_;
  std::unique_ptr<Served> served_;
};

}  // namespace tidemark::conformance
