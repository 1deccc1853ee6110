// `status --watch`: looks each second, and shows or prints what it sees.
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <ctime>

#include "cli/output.h"
#include "cli/progress_line.h"
#include "cli/signals.h"
#include "cli/watch_view.h"

namespace tidemark::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::seconds kBetween{1};
// A writer's repair is not waited for: the next look is soon.
constexpr std::chrono::milliseconds kLookDeadline{200};

// Waits for the next look. Make it before any thread: the signal of a new window size is blocked in
// all of them, and taken here.
class Ticker {
 public:
  Ticker() : stopped_(::eventfd(0, EFD_CLOEXEC)) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGWINCH);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    resized_ = ::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  ~Ticker() {
    ::close(resized_);
    ::close(stopped_);
  }
  Ticker(const Ticker&) = delete;
  Ticker& operator=(const Ticker&) = delete;

  // False: a stop was asked for, or nobody reads stdout any more.
  bool wait(const std::stop_token& stop) {
    const std::stop_callback on_stop(stop, [this] {
      const std::uint64_t one = 1;
      [[maybe_unused]] const ssize_t written = ::write(stopped_, &one, sizeof one);
    });
    std::array<pollfd, 3> wait = {
        {{stopped_, POLLIN, 0}, {resized_, POLLIN, 0}, {STDOUT_FILENO, 0, 0}}};
    next_ = std::max(next_ + kBetween, Clock::now());
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(next_ - Clock::now());
    ::poll(wait.data(), wait.size(), static_cast<int>(left.count()));
    signalfd_siginfo info{};
    while (::read(resized_, &info, sizeof info) == sizeof info) next_ = Clock::now();
    return !stop.stop_requested() && (wait[2].revents & (POLLERR | POLLHUP)) == 0;
  }

 private:
  int stopped_;
  int resized_ = -1;
  Clock::time_point next_ = Clock::now();
};

StatusSeen look(const Context& context) {
  ReaderOptions options = reader_options(context);
  options.repair = false;
  options.open_deadline = kLookDeadline;
  return see_status(context, options);
}

ScreenSize screen_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) {
    return {};
  }
  return {size.ws_row, size.ws_col};
}

std::string time_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  std::array<char, 32> text{};
  ::gmtime_r(&now, &parts);
  const std::size_t written = std::strftime(text.data(), text.size(), "%FT%TZ ", &parts);
  return {text.data(), written};
}

// One look after the other, as stdout can take it.
class Shower {
 public:
  Shower(bool json, bool screen) : json_(json), screen_(screen && !json) {}

  // False: nobody takes it any more.
  bool show(const StatusSeen& seen) {
    if (!begun_) at_start_ = seen.cache.reads;
    if (screen_) {
      write_out(frames_.next(watch_lines(seen, at_start_), screen_size()));
    } else if (std::string change = change_text(seen); !begun_ || change != change_) {
      if (json_) {
        print_status_envelope(seen, std::nullopt);
      } else {
        write_out(time_now() + change + "\n");
      }
      change_ = std::move(change);
    }
    begun_ = true;
    return flush_out();
  }

 private:
  const bool json_;
  const bool screen_;
  bool begun_ = false;
  std::optional<ReadCounts> at_start_;
  std::string change_;
  Frames frames_;
};

}  // namespace

int run_watch(const Context& context) {
  Ticker ticker;
  const StopOnSignal stop;
  Shower shower(context.json, can_rewrite(STDOUT_FILENO));
  while (shower.show(look(context)) && ticker.wait(stop.token())) {
  }
  return kDone;
}

}  // namespace tidemark::cli
