#include "tests/support/http_call.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <deque>
#include <mutex>
#include <stdexcept>

namespace tidemark::support {
namespace {

class Socket {
 public:
  Socket() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}
  ~Socket() { ::close(fd_); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool connect(int port) const {
    const sockaddr_in address = local(port);
    return ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  static sockaddr_in local(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

 private:
  int fd_;
};

void send_all(int fd, const std::string& data) {
  std::size_t sent = 0;
  while (sent < data.size()) {
    const ssize_t n = ::send(fd, data.data() + sent, data.size() - sent, MSG_NOSIGNAL);
    if (n <= 0) return;  // the server hung up early; what it said is still to be read
    sent += static_cast<std::size_t>(n);
  }
}

std::string read_all(int fd, std::chrono::milliseconds timeout) {
  std::string out;
  char buffer[16384];
  while (true) {
    struct pollfd wanted{fd, POLLIN, 0};
    if (::poll(&wanted, 1, static_cast<int>(timeout.count())) <= 0) {
      throw std::runtime_error("the server is silent");
    }
    const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
  }
}

HttpAnswer parse(const std::string& text) {
  HttpAnswer answer;
  const std::size_t end = text.find("\r\n\r\n");
  if (end == std::string::npos) return answer;
  answer.head = text.substr(0, end);
  answer.body = text.substr(end + 4);
  answer.status = std::stoi(answer.head.substr(answer.head.find(' ') + 1));
  const std::string name = "Content-Length: ";
  const std::size_t at = answer.head.find(name);
  if (at != std::string::npos) {
    const std::size_t length = std::stoul(answer.head.substr(at + name.size()));
    answer.complete = answer.body.size() >= length;
    answer.body = answer.body.substr(0, length);
  }
  return answer;
}

}  // namespace

HttpAnswer call(const HttpCall& request) {
  const Socket socket;
  const std::string place = "127.0.0.1:" + std::to_string(request.port);
  if (!socket.connect(request.port)) throw std::runtime_error("nothing listens at " + place);
  send_all(socket.get(), request.method + " " + request.path + " HTTP/1.1\r\nHost: " + place +
                             "\r\nConnection: close\r\n" + request.headers + "Content-Length: " +
                             std::to_string(request.body.size()) + "\r\n\r\n" + request.body);
  return parse(read_all(socket.get(), request.timeout));
}

bool listens(int port) { return Socket().connect(port); }

int free_port() {
  static std::mutex mutex;
  static std::deque<Socket> kept;  // bound, and never listening
  const std::scoped_lock lock(mutex);
  const int fd = kept.emplace_back().get();
  const int yes = 1;
  sockaddr_in address = Socket::local(0);
  socklen_t size = sizeof address;
  if (::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 ||
      ::bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no free port");
  }
  return ntohs(address.sin_port);
}

}  // namespace tidemark::support
