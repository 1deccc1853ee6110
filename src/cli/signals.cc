#include "cli/signals.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <string_view>

#include "cli/context.h"

namespace tidemark::cli {

StopOnSignal::StopOnSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const int taken = ::signalfd(-1, &signals, SFD_CLOEXEC);
  ended_ = ::eventfd(0, EFD_CLOEXEC);
  thread_ = std::jthread([this, taken] {
    std::array<pollfd, 2> wait = {{{taken, POLLIN, 0}, {ended_, POLLIN, 0}}};
    while (::poll(wait.data(), wait.size(), -1) >= 0) {
      if ((wait[1].revents & POLLIN) != 0) break;
      signalfd_siginfo info{};
      if (::read(taken, &info, sizeof info) != sizeof info) break;
      if (source_.stop_requested()) {
        constexpr std::string_view kClear = "\r\033[K";  // a progress line may stand there
        if (::isatty(STDERR_FILENO) == 1) {
          [[maybe_unused]] const ssize_t n = ::write(STDERR_FILENO, kClear.data(), kClear.size());
        }
        ::_exit(kInterrupted);
      }
      source_.request_stop();
    }
    ::close(taken);
  });
}

StopOnSignal::~StopOnSignal() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(ended_, &one, sizeof one);
  thread_.join();
  ::close(ended_);
}

}  // namespace tidemark::cli
