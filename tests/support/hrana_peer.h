// The scripted Hrana server of tests/support/peer: real SQL on a SQLite file, with TLS, tokens,
// latency, limits and faults as a test asks. What the real test server cannot show is shown here.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/child_process.h"

namespace tidemark::support {

// One thread. Options and faults are described where they are read: peer/main.py, peer/faults.py.
class HranaPeer {
 public:
  // Serves `database`, e.g. HranaPeer(path, {{"v3", false}, {"latency_ms", 20}}). Throws when it
  // does not start. `cert` and `key` among the options make it speak TLS.
  explicit HranaPeer(const std::string& database,
                     nlohmann::json options = nlohmann::json::object());

  // http://127.0.0.1:PORT, or https:// where it speaks TLS.
  [[nodiscard]] std::string url() const;
  [[nodiscard]] int port() const { return port_; }

  // Changes some options for the requests to come.
  void set(const nlohmann::json& options) { control("/options", options); }
  // Replaces the script and counts its requests from 1 again: script({json{{"kind", "hang"}, {"at",
  // 2}}}).
  void script(const std::vector<nlohmann::json>& faults) { control("/faults", faults); }
  void reset_stats() { control("/reset", nlohmann::json::object()); }

  // Counters since the start or reset_stats(): connections, probes, requests, hanging, in_flight,
  // max_in_flight, bytes_in, bytes_out, unauthorized, gzipped, too_large, open_streams, and per
  // pipeline request `bodies` and `paths`.
  [[nodiscard]] nlohmann::json stats() const;
  [[nodiscard]] std::size_t count(const std::string& name) const { return stats().at(name); }
  // Asks for the counters until `seen` holds; false at the deadline.
  bool wait_until(const std::function<bool(const nlohmann::json&)>& seen,
                  std::chrono::milliseconds timeout = std::chrono::seconds(10)) const;

 private:
  void control(const std::string& path, const nlohmann::json& value) const;

  ChildProcess child_;
  bool tls_ = false;
  int port_ = 0;
  int control_port_ = 0;
};

}  // namespace tidemark::support
