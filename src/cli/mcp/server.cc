#include "cli/mcp/server.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <cstring>
#include <functional>
#include <map>
#include <mutex>
#include <utility>

#include "cli/mcp/line_buffer.h"
#include "cli/mcp/session.h"
#include "cli/mcp/tuning.h"
#include "daemon/tuning.h"
#include "sync/worker.h"

namespace tidemark::cli::mcp {
namespace {

// A descriptor that one thread makes readable to wake another one.
class Wake {
 public:
  Wake() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Wake() { ::close(fd_); }
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;
  void raise() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(fd_, &one, sizeof one);
  }
  void lower() const {
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t got = ::read(fd_, &count, sizeof count);
  }
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
};

// What slow calls have to say to the loop. Thread-safe. Bounded by the calls: of each the newest
// progress is kept.
class Inbox {
 public:
  struct Mail {
    std::map<std::uint64_t, std::string> progress;
    std::vector<std::pair<std::uint64_t, ToolAnswer>> ended;
  };
  void progress(std::uint64_t call, const std::string& text) {
    const std::lock_guard lock(mutex_);
    mail_.progress[call] = text;
    wake_.raise();
  }
  void ended(std::uint64_t call, ToolAnswer answer) {
    const std::lock_guard lock(mutex_);
    mail_.ended.emplace_back(call, std::move(answer));
    wake_.raise();
  }
  [[nodiscard]] Mail take() {
    const std::lock_guard lock(mutex_);
    wake_.lower();
    return std::exchange(mail_, {});
  }
  [[nodiscard]] int fd() const { return wake_.fd(); }

 private:
  std::mutex mutex_;
  Mail mail_;
  Wake wake_;
};

// Drops what comes sooner than a person can read it.
class Spacing {
 public:
  [[nodiscard]] bool may_pass() {
    const auto now = std::chrono::steady_clock::now();
    if (last_ && now - *last_ < daemon::kProgressSpacing) return false;
    last_ = now;
    return true;
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> last_;
};

class Server {
 public:
  Server(const std::vector<Tool>& tools, const std::string& version, int in, int out,
         const std::stop_token& stop)
      : session_(tools, version), in_(in), out_(out), on_stop_(stop, [this] { stop_.raise(); }) {}
  ~Server() {
    for (auto& [call, stop] : running_) stop.request_stop();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Result<void> run() {
    while (!over_) {
      std::array<pollfd, 3> wait = {
          {{stop_.fd(), POLLIN, 0}, {inbox_.fd(), POLLIN, 0}, {in_, POLLIN, 0}}};
      if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return failed("poll");
      if (wait[0].revents != 0) return {};
      if (wait[1].revents != 0) TIDEMARK_TRY(take_mail());
      if (wait[2].revents != 0) TIDEMARK_TRY(read());
    }
    return {};
  }

 private:
  static std::unexpected<Error> failed(const char* what) {
    return fail(ErrorCode::internal, std::string(what) + ": " + std::strerror(errno));
  }

  Result<void> read() {
    std::array<char, kReadBytes> bytes{};
    const ssize_t got = ::read(in_, bytes.data(), bytes.size());
    if (got < 0)
      return errno == EINTR || errno == EAGAIN ? Result<void>{} : failed("read standard input");
    over_ = got == 0;
    lines_.add({bytes.data(), static_cast<std::size_t>(got)});
    while (auto taken = lines_.next()) {
      if (over_ || stopped()) return {};
      if (taken->line.empty() && !taken->too_long) continue;
      TIDEMARK_TRY(act(taken->too_long ? Session::refuse_long_line() : session_.take(taken->line)));
    }
    return {};
  }

  Result<void> take_mail() {
    const Inbox::Mail mail = inbox_.take();
    for (const auto& [call, text] : mail.progress) TIDEMARK_TRY(act(session_.progress(call, text)));
    for (const auto& [call, answer] : mail.ended) {
      running_.erase(call);
      TIDEMARK_TRY(act(session_.finish(call, answer)));
    }
    return {};
  }

  Result<void> act(const Step& step) {
    for (const auto& line : step.lines) TIDEMARK_TRY(write(line));
    for (const std::uint64_t call : step.cancelled) {
      if (const auto found = running_.find(call); found != running_.end()) {
        found->second.request_stop();
      }
    }
    for (const Call& call : step.calls) TIDEMARK_TRY(start(call));
    return {};
  }

  Result<void> start(const Call& call) {
    if (call.tool->reads_only) {
      const ToolCall quick{call.arguments, {}, [](const std::string&) {}};
      return act(session_.finish(call.number, run_tool(*call.tool, quick)));
    }
    if (running_.size() >= kSlowCallsMax) {
      const Error busy{ErrorCode::busy, "too many calls wait", "wait for one to end", {}};
      return act(session_.finish(call.number, error_alone(busy)));
    }
    const std::stop_token stop = running_[call.number].get_token();
    worker_.run([this, call, stop] {
      Spacing spacing;
      const auto progress = [this, &spacing, &call](const std::string& text) {
        if (spacing.may_pass()) inbox_.progress(call.number, text);
      };
      // One that was cancelled while it waited need not begin.
      inbox_.ended(call.number, stop.stop_requested()
                                    ? ToolAnswer{}
                                    : run_tool(*call.tool, {call.arguments, stop, progress}));
    });
    return {};
  }

  // Waits for the client to take it, and meanwhile reads nothing more from it.
  Result<void> write(std::string line) {
    line += '\n';
    std::string_view left = line;
    while (!left.empty() && !over_) {
      std::array<pollfd, 2> wait = {{{stop_.fd(), POLLIN, 0}, {out_, POLLOUT, 0}}};
      if (::poll(wait.data(), wait.size(), -1) < 0 && errno != EINTR) return failed("poll");
      if (wait[0].revents != 0) over_ = true;
      if (over_ || wait[1].revents == 0) continue;
      // A pipe that is writable takes so much without blocking.
      const ssize_t written =
          ::write(out_, left.data(), std::min<std::size_t>(left.size(), PIPE_BUF));
      if (written >= 0) {
        left.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno == EPIPE) {
        over_ = true;  // the client is gone
      } else if (errno != EINTR && errno != EAGAIN) {
        return failed("write standard output");
      }
    }
    return {};
  }

  [[nodiscard]] bool stopped() const {
    pollfd wait{stop_.fd(), POLLIN, 0};
    return ::poll(&wait, 1, 0) != 0;
  }

  Session session_;
  LineBuffer lines_{kMessageBytesMax};
  const int in_;
  const int out_;
  bool over_ = false;
  Wake stop_;
  Inbox inbox_;
  std::map<std::uint64_t, std::stop_source> running_;  // slow calls, also those that wait
  std::stop_callback<std::function<void()>> on_stop_;
  sync::Worker worker_;  // last: it ends before what its jobs use
};

}  // namespace

Result<void> serve(const std::vector<Tool>& tools, const std::string& version, int in, int out,
                   const std::stop_token& stop) {
  return Server(tools, version, in, out, stop).run();
}

}  // namespace tidemark::cli::mcp
