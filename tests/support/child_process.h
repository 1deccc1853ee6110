// A child process that a test owns: killed and reaped at the latest in the destructor.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <vector>

namespace tidemark::support {

class ChildProcess {
 public:
  // Where the child's standard output goes: nowhere, or into a pipe that read_line() reads.
  enum class Output { none, pipe };

  ChildProcess() = default;
  // argv[0] is the program. The child inherits no other descriptor, and the kernel kills it when
  // the starting thread ends. Throws when it cannot be started.
  ChildProcess(const std::vector<std::string>& argv, Output output,
               const std::string& stderr_path = {});
  ~ChildProcess();
  ChildProcess(ChildProcess&& other) noexcept { swap(other); }
  ChildProcess& operator=(ChildProcess&& other) noexcept {
    swap(other);
    return *this;
  }

  // The next line of its output; throws at the deadline or when it ends first.
  std::string read_line(std::chrono::milliseconds timeout);
  // Waits up to `timeout` for its end; true when it has ended.
  [[nodiscard]] bool ends_within(std::chrono::milliseconds timeout) const;
  [[nodiscard]] pid_t pid() const { return pid_; }
  void signal(int number) const;
  // Waits for its end without limit; its exit status, or -1 for a signal.
  int wait();
  void kill();

 private:
  void swap(ChildProcess& other) noexcept;

  pid_t pid_ = -1;
  int pid_fd_ = -1;
  int output_ = -1;
};

}  // namespace tidemark::support
