#include "tests/support/turso_server.h"

#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/http_call.h"
#include "tests/support/program.h"

namespace tidemark::support {
namespace {

constexpr std::chrono::seconds kStartDeadline{20};     // an idle machine needs 50 ms
constexpr std::chrono::milliseconds kLookInterval{5};  // between two attempts to connect

std::string server_program() {
  const char* const given = std::getenv("TIDEMARK_TURSODB");
  std::string program = given != nullptr ? given : TIDEMARK_TURSODB;
  if (!std::filesystem::exists(program)) {
    throw std::runtime_error("no Turso server at " + program +
                             ": run scripts/setup, or set TIDEMARK_TURSODB to a tursodb 0.6.0");
  }
  return program;
}

}  // namespace

TursoServer::TursoServer(std::string database)
    : database_(std::move(database)), port_(free_port()) {
  start();
}

void TursoServer::start() {
  const std::string log = database_ + ".server-log";
  child_ = ChildProcess(
      {server_program(), database_, "--sync-server", "127.0.0.1:" + std::to_string(port_)},
      ChildProcess::Output::none, log);
  const auto deadline = std::chrono::steady_clock::now() + kStartDeadline;
  while (!listens(port_)) {
    if (child_.ends_within(kLookInterval)) {
      throw std::runtime_error("tursodb ended at once: " + text_of(log));
    }
    if (std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("tursodb does not listen");
    }
  }
}

std::string TursoServer::execute(const std::string& sql) {
  const nlohmann::json request = {
      {"requests", {{{"type", "execute"}, {"stmt", {{"sql", sql}, {"want_rows", true}}}}}}};
  const HttpAnswer answer = call({.port = port_,
                                  .method = "POST",
                                  .path = "/v2/pipeline",
                                  .headers = "Content-Type: application/json\r\n",
                                  .body = request.dump()});
  if (answer.status != 200 || answer.body.find("\"type\":\"error\"") != std::string::npos) {
    throw std::runtime_error(sql + ": " + std::to_string(answer.status) + " " + answer.body);
  }
  return answer.body;
}

}  // namespace tidemark::support
