// An HTTP server for who watches: one GET a connection, on the loop's thread. Everything is
// bounded: connections, the header's bytes, the time that a client takes.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/asio.h"
#include "tidemark/error.h"

namespace tidemark::daemon {

class Exchange;

struct HttpRequest {
  std::string path;           // as sent, up to the question mark
  std::string query;          // after it
  std::string authorization;  // that header; empty: none
};

struct HttpReply {
  unsigned status = 200;
  std::string body{};
  std::string type = "text/plain; charset=utf-8";
};

// One thread, the loop's. Answers nobody who means another host (DNS rebinding): `Host` must be an
// IP address or localhost.
class HttpServer {
 public:
  // Called once for each request that can be answered; it replies at once or later.
  using Answer = std::function<void(const HttpRequest&, const std::shared_ptr<Exchange>&)>;

  HttpServer(asio::io_context& loop, Answer answer);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();
  // `address`: "127.0.0.1:9464", "[::1]:9464" or "localhost:9464". true: only this machine can
  // connect. Errors: busy (something listens there), invalid.
  [[nodiscard]] Result<bool> listen(const std::string& address);
  // Lets everybody go.
  void close();

 private:
  struct Listening;
  std::unique_ptr<Listening> listening_;
};

}  // namespace tidemark::daemon
