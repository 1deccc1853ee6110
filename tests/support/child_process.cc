#include "tests/support/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>
#include <utility>

namespace tidemark::support {
namespace {

[[noreturn]] void become(const std::vector<char*>& argv, int output, int errors, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it ended before the line above
  const int nothing = ::open("/dev/null", O_RDWR);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(output >= 0 ? output : nothing, STDOUT_FILENO);
  ::dup2(errors >= 0 ? errors : nothing, STDERR_FILENO);
  ::syscall(SYS_close_range, 3U, ~0U, 0U);
  ::execvp(argv[0], argv.data());
  ::_exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& argv, Output output,
                           const std::string& stderr_path) {
  int ends[2] = {-1, -1};
  if (output == Output::pipe && ::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe2");
  const int errors =
      stderr_path.empty() ? -1 : ::open(stderr_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  std::vector<char*> pointers;
  for (const std::string& argument : argv) pointers.push_back(const_cast<char*>(argument.c_str()));
  pointers.push_back(nullptr);
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ == 0) become(pointers, ends[1], errors, parent);
  if (ends[1] >= 0) ::close(ends[1]);
  if (errors >= 0) ::close(errors);
  output_ = ends[0];
  if (pid_ < 0) throw std::runtime_error("fork");
  pid_fd_ = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
  if (pid_fd_ < 0) throw std::runtime_error("pidfd_open");
}

ChildProcess::~ChildProcess() {
  kill();
  if (output_ >= 0) ::close(output_);
}

void ChildProcess::swap(ChildProcess& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(pid_fd_, other.pid_fd_);
  std::swap(output_, other.output_);
}

std::string ChildProcess::read_line(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  std::string line;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    struct pollfd wanted{output_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&wanted, 1, static_cast<int>(left.count())) <= 0) {
      throw std::runtime_error("the child said nothing in time");
    }
    char letter = 0;
    if (::read(output_, &letter, 1) != 1) throw std::runtime_error("the child ended: " + line);
    if (letter == '\n') return line;
    line += letter;
  }
}

bool ChildProcess::ends_within(std::chrono::milliseconds timeout) const {
  struct pollfd wanted{pid_fd_, POLLIN, 0};
  return pid_ < 0 || ::poll(&wanted, 1, static_cast<int>(timeout.count())) > 0;
}

void ChildProcess::signal(int number) const {
  if (pid_ > 0) ::kill(pid_, number);
}

int ChildProcess::wait() {
  int status = 0;
  if (pid_ < 0) return -1;
  ::waitpid(pid_, &status, 0);
  ::close(pid_fd_);
  pid_ = pid_fd_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void ChildProcess::kill() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  wait();
}

}  // namespace tidemark::support
