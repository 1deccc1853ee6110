#include "tests/support/hrana_peer.h"

#include <stdexcept>

#include "tests/support/http_call.h"

namespace tidemark::support {
namespace {

constexpr std::chrono::seconds kStartDeadline{20};     // a Python start, on a busy machine
constexpr std::chrono::milliseconds kLookInterval{5};  // between two looks at the counters

}  // namespace

HranaPeer::HranaPeer(const std::string& database, nlohmann::json options)
    : tls_(options.contains("cert")) {
  options["db"] = database;
  // -B: no bytecode beside the sources.
  child_ = ChildProcess({TIDEMARK_PYTHON, "-B", TIDEMARK_PEER, options.dump()},
                        ChildProcess::Output::pipe, database + ".peer-log");
  const auto said = nlohmann::json::parse(child_.read_line(kStartDeadline));
  port_ = said.at("port");
  control_port_ = said.at("control");
}

std::string HranaPeer::url() const {
  return (tls_ ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port_);
}

nlohmann::json HranaPeer::stats() const {
  return nlohmann::json::parse(call({.port = control_port_, .path = "/stats"}).body);
}

bool HranaPeer::wait_until(const std::function<bool(const nlohmann::json&)>& seen,
                           std::chrono::milliseconds timeout) const {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!seen(stats())) {
    if (std::chrono::steady_clock::now() > deadline || child_.ends_within(kLookInterval)) {
      return false;
    }
  }
  return true;
}

void HranaPeer::control(const std::string& path, const nlohmann::json& value) const {
  const HttpAnswer answer =
      call({.port = control_port_, .method = "POST", .path = path, .body = value.dump()});
  if (answer.status != 200) throw std::runtime_error("the peer refused " + value.dump());
}

}  // namespace tidemark::support
