// The control socket's server: one request a connection, answered by lines (wire.h). Everything is
// bounded: connections, the request's bytes, the time that a client takes.
#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>

#include "daemon/asio.h"
#include "daemon/wire.h"

namespace tidemark::daemon {

// A connection. One thread, the loop's.
class Session : public std::enable_shared_from_this<Session> {
 public:
  using Socket = asio::local::stream_protocol::socket;
  using Handle = std::function<void(const Request&, const std::shared_ptr<Session>&)>;

  Session(Socket socket, Handle handle);
  void start();
  // After the last reply the connection is closed. Progress is dropped while the client is slow,
  // and everything once it is gone.
  void reply(const Reply& reply);
  void refuse(Error error) { reply(Reply(std::move(error))); }
  // It has not said its request yet, and will not.
  void close_if_silent();

 private:
  void take(const IoError& error, std::size_t bytes);
  // The peer is this process's user, or root: it may ask for more than the status.
  [[nodiscard]] bool peer_is_owner();
  void write();
  void limit_time();
  void close();

  Socket socket_;
  asio::steady_timer deadline_;
  Handle handle_;
  std::string in_;
  std::string out_;      // being written
  std::string pending_;  // to be written next
  bool asked_ = false;   // the request is there
  bool last_ = false;    // the last reply is in out_ or pending_
};

class ControlServer {
 public:
  ControlServer(asio::io_context& loop, Session::Handle handle);
  // Errors: busy (something listens there), invalid (cannot be made).
  [[nodiscard]] Result<void> listen(const std::string& path, unsigned cache_mode);
  // Takes no more connections and requests; what was asked is still answered.
  void close();

 private:
  void take(Session::Socket socket);

  asio::io_context& loop_;
  asio::local::stream_protocol::acceptor acceptor_;
  asio::steady_timer pause_;
  Session::Handle handle_;
  std::list<std::weak_ptr<Session>> sessions_;
  std::string path_;
};

}  // namespace tidemark::daemon
