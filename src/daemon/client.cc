#include "daemon/client.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <utility>

#include "cache/daemon_file.h"

namespace tidemark::daemon {
namespace {

using Clock = std::chrono::steady_clock;

Error interrupted() {
  return {ErrorCode::cancelled, "interrupted", "the daemon goes on with what was asked for", {}};
}

Error silent(const std::string& name) {
  return {ErrorCode::busy,
          "the daemon of this cache (" + name + ") does not answer",
          "look at its log, or stop it",
          {}};
}

// A descriptor that becomes readable when a stop is asked for.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop)
      : fd_(::eventfd(0, EFD_CLOEXEC)), on_stop_(std::in_place, stop, Raise{fd_}) {}
  ~StopSignal() {
    on_stop_.reset();  // waits for a stop that is being told; it writes to fd_
    ::close(fd_);
  }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  [[nodiscard]] int fd() const { return fd_; }

 private:
  struct Raise {
    int fd;
    void operator()() const {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(fd, &one, sizeof one);
    }
  };
  int fd_;
  std::optional<std::stop_callback<Raise>> on_stop_;
};

// One connection; closed with this.
class Connection {
 public:
  Connection() : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {}
  ~Connection() { ::close(fd_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // False: nothing listens, or too many wait.
  [[nodiscard]] bool connect(const std::string& path) const {
    return cache::connect_socket(fd_, path);
  }
  // A request is smaller than a socket's buffer.
  [[nodiscard]] bool send(const std::string& line) const {
    return ::send(fd_, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size());
  }

  enum class Heard { line, closed, stopped, nothing };
  // The next line into `line`, without its newline.
  Heard hear(std::string& line, int stop_fd, Clock::time_point deadline) {
    while (true) {
      if (const std::size_t end = in_.find('\n'); end != std::string::npos) {
        line = in_.substr(0, end);
        in_.erase(0, end + 1);
        return Heard::line;
      }
      if (in_.size() > kReplyBytesMax) return Heard::closed;
      std::array<pollfd, 2> wait = {{{fd_, POLLIN, 0}, {stop_fd, POLLIN, 0}}};
      const int ready = ::poll(wait.data(), wait.size(), left(deadline));
      if (ready == 0) return Heard::nothing;
      if (wait[1].revents != 0) return Heard::stopped;
      std::array<char, 65536> bytes{};
      const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
      if (got > 0) in_.append(bytes.data(), static_cast<std::size_t>(got));
      if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) return Heard::closed;
    }
  }

 private:
  static int left(Clock::time_point deadline) {
    const auto ms =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(ms, 0));
  }

  int fd_;
  std::string in_;
};

// False: a stop was asked for.
bool pause(const StopSignal& stop) {
  pollfd wait{stop.fd(), POLLIN, 0};
  return ::poll(&wait, 1, static_cast<int>(kLookInterval.count())) == 0;
}

// One conversation. nullopt: the daemon ended before its last reply. A pass may take as long as it
// takes, but the daemon itself must go on answering.
Result<std::optional<Reply>> converse(Connection& connection, const std::string& cache,
                                      const StopSignal& stop, const OnProgress& progress) {
  std::string line;
  while (true) {
    const auto heard = connection.hear(line, stop.fd(), Clock::now() + kQuietMax);
    if (heard == Connection::Heard::stopped) return std::unexpected(interrupted());
    if (heard == Connection::Heard::nothing) {
      const auto holder = cache::find_daemon(cache);
      if (holder && !daemon_status(cache, kConnectDeadline)) {
        return std::unexpected(silent(holder->name));
      }
      continue;
    }
    if (heard != Connection::Heard::line) return std::optional<Reply>();
    TIDEMARK_ASSIGN(reply, decode_reply(line));
    if (is_last(reply)) return std::optional<Reply>(std::move(reply));
    if (progress) progress(std::get<Progress>(reply));
  }
}

bool stops(const std::optional<Reply>& reply) {
  const auto* const error = reply ? std::get_if<Error>(&*reply) : nullptr;
  return error != nullptr && error->code == ErrorCode::cancelled;
}

}  // namespace

Result<Asked> ask_daemon(const std::string& cache, const Request& request,
                         const std::stop_token& stop, const OnProgress& progress) {
  const StopSignal stopped(stop);
  Asked asked;
  auto deadline = Clock::now() + kConnectDeadline;
  while (const auto holder = cache::find_daemon(cache)) {
    Connection connection;
    if (connection.connect(holder->socket) && connection.send(encode(request))) {
      TIDEMARK_ASSIGN(reply, converse(connection, cache, stopped, progress));
      if (reply && !stops(reply)) {
        asked.reply = std::move(reply);
        return asked;
      }
      if (!std::exchange(asked.lost, true)) deadline = Clock::now() + kGoneDeadline;
    }
    if (Clock::now() > deadline) return std::unexpected(silent(holder->name));
    if (!pause(stopped)) return std::unexpected(interrupted());
  }
  return asked;
}

std::optional<Status> daemon_status(const std::string& cache, std::chrono::milliseconds patience) {
  const auto holder = cache::find_daemon(cache);
  Connection connection;
  if (!holder || !connection.connect(holder->socket)) return std::nullopt;
  if (!connection.send(encode(Request{}))) return std::nullopt;
  const StopSignal never({});
  std::string line;
  if (connection.hear(line, never.fd(), Clock::now() + patience) != Connection::Heard::line) {
    return std::nullopt;
  }
  auto reply = decode_reply(line);
  if (!reply || !std::holds_alternative<Status>(*reply)) return std::nullopt;
  return std::get<Status>(std::move(*reply));
}

}  // namespace tidemark::daemon
