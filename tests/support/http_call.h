// The smallest HTTP client a test needs, over a plain socket: it shares nothing with the code that
// it tests. One request, one connection.
#pragma once

#include <chrono>
#include <string>

namespace tidemark::support {

struct HttpAnswer {
  int status = 0;
  std::string head;  // status line and headers
  std::string body;  // as on the wire until the server closed, cut to Content-Length where given
  bool complete = false;  // the body has its Content-Length
};

struct HttpCall {
  int port = 0;
  std::string method = "GET";
  std::string path = "/";
  std::string headers{};  // each ends with \r\n
  std::string body{};
  std::chrono::milliseconds timeout{10'000};
};

// Throws when 127.0.0.1:port cannot be reached or is silent for `timeout`.
HttpAnswer call(const HttpCall& request);

// True when something listens at 127.0.0.1:port.
bool listens(int port);
// A port of 127.0.0.1 where nothing listens, kept for the servers of this process's tests: until
// it ends, no other process is given it, neither by the kernel nor by a free_port() of its own. A
// server can listen there if it sets SO_REUSEADDR, as tursodb and the daemon do.
int free_port();

}  // namespace tidemark::support
