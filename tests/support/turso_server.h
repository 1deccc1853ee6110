// The real server, `tursodb DB --sync-server`, for the life of a test.
// It locks its file: while it runs, SQLite can neither read nor write it (measured, 0.6.0), so
// write the file before start() or use execute().
#pragma once

#include <string>

#include "tests/support/child_process.h"

namespace tidemark::support {

// One thread.
class TursoServer {
 public:
  // Starts on a free port. Throws, saying what to install, where there is no server program.
  explicit TursoServer(std::string database);

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] int port() const { return port_; }

  void stop() { child_.kill(); }
  void start();  // on the same port

  // Runs one SQL statement through the server's own HTTP; throws on any error. The reply's body.
  std::string execute(const std::string& sql);

 private:
  const std::string database_;
  const int port_;
  ChildProcess child_;
};

}  // namespace tidemark::support
