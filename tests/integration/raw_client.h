// A client of a daemon's sockets that says what it likes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <string>

#include "tests/integration/daemon.h"

namespace tidemark::support {

// A socket; -1 when nothing listens there.
inline int connect_to(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}
inline int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

class RawClient {
 public:
  explicit RawClient(int fd) : fd_(fd) {}
  ~RawClient() { ::close(fd_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  [[nodiscard]] bool connected() const { return fd_ >= 0; }
  void say(const std::string& bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;  // it has hung up
      sent += static_cast<std::size_t>(n);
    }
  }
  void end_of_words() const { ::shutdown(fd_, SHUT_WR); }
  // All that comes until the daemon closes; "(open)" when it does not within `patience`.
  [[nodiscard]] std::string hear(std::chrono::milliseconds patience = kPatience) const {
    std::string heard;
    pollfd wait{fd_, POLLIN, 0};
    while (::poll(&wait, 1, static_cast<int>(patience.count())) > 0) {
      char bytes[4096];
      const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
      if (got <= 0) return heard;
      heard.append(bytes, static_cast<std::size_t>(got));
    }
    return "(open)";
  }
  // What has come, once something has; empty: the daemon closed, or nothing came.
  [[nodiscard]] std::string hear_some(std::chrono::milliseconds patience = kPatience) const {
    pollfd wait{fd_, POLLIN, 0};
    char bytes[4096];
    if (::poll(&wait, 1, static_cast<int>(patience.count())) <= 0) return {};
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    return {bytes, static_cast<std::size_t>(std::max<ssize_t>(got, 0))};
  }

 private:
  int fd_;
};

}  // namespace tidemark::support
