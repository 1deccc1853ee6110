// A program on a terminal of its own, as a person would have it.
#pragma once

#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <functional>
#include <stdexcept>
#include <string>
#include <vector>

namespace tidemark::support {

// One thread. The program is killed at the latest in the destructor.
class Pty {
 public:
  Pty(std::vector<std::string> argv, unsigned short rows, unsigned short columns) {
    winsize size{rows, columns, 0, 0};
    std::vector<char*> pointers;
    for (std::string& argument : argv) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    pid_ = ::forkpty(&terminal_, nullptr, nullptr, &size);
    if (pid_ < 0) throw std::runtime_error("forkpty");
    if (pid_ != 0) return;
    ::execvp(pointers[0], pointers.data());
    ::_exit(127);
  }
  ~Pty() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(terminal_);
  }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  // Reads on until `enough` holds of all that was written so far; false at the deadline or when the
  // program ends before.
  bool read_until(const std::function<bool(const std::string&)>& enough,
                  std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!enough(said_)) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
          deadline - std::chrono::steady_clock::now());
      pollfd wait{terminal_, POLLIN, 0};
      if (left.count() <= 0 || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) return false;
      char bytes[4096];
      const ssize_t got = ::read(terminal_, bytes, sizeof bytes);
      if (got <= 0) return enough(said_);
      said_.append(bytes, static_cast<std::size_t>(got));
    }
    return true;
  }
  // Everything until the program's end; its exit status, 128 + the signal, or -1 at the deadline.
  int end(std::chrono::milliseconds patience) {
    const auto never = [](const std::string&) { return false; };
    const auto deadline = std::chrono::steady_clock::now() + patience;
    read_until(never, patience);
    if (std::chrono::steady_clock::now() >= deadline) return -1;
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  void type(const std::string& keys) const {
    if (::write(terminal_, keys.data(), keys.size()) < 0) throw std::runtime_error("write");
  }
  void resize(unsigned short rows, unsigned short columns) const {
    const winsize size{rows, columns, 0, 0};
    if (::ioctl(terminal_, TIOCSWINSZ, &size) != 0) throw std::runtime_error("TIOCSWINSZ");
  }
  [[nodiscard]] const std::string& said() const { return said_; }

 private:
  pid_t pid_ = -1;
  int terminal_ = -1;
  std::string said_;
};

}  // namespace tidemark::support
